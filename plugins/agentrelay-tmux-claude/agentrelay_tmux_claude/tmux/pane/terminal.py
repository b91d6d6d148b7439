"""A program's own terminal inside a pane: what it prints goes into the log first, and then to the pane.

The log is so whole from the first byte, whatever becomes of tmux. It has the bytes that the program wrote: lines end as
they were written, because the terminal does not change them, as others do; that is made up for on the way to the pane.
When the pane is gone, the program gets HUP, as in any terminal; what ignores that goes on, and so does its log.
"""

import _signal as signal  # type: ignore[import-not-found]  # the part of `signal` that is built in
import fcntl
import os
import select
import termios
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentrelay_core.processes.recorded.runner_process import Order, open_output
else:
    from runner_process import open_output

_PIECE = 65536
_MOST_WAITING = 65_536  # bytes that one side may be behind the other
_FLUSH = 1.0  # seconds for the pane to take the last words
_SIZE = b"\0" * 8


class Terminal:
    """The terminal of one program.

    Args:
        pane: Descriptor of the pane.
        log: Path of the file to which everything is appended.
    """

    def __init__(self, pane: int, log: bytes) -> None:
        self.pane: int | None = pane
        self.typed = b""
        self.shown = b""
        self.master, self.slave = os.openpty()
        mode = termios.tcgetattr(pane)
        mode[1] &= ~termios.ONLCR
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        _make_raw(pane)
        self._take_size()
        os.set_blocking(pane, False)
        os.set_blocking(self.master, False)
        try:
            self.log: int | None = open_output(log)
        except OSError:
            self.log = None  # the program is not started then: it meets the same error in `arrange`
        self.log_path = log

    def arrange(self, order: "Order") -> "Iterator[bytes]":
        """In the program's place: make this its terminal."""
        yield b"stdin"
        os.dup2(os.open(order.stdin, os.O_RDONLY) if order.stdin else self.slave, 0)
        yield b"output"
        os.close(open_output(self.log_path))
        os.dup2(self.slave, 1)
        os.dup2(self.slave, 2)
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    def wait(self, pid: int) -> int:
        """Pass on what is typed and what is printed until a program has ended; its exit code, or minus its signal."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)
        signal.signal(signal.SIGWINCH, _wake)
        self._take_size()
        while (code := _ended(pid)) is None:
            self._pass_on(pid, woken)
        while self._take_printed():
            pass
        self._flush()
        return code

    def _pass_on(self, pid: int, woken: int) -> None:
        waits = select.poll()
        waits.register(woken, select.POLLIN)
        waits.register(self.master, _events(len(self.shown) < _MOST_WAITING, bool(self.typed)))
        if self.pane is not None:
            waits.register(self.pane, _events(len(self.typed) < _MOST_WAITING, bool(self.shown)))
        for descriptor, event in waits.poll():
            if descriptor == woken:
                _read(woken)
                self._take_size()
            elif descriptor == self.master:
                if event & select.POLLIN:
                    self._take_printed()
                if event & select.POLLOUT:
                    self.typed = self.typed[_write(self.master, self.typed) :]
            else:
                self._with_pane(event, pid)

    def _with_pane(self, event: int, pid: int) -> None:
        assert self.pane is not None
        if event & select.POLLIN:
            piece = _read(self.pane)
            self.typed += piece or b""
            event |= 0 if piece is None or piece else select.POLLHUP
        if event & select.POLLOUT:
            self.shown = self.shown[_write(self.pane, self.shown) :]
        if event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
            os.close(self.pane)
            self.pane, self.shown = None, b""
            try:
                os.killpg(pid, signal.SIGHUP)
                os.killpg(pid, signal.SIGCONT)
            except OSError:
                pass  # it has just ended

    def _take_printed(self) -> bool:
        """Take what the program printed; False when there is nothing now."""
        piece = _read(self.master)
        if not piece:
            return False
        if self.log is not None:
            rest = piece
            try:
                while rest:
                    rest = rest[os.write(self.log, rest) :]
            except OSError:
                pass  # a full disk must not end the wait
        if self.pane is not None:
            self.shown += piece.replace(b"\n", b"\r\n") if self._is_as_made() else piece
        return True

    def _is_as_made(self) -> bool:
        """Whether the program left its terminal as it was, and so counts on lines to begin at the left."""
        try:
            input_mode, output_mode = termios.tcgetattr(self.master)[:2]
        except termios.error:
            return True
        flags = output_mode & termios.OPOST and not output_mode & termios.ONLCR
        return bool(flags and input_mode & termios.ICRNL)

    def _take_size(self) -> None:
        if self.pane is not None:
            try:
                size = fcntl.ioctl(self.pane, termios.TIOCGWINSZ, _SIZE)
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
            except OSError:
                pass  # it is being closed

    def _flush(self) -> None:
        until = time.monotonic() + _FLUSH
        while self.pane is not None and self.shown and (left := until - time.monotonic()) > 0:
            waits = select.poll()
            waits.register(self.pane, select.POLLOUT)
            ready = waits.poll(left * 1000)
            if not ready or ready[0][1] != select.POLLOUT:
                return
            self.shown = self.shown[_write(self.pane, self.shown) :]


def _make_raw(descriptor: int) -> None:
    """Have the pane pass on every byte as it is: the program's own terminal gives them their meaning."""
    mode = termios.tcgetattr(descriptor)
    mode[0] = 0
    mode[1] &= ~termios.OPOST
    mode[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)


def _events(reads: bool, writes: bool) -> int:
    return (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0)


def _read(descriptor: int) -> bytes | None:
    """What is there now: empty at the end, `None` when there is nothing yet."""
    try:
        return os.read(descriptor, _PIECE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _write(descriptor: int, data: bytes) -> int:
    """How much of it was taken."""
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0
    except OSError:
        return len(data)  # nobody is there to take it


def _ended(pid: int) -> int | None:
    """How a program ended, `None` while it runs. Not reaped where possible: TERM may still be passed on."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        reaped, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if reaped else None
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _wake(*_: object) -> None:
    """Only wakes whoever waits."""
