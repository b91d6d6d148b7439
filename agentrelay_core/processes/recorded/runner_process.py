"""The runner process: it starts one program, outlives whoever asked for it, and writes down how the program ended.

One of it lives as long as each agent, so it imports next to nothing (`signal` would load `enum`, hence `_signal`),
sleeps in the kernel while the program says nothing, and holds no descriptor but its own. Its order comes on standard
input and never in argv, because it holds secrets; its report goes to standard output, which is closed once the program
runs or is known not to. `handover.py` is the other side, `run.py` the script that calls `main`. Where the program shall
have a terminal, a script of somebody else's calls `run` with that in place of pipes.

The lock is the attempt's, whose directory is above that of the launch: it is held from before the program starts until
the runner has ended, so that no attempt ever has two programs.
"""

import _signal as signal  # type: ignore[import-not-found]  # the part of `signal` that is built in
import fcntl
import os
import sys
import time

# They lie beside this file.
from listening import Pipe  # type: ignore[import-not-found]
from memory import limit, offer_first  # type: ignore[import-not-found]
from printed import Log  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from agentrelay_core.processes.recorded import printed

    class Medium(Protocol):
        """What a program reads from and prints to."""

        def take(self, order: "Order") -> Iterator[bytes]:
            """In the program's place: make it its own; yields what is about to be done, for the error."""

        def listen(self, pid: int, log: printed.Log) -> int:
            """Take what a child of ours prints until it has ended, and close the log; how it ended."""


LOCKED = 97
NOT_FOUND = 127
CANNOT_START = 126
# Set for everybody by Python or by us; a program expects them as the system has them.
_USUAL = ("SIGINT", "SIGHUP", "SIGPIPE", "SIGXFSZ")


class Order:
    """What is to be started: fields that end in NUL, which no argument, variable or path can hold."""

    def __init__(self, data: bytes) -> None:
        boot, heartbeat, memory, *words = data.split(b"\0")[:-1]
        self.cwd, self.stdin, self.output, name, value, *words = words
        self.boot_id = boot.decode()
        self.heartbeat = float(heartbeat)
        self.memory = int(memory)
        self.marker = f"[{_quoted(_text(name))}, {_quoted(_text(value))}]"
        self.argv, words = _counted(words)
        self.secrets, words = _counted(words)
        self.env = dict(word.split(b"=", 1) for word in words)


def _counted(words: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """A list that begins with its length, and what comes after it."""
    end = 1 + int(words[0])
    return words[1:end], words[end:]


def main(directory: bytes) -> int:
    """Run one program to its end; the exit code is that of the runner process itself."""
    order = Order(read_all(0))
    report = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return LOCKED if run(directory, order, report, Pipe()) is None else 0


def run(directory: bytes, order: Order, report: int, medium: "Medium") -> "int | None":
    """Run one program to its end, under the attempt's lock, and write down what there is to know of it.

    Args:
        directory: The record of the launch.
        order: What is to be started.
        report: Descriptor for the report, which is closed.
        medium: What the program reads from and prints to.

    Returns:
        What it ended with; `None` when another program of the attempt runs, so that it was not started.
    """
    lock = os.open(os.path.dirname(directory) + b"/lock", os.O_RDWR | os.O_CREAT, 0o600)  # noqa: PTH120  # no pathlib
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _tell(report, b"locked")
        return None
    runner = _identity(os.getpid(), order.boot_id)
    _write(directory, b"agent.json", [("runner", runner), ("program", "null"), ("marker", order.marker)])
    heartbeat = os.open(directory + b"/heartbeat", os.O_WRONLY | os.O_CREAT, 0o600)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # nobody is there yet to pass it on to
    began = time.monotonic()
    try:
        log = Log(order.output, order.secrets)
    except OSError as error:
        return _failed(order, b"output %d" % (error.errno or 0), report, directory, began)
    failed_read, failed_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(order, medium, failed_write)
    os.close(failed_write)
    failure = read_all(failed_read)  # ends when the program has taken the place of our copy
    os.close(failed_read)
    if failure:
        os.waitpid(pid, 0)
        log.write(f"agentrelay: {_message(order, failure)}\n".encode(errors="replace"))  # people look there first
        log.close()
        return _failed(order, failure, report, directory, began)
    program = _identity(pid, order.boot_id)
    _write(directory, b"agent.json", [("runner", runner), ("program", program), ("marker", order.marker)])
    signal.signal(signal.SIGTERM, lambda *_: _try(os.killpg, pid, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGALRM, lambda *_: _try(os.utime, heartbeat))
    signal.setitimer(signal.ITIMER_REAL, order.heartbeat, order.heartbeat)
    _tell(report, b"started")
    code: int = medium.listen(pid, log)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _write_exit(directory, code, None, began)
    return code


def _failed(order: Order, failure: bytes, report: int, directory: bytes, began: float) -> int:
    """Write down and tell that the program could not be started, `failure` being the stage and an error's number."""
    code = NOT_FOUND if failure.startswith(b"program ") else CANNOT_START
    _write_exit(directory, code, _message(order, failure), began)
    _tell(report, b"failed " + failure)
    return code


def _become(order: Order, medium: "Medium", failed: int) -> None:
    """In the forked copy: take a session, a directory and descriptors of its own and turn into the program."""
    stage = b"session"
    try:
        os.setsid()
        offer_first("self")
        stage = b"memory"
        if order.memory:
            limit(order.memory)
        stage = b"cwd"
        os.chdir(order.cwd)
        taking = medium.take(order)
        while takes := next(taking, None):
            stage = takes
        for name in _USUAL:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        stage = b"program"
        _execute(order.argv, order.env)
    except OSError as error:
        _tell(failed, b"%b %d" % (stage, error.errno or 0))
    finally:
        os._exit(NOT_FOUND)


def _execute(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    """As `os.execvpe`, which imports more than all of this file."""
    if b"/" in argv[0]:
        os.execve(argv[0], argv, env)
    search = env.get(b"PATH", os.fsencode(os.defpath))
    worst: OSError | None = None
    for folder in search.split(b":"):
        try:
            os.execve(folder + b"/" + argv[0] if folder else argv[0], argv, env)
        except (FileNotFoundError, NotADirectoryError) as error:
            worst = worst or error
        except OSError as error:
            if worst is None or isinstance(worst, FileNotFoundError | NotADirectoryError):
                worst = error
    raise worst or FileNotFoundError(2, "")


def _try(function: "Callable[..., None]", *arguments: int) -> None:
    """Neither a full disk nor a group that is gone may end the wait."""
    try:  # noqa: SIM105  # contextlib is not imported for this alone
        function(*arguments)
    except OSError:
        pass


def _identity(pid: int, boot_id: str) -> str:
    """What `ProcessIdentity.to_json` gives, as text."""
    values = ("pid", str(pid)), ("start_time", _quoted(_start_time(pid))), ("boot_id", _quoted(boot_id))
    return "{" + ", ".join(f'"{name}": {value}' for name, value in values) + "}"


def _start_time(pid: int) -> str:
    """As `table.py` reads it."""
    if sys.platform.startswith("linux"):
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        text = read_all(descriptor)
        os.close(descriptor)
        return text[text.rindex(b")") + 2 :].split()[19].decode()
    read, write = os.pipe()
    there = {**os.environ, "LC_ALL": "C"}
    actions = [(os.POSIX_SPAWN_DUP2, write, 1)]
    ps = os.posix_spawn("/bin/ps", ["ps", "-p", str(pid), "-o", "lstart="], there, file_actions=actions)
    os.close(write)
    text = read_all(read)
    os.close(read)
    os.waitpid(ps, 0)
    return " ".join(text.decode().split())


def _write_exit(directory: bytes, code: int, message: str | None, began: float) -> None:
    seconds = time.monotonic() - began
    told = "null" if message is None else _quoted(message)
    fields = [("exit_code", str(code)), ("message", told), ("seconds", f"{seconds:.3f}")]
    _write(directory, b"exit.json", fields)


def _write(directory: bytes, name: bytes, fields: list[tuple[str, str]]) -> None:
    """Write a file by rename: a reader sees all of it or none."""
    text = ", ".join(f'"{field}": {value}' for field, value in (*fields, ("time", f"{time.time():.3f}")))
    aside = directory + b"/." + name
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, b"{" + text.encode() + b"}\n")
    os.close(descriptor)
    os.replace(aside, directory + b"/" + name)  # noqa: PTH105  # no pathlib


def _quoted(text: str) -> str:
    """A JSON string."""
    plain = (letter if " " <= letter <= "~" and letter not in '"\\' else _escaped(letter) for letter in text)
    return '"' + "".join(plain) + '"'


def _escaped(letter: str) -> str:
    number = ord(letter)
    if number < 0x10000:
        return f"\\u{number:04x}"
    return f"\\u{0xD800 + (number - 0x10000 >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


def _text(data: bytes) -> str:
    """As `os.fsdecode`, whatever the locale is, of which we have none."""
    return data.decode("utf-8", "surrogateescape")


def _message(order: Order, failure: bytes) -> str:
    """Why the program could not be started."""
    stage, number = failure.split(b" ")
    names = {b"cwd": order.cwd, b"stdin": order.stdin, b"output": order.output, b"program": order.argv[0]}
    return f"{_text(names.get(stage, stage))}: {os.strerror(int(number))}"


def _tell(descriptor: int, message: bytes) -> None:
    """Say it and close; whoever listened may be dead by now, which changes nothing."""
    try:  # noqa: SIM105  # contextlib is not imported for this alone
        os.write(descriptor, message)
    except BrokenPipeError:
        pass
    os.close(descriptor)


def read_all(descriptor: int) -> bytes:
    """What comes until the other end is closed."""
    pieces = []
    while piece := os.read(descriptor, 65536):
        pieces.append(piece)
    return b"".join(pieces)
