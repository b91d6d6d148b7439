"""Runs pytest on a module of mutants, in a process of its own, and tells which check had which outcome."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

HERE = Path(__file__).parent
WITHOUT = ("cacheprovider", "xdist", "xdist.looponfail", "timeout", "asyncio", "hypothesispytest", "randomly")
# Far more than is needed: a machine that is busy with other things takes its time.
DEADLINE = 280.0


@attrs.frozen
class Verdict:
    """What came of one check: ``passed``, ``failed`` or ``skipped``, and what it said."""

    outcome: str
    text: str = ""


def judge(module: Path, place: Path, only: str = "") -> dict[str, dict[str, Verdict]]:
    """Verdicts by class and check.

    Args:
        module: A file with compliance classes.
        place: A directory for what the checks make.
        only: What the names of the checks hold; empty for all of them.
    """
    told = place / "verdicts.json"
    path = os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        (sys.executable, __file__, str(module), str(place / "base"), str(told), only),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if not told.exists():
        raise AssertionError(f"{module} could not be judged:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    table = json.loads(told.read_text())
    assert table, done.stdout
    return {
        name: {check: Verdict(*verdict) for check, verdict in checks.items()} for name, checks in sorted(table.items())
    }


class _Recorder:
    def __init__(self) -> None:
        self.table: dict[str, dict[str, tuple[str, str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            *_, name, check = report.nodeid.split("::")
            checks = self.table.setdefault(name, {})
            if checks.get(check, ("",))[0] != "failed":  # what goes wrong afterwards does not make it better
                checks[check] = (report.outcome, report.longreprtext or str(report.longrepr or ""))


def _main(module: str, base: str, told: str, only: str) -> None:
    recorder = _Recorder()
    options = [word for name in WITHOUT for word in ("-p", f"no:{name}")]
    options += ["-q", "-c", os.devnull, "--rootdir", str(HERE), "--import-mode=importlib", "--basetemp", base]
    options += ["-k", only] if only else []
    pytest.main([module, *options], plugins=[recorder])
    Path(told).write_text(json.dumps(recorder.table))


if __name__ == "__main__":
    _main(*sys.argv[1:])
