"""Wheels of ours and of third parties; what is dear is made once for all workers of a test run."""

import fcntl
import os
import shutil
import sys
from pathlib import Path

import pytest
from installing import run

ROOT = Path(__file__).parents[2]
SOURCES = (
    ROOT,
    ROOT / "plugins" / "agentrelay-git-gh",
    ROOT / "plugins" / "pytest-agentrelay",
    ROOT / "tests" / "third_party" / "agentrelay-scribe",
    ROOT / "tests" / "third_party" / "agentrelay-rival",
)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Makes a directory that all workers of this run share, by whoever comes first."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name, make):
        place = base / name
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (base / f"{name}.made").exists():
                shutil.rmtree(place, ignore_errors=True)
                make(place)
                (base / f"{name}.made").touch()
        return place

    return made


@pytest.fixture(scope="session")
def wheelhouse(once):
    """The directory with the wheels of the core, of each plugin in this tree, and of the third parties."""

    def build(place):
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(place), *map(str, SOURCES))

    return once("wheelhouse", build)


@pytest.fixture(scope="session")
def wheels(wheelhouse):
    """The wheels by the names of their packages."""
    return {path.name.partition("-")[0]: path for path in wheelhouse.glob("*.whl")}
