"""git, run so that nothing in a repository can run code: the one place from which this distribution starts it.

Agents can write to the user's repository and its configuration. Hooks, fsmonitor and background maintenance are
therefore off, no transport is allowed (which also stops the lazy fetches of a planted promisor remote), the user's and
the system's configuration and every ``GIT_*`` variable stay out, and the repository is always named outright.
"""

import functools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes import Captured, ProcessTimeoutError, ProgramNotFoundError, run_captured
from agentrelay_core.runtime import Internal, Parked, Transient, UserError

LOCAL_DEADLINE: Final = 60.0
TRANSFER_DEADLINE: Final = 600.0
OUTPUT_LIMIT: Final = 256 * 1024 * 1024

_KEPT = ("PATH", "TMPDIR", "SYSTEMROOT")
_ENVIRONMENT: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_DEFAULT_REF_FORMAT": "files",
    "LC_ALL": "C",
}
_SETTINGS: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.commitGraph": "false",
    "core.filesRefLockTimeout": "5000",
    "core.packedRefsTimeout": "10000",
    "pack.useBitmaps": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "safe.directory": "*",
}
_NO_ROOM: Final = ("No space left on device", "Out of diskspace", "Disk quota exceeded", "Read-only file system")
_OPTIONS: Final = tuple(word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}"))


class GitFailed(Internal):
    """git said no where it should not have.

    Args:
        message: What was run and what git said.
        captured: The process that failed.
    """

    def __init__(self, message: str, captured: Captured) -> None:
        super().__init__(message)
        self.captured = captured


@attrs.frozen(kw_only=True, eq=False)
class Git:
    """git on one repository, in the trusted way.

    Args:
        git_dir: The repository; `None` lets git discover it from the current directory.
        work_tree: Files to work on, for a repository of ours with an agent's files.
        index: Index file to use.
        borrow: An object directory that may be read besides the repository's own.
        helper_fds: Descriptors that every process inherits; see `RunInfo`.
    """

    git_dir: Path | None
    work_tree: Path | None = None
    index: Path | None = None
    borrow: Path | None = None
    helper_fds: tuple[int, ...] = ()

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        deadline: float = LOCAL_DEADLINE,
        accept: tuple[int, ...] = (0,),
        extra: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Captured:
        """Run one git command.

        Args:
            arguments: The command and its arguments.
            stdin: Its standard input; nothing by default.
            deadline: Seconds after which it is killed.
            accept: Exit codes that are answers, not failures.
            extra: More environment variables, for example an author.
            cwd: Directory to run in; default the work tree, else the repository.

        Raises:
            GitFailed: It ended with another exit code.
            Transient: It did not end in time.
            Parked: The disk is full or read-only.
            UserError: There is no git.
        """
        argv = (_program(os.environ.get("PATH")), *_OPTIONS, *arguments)
        try:
            captured = run_captured(
                argv,
                cwd=cwd or self.work_tree or self.git_dir,
                env={**self._environment(), **(extra or {})},
                stdin=stdin,
                deadline=deadline,
                output_limit=OUTPUT_LIMIT,
                pass_fds=self.helper_fds,
            )
        except ProcessTimeoutError as error:
            raise Transient(f"git {arguments[0]} did not end within {deadline:.0f} s") from error
        except ProgramNotFoundError as error:
            raise UserError("git is not installed, or not on PATH; install git 2.38 or newer") from error
        if captured.returncode not in accept:
            raise _failure(arguments, captured)
        return captured

    def text(self, *arguments: str, stdin: bytes | None = None, extra: Mapping[str, str] | None = None) -> str:
        """Run a command and return its output without the last newline."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, extra=extra).stdout).rstrip("\n")

    def says(self, *arguments: str) -> bool:
        """Run a command that answers by its exit code: 0 is yes, 1 is no."""
        return self.run(*arguments, accept=(0, 1)).returncode == 0

    def _environment(self) -> dict[str, str]:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _ENVIRONMENT
        if self.git_dir is not None:
            environment["GIT_DIR"] = str(self.git_dir)
        if self.work_tree is not None:
            environment["GIT_WORK_TREE"] = str(self.work_tree)
        if self.index is not None:
            environment["GIT_INDEX_FILE"] = str(self.index)
        if self.borrow is not None:
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quoted(str(self.borrow))
        return environment


@functools.lru_cache(maxsize=1)
def _program(path: str | None) -> str:
    """Where git is; to look for it along PATH costs each process more than the rest of its start."""
    return shutil.which("git", path=path) or "git"


def quoted(text: str) -> str:
    """A value as git reads it between double quotes, in its configuration and in lists of paths."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _failure(arguments: tuple[str, ...], captured: Captured) -> Exception:
    said = os.fsdecode(captured.stderr).strip()
    if any(words in said for words in _NO_ROOM):
        return Parked(
            f"git {arguments[0]} could not write: the disk is full or read-only; "
            f"make room, then type `agentrelay run` ({said})"
        )
    return GitFailed(f"git {' '.join(arguments)} ended with exit code {captured.returncode}: {said}", captured)
