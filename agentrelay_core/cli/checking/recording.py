"""What pytest is given to write down, line by line, what became of each check: it must survive pytest's own death.

It is loaded by pytest, with ``-p``, in the process that runs the checks, and imports nothing of pytest itself.
"""

import json
from pathlib import Path
from typing import Any, Final

OPTION: Final = "--agentrelay-outcomes"


def pytest_addoption(parser: Any) -> None:
    """Add the option that names the file."""
    parser.addoption(OPTION, default=None, help="Where to write what became of each check.")


def pytest_configure(config: Any) -> None:
    """Begin to write, where the option is given."""
    path = config.getoption(OPTION)
    if path is not None:
        config.pluginmanager.register(Recorder(Path(path)), "agentrelay-outcomes")


class Recorder:
    """Writes a JSON line for each thing that happens.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_collection_finish(self, session: Any) -> None:
        """Each check that there is, with the sentence that it proves."""
        for item in session.items:
            text = getattr(getattr(item, "function", None), "__doc__", None) or item.name
            says = " ".join(text.strip().partition("\n\n")[0].split())
            self._write(event="collected", check=item.nodeid, says=says)

    def pytest_collectreport(self, report: Any) -> None:
        """The module could not be read."""
        if report.failed:
            self._write(event="unreadable", message=str(report.longrepr))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A check begins."""
        self._write(event="begun", check=nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A phase of a check is over; that a set-up or a clean-up passed is not worth a line."""
        if report.when == "call" or not report.passed:
            self._write(event="ended", check=report.nodeid, outcome=report.outcome, message=_message(report))

    def _write(self, **facts: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")


def _message(report: Any) -> str:
    told = report.longrepr
    if report.skipped and isinstance(told, tuple):
        return str(told[2]).removeprefix("Skipped: ")
    crash = getattr(told, "reprcrash", None)
    text = str(told or "") if crash is None else str(crash.message)
    return text.removeprefix("AssertionError: ").removeprefix("Failed: ")
