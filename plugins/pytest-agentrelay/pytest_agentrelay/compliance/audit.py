"""What Python itself tells of files opened, programs started and connections made, while someone listens.

An audit hook cannot be taken away again, so there is one for the process, installed by the first who listens; without
listeners it returns at once.
"""

import os
import shlex
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

_STARTS: Final = {"subprocess.Popen": 0, "os.posix_spawn": 0, "os.exec": 0, "os.system": 0, "pty.spawn": 0}
_OUTSIDE: Final = frozenset(
    {
        "open",
        "_thread.start_new_thread",
        "os.fork",
        "os.forkpty",
        "os.link",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.symlink",
        "os.truncate",
        "shutil.copyfile",
        "shutil.rmtree",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "sqlite3.connect",
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "urllib.Request",
        *_STARTS,
    }
)

# Words that a shell knows itself.
_BUILT_IN: Final = frozenset(
    (
        *(".", ":", "[", "cd", "command", "echo", "eval", "exec", "exit", "export", "false", "kill", "printf", "read"),
        *("set", "test", "trap", "true", "ulimit", "umask", "wait"),
    )
)

_Listener = Callable[[str, tuple[Any, ...]], None]
_LISTENERS: list[_Listener] = []
_INSTALLED: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for listener in _LISTENERS:
        listener(event, arguments)


@attrs.frozen
class Outside:
    """Something that was done to the world outside of Python.

    Args:
        event: The name of the audit event.
        subject: The file, the program or the address.
    """

    event: str
    subject: str

    def __str__(self) -> str:
        return f"{self.event} {self.subject}".strip()


def beyond(effects: Sequence[Outside], programs: Collection[str]) -> list[Outside]:
    """What was done besides starting some programs, with the pipes that belong to that.

    Args:
        effects: What was done.
        programs: Names of programs that may be started.
    """
    plumbing = {Outside("open", ""), Outside("open", os.devnull)}
    started = {effect for effect in effects if effect.event in _STARTS and Path(effect.subject).name in programs}
    return [effect for effect in effects if effect not in started and not (started and effect in plumbing)]


@contextmanager
def outside_effects() -> Iterator[list[Outside]]:
    """Collect what this thread does to the world: files, processes, threads and connections."""
    thread = threading.get_ident()
    found: list[Outside] = []

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _OUTSIDE and threading.get_ident() == thread:
            found.append(Outside(event, _subject(event, arguments)))

    with _listening(listen):
        yield found


@contextmanager
def started_programs() -> Iterator[list[str]]:
    """Collect the programs that any thread of this process starts, as they were named."""
    found: list[str] = []

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS:
            found.extend(_programs(event, arguments))

    with _listening(listen):
        yield found


def is_own_python(program: str) -> bool:
    """Whether a program is the Python that runs, which is no need to declare."""
    return os.path.sep in program and Path(program).parent in (Path(sys.executable).parent, Path(sys.prefix) / "bin")


@contextmanager
def _listening(listener: _Listener) -> Iterator[None]:
    if not _INSTALLED:
        sys.addaudithook(_hook)
        _INSTALLED.append(True)
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def _subject(event: str, arguments: tuple[Any, ...]) -> str:
    if event in _STARTS:
        return " ".join(_programs(event, arguments))
    first = arguments[0] if arguments else ""
    return os.fsdecode(first) if isinstance(first, str | bytes | os.PathLike) else ""


def _programs(event: str, arguments: tuple[Any, ...]) -> list[str]:
    if event == "os.system":
        return _first_word(os.fsdecode(arguments[0]))
    program = os.fsdecode(arguments[0])
    words: Sequence[Any] = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], list | tuple) else ()
    if Path(program).name == "sh" and len(words) == 3 and words[1] == "-c" and event == "subprocess.Popen":
        return [program, *_first_word(os.fsdecode(words[2]))]
    return [program]


def _first_word(line: str) -> list[str]:
    """The program that a shell's command line begins with; what is no plain word is not judged."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    return (
        words[:1]
        if words and words[0].replace("-", "").replace("_", "").isalnum() and words[0] not in _BUILT_IN
        else []
    )
