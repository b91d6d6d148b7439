"""Starting a program in a session of its own, with errors that name what is missing.

A session of its own means that Ctrl-C in the user's terminal does not reach the program, that it cannot ask on that
terminal, and that it can be ended together with everything in its process group.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentrelay_core.processes.errors import ProcessError, ProgramNotFoundError, shown


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | str | None,
    env: Mapping[str, str] | None,
    stdin: int,
    stdout: int,
    stderr: int,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program as the leader of a new session and process group.

    Args:
        argv: The program and its arguments.
        cwd: Working directory, `None` for ours.
        env: The whole environment, whose PATH is searched; `None` for ours.
        stdin: Descriptor, or a constant of `subprocess`; so are `stdout` and `stderr`.
        stdout: See `stdin`.
        stderr: See `stdin`.
        pass_fds: Descriptors that the program inherits besides.

    Returns:
        The started process.

    Raises:
        ProgramNotFoundError: There is no such program.
        ProcessError: It cannot be started for another reason, which the text tells.
    """
    try:
        # Neither preexec_fn nor user ids: that keeps vfork, which does not copy our page tables.
        return subprocess.Popen(
            argv,
            bufsize=0,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except OSError as error:
        if cwd is not None and error.filename is not None and os.fspath(error.filename) == os.fspath(cwd):
            raise ProcessError(f"{shown(argv)} cannot start in {cwd}: {error.strerror}") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
            raise ProgramNotFoundError(argv[0]) from error
        raise ProcessError(f"{shown(argv)} cannot be started: {error.strerror}") from error
