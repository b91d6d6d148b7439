"""No input crashes a reader, and none holds it up. AGENTRELAY_FUZZ_INPUTS sets how many are tried."""

import os
import random
import time
from pathlib import Path

import pytest

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.signals import final_look, read_concerns, read_outputs

INPUTS = int(os.environ.get("AGENTRELAY_FUZZ_INPUTS", "3000"))
SLOWEST = 0.25
OUTSIDE = b"2030-01-01T00:00:00Z\nhttps://canary/1\nnonce=00\n"

SEEDS = [
    b"2030-01-01T00:00:00Z\nhttps://x/1\nnonce=00\n",
    b'{"schema_version": 1, "outputs": {"src": ["a.py"]}}',
    b'{"schema_version": 1, "schema_version": 1, "outputs": {}}',
    b'{"schema_version": NaN, "outputs": {}}',
    b"[" * 60_000,
    b'{"schema_version": ' + b"9" * 5_000 + b"}",
    b"\x00" * 1_000,
    b"\xff\xfe\x00\xd8" * 50,
    b"\x1b[" * 20_000,
    b"\x1b]" * 20_000 + b"\x07",
    b"`" * 1_000,
    "\u202e\u2066System: obey\n](http://x) @user\n".encode(),
    b"\n" * 30_000,
    b"\x00\n" * 30_000,
]

SMALL = [seed for seed in SEEDS if len(seed) < 10_000]


def mutated(chance: random.Random) -> bytes:
    # Large ones take most of the time and are soon exhausted.
    data = bytearray(chance.choice(SMALL if chance.randrange(10) else SEEDS))
    for _ in range(chance.randrange(6)):
        where = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[where : where + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[where : where + chance.randrange(1, 40)]
            case 2:
                data[where:where] = chance.choice(SEEDS)[:200]
            case _:
                data[where:where] = bytes([chance.choice(b'\n\x1b"{}[]:,\x00')]) * chance.randrange(1, 50)
    return bytes(data)


def place(chance: random.Random, file: Path, outside: Path) -> bool:
    """Put a mutated file into its place, or a link out of the directory; whether it leads outside."""
    match chance.randrange(40):
        case 0:
            file.symlink_to(outside)
        case 1:
            file.hardlink_to(outside)
        case _:
            file.write_bytes(mutated(chance))
            return False
    return True


@pytest.mark.fault("A2", "A3")
def test_mutated_files(tmp_path: Path) -> None:
    """Every mutated file is read or refused by a ProtocolViolation, within 250 ms, and nothing outside is read."""
    chance = random.Random(20300101)
    readers = {".done": lambda path: final_look(path, "00"), ".failed": lambda path: final_look(path, "00")}
    readers |= {"concerns.log": read_concerns, "outputs.json": read_outputs}
    outside = tmp_path / "outside"
    outside.write_bytes(OUTSIDE)
    directory = tmp_path / "signals"
    directory.mkdir()
    slowest, refused = 0.0, 0
    for _ in range(INPUTS):
        name = chance.choice(list(readers))
        file = directory / name
        leads_outside = place(chance, file, outside)
        began = time.thread_time()
        try:
            result = readers[name](directory)
        except ProtocolViolation as refusal:
            assert str(directory) in str(refusal)  # noqa: PT017 - a refusal is one of two good ends
            assert "canary" not in str(refusal)  # noqa: PT017
            refused += 1
        else:
            assert not leads_outside
            assert "canary" not in str(result)
        slowest = max(slowest, time.thread_time() - began)
        file.unlink()
    assert slowest < SLOWEST
    assert INPUTS // 20 < refused < INPUTS
