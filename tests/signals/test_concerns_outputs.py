"""Concerns are kept within bounds and shown as plain lines; outputs are read strictly."""

import os
import time
from pathlib import Path

import pytest

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.signals import read_concerns, read_outputs, read_signal
from agentrelay_core.spec import TaggedPath


@pytest.mark.fault("A18")
def test_concerns_are_plain_lines(tmp_path: Path) -> None:
    """Control characters are stripped and empty lines dropped; the signal carries the concerns."""
    (tmp_path / "concerns.log").write_bytes("one\x1b[2J\n\n\x00\ntwo\r\n \u202ethree\t\u200b!".encode())
    assert read_concerns(tmp_path) == ("one", "two", "three !")
    (tmp_path / ".done").write_text("x\n\n")
    signal = read_signal(tmp_path, None)
    assert signal is not None
    assert signal.concerns == ("one", "two", "three !")


def test_no_concerns(tmp_path: Path) -> None:
    """Neither a missing file nor a missing directory is a problem."""
    assert read_concerns(tmp_path) == ()
    assert read_concerns(tmp_path / "nowhere") == ()


def test_many_concerns_keep_head_and_tail(tmp_path: Path) -> None:
    """Of more than 1000 concerns the first and the last are kept, with a word between them."""
    (tmp_path / "concerns.log").write_text("".join(f"{number}\n" for number in range(3000)))
    concerns = read_concerns(tmp_path)
    assert len(concerns) == 1000
    assert (concerns[0], concerns[499], concerns[501], concerns[-1]) == ("0", "499", "2501", "2999")
    assert concerns[500] == "(truncated: 2001 concerns left out)"


@pytest.mark.fault("A4")
def test_a_flood_of_concerns_is_cut(tmp_path: Path) -> None:
    """Of ten gigabytes only the two ends are read, at once."""
    log = tmp_path / "concerns.log"
    log.write_text("first\n")
    os.truncate(log, 10 * 1024**3)
    with log.open("a") as file:
        file.write("\nlast\n")
    took = []
    for _ in range(3):  # a busy machine may hold up one of them
        began = time.perf_counter()
        concerns = read_concerns(tmp_path)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.25
    assert (concerns[0], concerns[-1]) == ("first", "last")
    assert "truncated" in concerns[1]


def test_concerns_by_link_are_refused(tmp_path: Path) -> None:
    """Nothing outside of the directory is read as a concern."""
    (tmp_path / "concerns.log").symlink_to("/etc/passwd")
    with pytest.raises(ProtocolViolation, match="symbolic link"):
        read_concerns(tmp_path)


def test_outputs(tmp_path: Path) -> None:
    """What the helper writes is read as paths with categories."""
    assert read_outputs(tmp_path) == ()
    (tmp_path / "outputs.json").write_text('{"schema_version": 1, "outputs": {"src": ["a.py", "b.py"], "test": ["t"]}}')
    assert read_outputs(tmp_path) == (TaggedPath("a.py", "src"), TaggedPath("b.py", "src"), TaggedPath("t", "test"))


@pytest.mark.fault("A3")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[]", "expected an object"),
        ('{"schema_version": 1, "outputs": {}, "more": 1}', "expected an object"),
        ('{"schema_version": 2, "outputs": {}}', "schema_version must be 1"),
        ('{"schema_version": true, "outputs": {}}', "schema_version must be 1"),
        ('{"schema_version": 1.0, "outputs": {}}', "schema_version must be 1"),
        ('{"schema_version": NaN, "outputs": {}}', "NaN is no JSON"),
        ('{"schema_version": 1, "outputs": {}, "outputs": {}}', "a key occurs twice"),
        ('{"schema_version": 1, "outputs": {"a b": []}}', "the category 'a b' must start"),
        ('{"schema_version": 1, "outputs": {"src": "a"}}', "must be a list of paths"),
        ('{"schema_version": 1, "outputs": {"src": [1]}}', "must be a string"),
        ('{"schema_version": 1, "outputs": {"src": ["../a"]}}', "inside the repository"),
        ('{"schema_version": 1, "outputs": {"src": ["/etc/passwd"]}}', "inside the repository"),
        ('{"schema_version": 1, "outputs": {"src": ["a\\u001b"]}}', "must be plain"),
        ("[" * 60_000, "nested too deeply"),
        ("9" * 5_000, "4300"),
    ],
)
def test_outputs_refused(tmp_path: Path, text: str, said: str) -> None:
    """Unknown keys, duplicates, NaN, depth and huge numbers are refused, each with its reason."""
    (tmp_path / "outputs.json").write_text(text)
    with pytest.raises(ProtocolViolation, match="is not what agentrelay-task writes") as caught:
        read_outputs(tmp_path)
    assert said in str(caught.value)
