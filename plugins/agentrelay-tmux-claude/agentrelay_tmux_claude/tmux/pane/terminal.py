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

    from agentrelay_core.processes.recorded.listening import exit_code
    from agentrelay_core.processes.recorded.printed import PIECE, Log, Stars
    from agentrelay_core.processes.recorded.runner_process import Order
else:
    from listening import exit_code
    from printed import PIECE, Stars

_MOST_WAITING = 65_536  # bytes that one side may be behind the other
_FLUSH = 1.0  # seconds for the pane to take the last words
_SIZE = b"\0" * 8
# What a program is given as its input that is to be typed to.
TERMINAL = b"/dev/tty"


class Terminal:
    """The terminal of one program.

    Args:
        pane: Descriptor of the pane.
        secrets: What becomes stars in the pane, as it does in the log.
    """

    def __init__(self, pane: int, secrets: "list[bytes]") -> None:
        self.pane: int | None = pane
        self.stars = Stars(secrets)
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

    def take(self, order: "Order") -> "Iterator[bytes]":
        """In the program's place: make this its terminal."""
        yield b"stdin"
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        given = order.stdin or os.fsencode(os.devnull)
        os.dup2(self.slave if given == TERMINAL else os.open(given, os.O_RDONLY), 0)
        yield b"output"
        os.dup2(self.slave, 1)
        os.dup2(self.slave, 2)

    def listen(self, pid: int, log: "Log") -> int:
        """Pass on what is typed and printed until a child of ours has ended, and close the log; how it ended."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)
        signal.signal(signal.SIGWINCH, _wake)
        self._take_size()
        while (code := exit_code(pid)) is None:
            self._pass_on(pid, woken, log)
        while self._take_printed(log):
            pass
        log.close()
        self._show(self.stars.rest())
        self._flush()
        return code

    def _pass_on(self, pid: int, woken: int, log: "Log") -> None:
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
                    self._take_printed(log)
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

    def _take_printed(self, log: "Log") -> bool:
        """Take what the program printed; False when there is nothing now."""
        piece = _read(self.master)
        if not piece:
            return False
        log.write(piece)
        self._show(self.stars.hide(piece))
        return True

    def _show(self, data: bytes) -> None:
        if self.pane is not None:
            self.shown += data.replace(b"\n", b"\r\n") if self._is_as_made() else data

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
        return os.read(descriptor, PIECE)
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


def _wake(*_: object) -> None:
    """Only wakes whoever waits."""
