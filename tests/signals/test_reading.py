"""Signals are read by the rules of the protocol, whatever an agent put in their place."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from refusals import refused, refused_to_people

from agentrelay_core.runtime import IntegrationBoundary, ProtocolViolation
from agentrelay_core.signals import SignalReader, final_look, read_signal
from agentrelay_core.signals.reading import LARGEST_SIGNAL

STAMP = "2030-01-01T00:00:00Z"
NONCE = "ab" * 16


@pytest.mark.parametrize(
    ("second", "url"),
    [
        ("https://github.com/o/r/pull/1", "https://github.com/o/r/pull/1"),
        ("agentrelay+local:graph/1", "agentrelay+local:graph/1"),
        ("agentrelay/graph/task", None),
        ("", None),
    ],
)
def test_done(tmp_path: Path, second: str, url: str | None) -> None:
    """The second line of .done is a URL, or says nothing that is used."""
    (tmp_path / ".done").write_text(f"{STAMP}\n{second}\n")
    signal = read_signal(tmp_path, NONCE)
    assert signal is not None
    assert (signal.outcome, signal.pr_url, signal.error) == ("done", url, None)


def test_failed(tmp_path: Path) -> None:
    """The second line of .failed is the reason, without what a terminal would act upon."""
    (tmp_path / ".failed").write_bytes(f"{STAMP}\r\nno \x1b[31mway\x1b]0;title\x07\u202e out\r\n".encode() + b"")
    signal = read_signal(tmp_path, None)
    assert signal is not None
    assert (signal.outcome, signal.error) == ("failed", "no way out")


def test_a_reason_in_place_of_the_timestamp_is_kept(tmp_path: Path) -> None:
    """An agent that forgets the timestamp is understood all the same."""
    (tmp_path / ".failed").write_text("it broke\n\n")
    signal = read_signal(tmp_path, None)
    assert signal is not None
    assert signal.error == "it broke"


@pytest.mark.fault("A1")
def test_a_short_signal_is_taken_when_it_stayed_unchanged(tmp_path: Path) -> None:
    """Anything shorter than two lines is taken after two seconds without a change."""
    reader = SignalReader(tmp_path, NONCE)
    (tmp_path / ".done").write_text(STAMP)
    assert reader.look(10.0) is None
    assert reader.due == 12.0
    (tmp_path / ".done").write_text(f"{STAMP}\n")
    assert reader.look(11.9) is None
    assert reader.look(13.8) is None
    signal = reader.look(13.9)
    assert signal is not None
    assert signal.outcome == "done"


@pytest.mark.fault("A1")
def test_an_empty_file_is_never_a_signal(tmp_path: Path) -> None:
    """An empty file is looked at again and again, and never taken; nor at the agent's end."""
    (tmp_path / ".done").touch()
    reader = SignalReader(tmp_path, NONCE)
    assert reader.look(0.0) is None
    assert reader.look(1000.0) is None
    assert reader.due is not None
    assert final_look(tmp_path, NONCE) is None


def test_the_final_look_takes_a_short_signal_at_once(tmp_path: Path) -> None:
    """When the writer is gone, nobody will complete what it wrote."""
    assert final_look(tmp_path, NONCE) is None
    (tmp_path / ".failed").write_text(f"{STAMP}\nwhy")
    assert read_signal(tmp_path, NONCE) is None
    signal = final_look(tmp_path, NONCE)
    assert signal is not None
    assert signal.error == "why"


@pytest.mark.fault("A5")
@pytest.mark.parametrize(
    ("third", "taken"), [(f"nonce={NONCE}", True), ("nonce=00", False), ("nonce=", False), ("hello", True), ("", True)]
)
def test_nonce(tmp_path: Path, third: str, taken: bool) -> None:
    """A wrong nonce is stale, an absent one is accepted."""
    (tmp_path / ".done").write_text(f"{STAMP}\n\n{third}\n")
    assert (read_signal(tmp_path, NONCE) is not None) is taken


@pytest.mark.fault("A6")
def test_both_signals_are_a_violation_and_stay(tmp_path: Path) -> None:
    """An attempt that says both is refused at the SIGNAL boundary, and both files are kept."""
    (tmp_path / ".done").write_text(f"{STAMP}\n\n")
    (tmp_path / ".failed").write_text(f"{STAMP}\nx\n")
    with pytest.raises(ProtocolViolation, match=r"holds both \.done and \.failed") as caught:
        read_signal(tmp_path, NONCE)
    assert caught.value.boundary is IntegrationBoundary.SIGNAL
    assert sorted(path.name for path in tmp_path.iterdir()) == [".done", ".failed"]


def test_a_stale_signal_contradicts_nothing(tmp_path: Path) -> None:
    """A stale .done beside a fresh .failed is ignored."""
    (tmp_path / ".done").write_text(f"{STAMP}\n\nnonce=00\n")
    (tmp_path / ".failed").write_text(f"{STAMP}\nx\n")
    signal = read_signal(tmp_path, NONCE)
    assert signal is not None
    assert signal.outcome == "failed"


def test_undecodable_bytes_are_read_leniently(tmp_path: Path) -> None:
    """Invalid UTF-8 ends nothing."""
    (tmp_path / ".failed").write_bytes(b"\xff\xfe\n\xc3(bad\n")
    signal = read_signal(tmp_path, NONCE)
    assert signal is not None
    assert "bad" in (signal.error or "")


def _outside(path: Path) -> Path:
    target = path.parent.parent / "outside"
    target.write_text(f"{STAMP}\nhttps://evil/1\n")
    return target


def _socket(path: Path) -> None:
    # The name may be longer than a socket's may be: bound from within its directory.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 50 * 1024**3)


def _device(kind: int, major: int, minor: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        try:
            os.mknod(path, kind | 0o666, os.makedev(major, minor))
        except PermissionError:
            pytest.skip("device nodes need root")

    return make


def _unreadable(path: Path) -> None:
    path.write_text(f"{STAMP}\n\n")
    path.chmod(0)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to a file": (lambda path: path.symlink_to(_outside(path)), "a symbolic link"),
    "dangling link": (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
    "link to itself": (lambda path: path.symlink_to(path.name), "a symbolic link"),
    "link to a directory": (lambda path: path.symlink_to("."), "a symbolic link"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "a symbolic link"),
    "FIFO": (os.mkfifo, "a FIFO"),
    "socket": (_socket, "a socket"),
    "character device": (_device(stat.S_IFCHR, 1, 5), "a device"),
    "block device": (_device(stat.S_IFBLK, 7, 200), "a device"),
    "directory": (Path.mkdir, "a directory"),
    "hard link": (lambda path: path.hardlink_to(_outside(path)), "2 hard links"),
    "sparse 50 GiB": (_sparse, "too large"),
    "too large": (lambda path: path.write_bytes(b"x\n" * LARGEST_SIGNAL), "too large"),
    "unreadable": (_unreadable, "may not be read"),
}


@pytest.mark.fault("A2")
@pytest.mark.parametrize("name", [".done", ".failed", "outputs.json"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files(tmp_path: Path, kind: str, name: str) -> None:
    """Whatever is no plain small file is refused by name, at once, and nothing outside is read."""
    make, said = HOSTILE[kind]
    directory = tmp_path / "signals"
    directory.mkdir()
    if (kind, name) == ("too large", "outputs.json"):
        (directory / name).write_bytes(b" " * (1024 * 1024 + 1))
    else:
        make(directory / name)
    words, seconds = (refused_to_people if kind == "unreadable" else refused)(directory, name)
    assert said in words
    assert name in words
    assert seconds < 0.25


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_signal_directory_that_is_none(tmp_path: Path, kind: str) -> None:
    """A link or a file in the directory's place is refused; no directory at all is no signal."""
    real = tmp_path / "real"
    real.mkdir()
    (real / ".done").write_text(f"{STAMP}\n\n")
    place = tmp_path / "place"
    assert read_signal(place, NONCE) is None
    if kind == "link":
        place.symlink_to(real)
    else:
        place.touch()
    with pytest.raises(ProtocolViolation, match="place is a link, or not"):
        read_signal(place, NONCE)
