"""How a hostile file in an attempt's directory is refused: asked here, or by a process that is no mighty root."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.signals import read_outputs, read_signal

# Root without these may not read what its mode forbids.
MIGHT = ("dac_override", "dac_read_search")


def refused(directory: Path, name: str) -> tuple[str, float]:
    """The words by which a file is refused, and the least seconds that it took of three; no words where it was read."""
    # A busy machine may hold up one try, and hardly all of them.
    tries = [_refused(directory, name) for _ in range(3)]
    return tries[0][0], min(seconds for _, seconds in tries)


def _refused(directory: Path, name: str) -> tuple[str, float]:
    began = time.perf_counter()
    try:
        if name == "outputs.json":
            read_outputs(directory)
        else:
            read_signal(directory, "ab" * 16)
    except ProtocolViolation as error:
        return str(error), time.perf_counter() - began
    return "", time.perf_counter() - began


def refused_to_people(directory: Path, name: str) -> tuple[str, float]:
    """The same for somebody whom a file's mode concerns, whoever runs the tests."""
    if os.geteuid() != 0:
        return refused(directory, name)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root reads it all the same, and there is no setpriv to make less of it")
    less = ",".join(f"-{might}" for might in MIGHT)
    argv = [setpriv, f"--bounding-set={less}", f"--inh-caps={less}", sys.executable, __file__, str(directory), name]
    ended = subprocess.run(argv, check=True, capture_output=True, timeout=240)
    text, seconds = json.loads(ended.stdout)
    return text, seconds


if __name__ == "__main__":
    print(json.dumps(refused(Path(sys.argv[1]), sys.argv[2])))
