"""The runner process of a program that has a terminal: tmux starts it, and it does what every runner process does.

Its order is a file that it removes at once, because a pane's standard input is the terminal; its report goes into a
FIFO, which nobody need have open any more. Imports are few, for one of these lives as long as each agent.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentrelay_core.processes.recorded.runner_process import LOCKED, Order, read_all, run
    from agentrelay_tmux_claude.tmux.pane.terminal import Terminal
else:
    from runner_process import LOCKED, Order, read_all, run
    from terminal import Terminal

NO_ORDER = 98


def main(directory: bytes) -> int:
    """Run one program to its end; the exit code is the program's, for people who look at the window."""
    pane = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(directory + b"/runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(log, 2)
    try:
        told = os.open(directory + b"/order", os.O_RDONLY)
        os.unlink(directory + b"/order")  # noqa: PTH108  # no pathlib
    except FileNotFoundError:
        return NO_ORDER  # whoever wanted it has given up
    order = Order(read_all(told))
    os.close(told)
    order.env[b"TERM"] = os.environb.get(b"TERM", b"dumb")
    code = run(directory, order, _report(directory + b"/report"), Terminal(pane, order.secrets))
    if code is None:
        return LOCKED
    return code if code >= 0 else 128 - code


def _report(path: bytes) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)  # nobody listens any more; we are found by what we write down
