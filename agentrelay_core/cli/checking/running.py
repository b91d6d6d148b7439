"""Running the checks: pytest in a process and a directory of its own, with a deadline, and what it wrote down."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from agentrelay_core.cli.checking.module import CLASS, SETTINGS, module_text
from agentrelay_core.cli.checking.recording import OPTION
from agentrelay_core.cli.checking.recording import __name__ as recorder
from agentrelay_core.cli.checking.subjects import Subject
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY
from agentrelay_core.processes import ProcessError, ProcessTimeoutError, run_captured
from agentrelay_core.runtime.untrusted_text import plain_text

KIT: Final = "pytest_agentrelay"
# What pytest's exit code is when checks could be run, whatever became of them.
_RAN: Final = (0, 1)
# What the checks need of pytest. Whatever else is installed for it is left out: it costs time, and may be broken.
_PLUGINS: Final = ("pytest_asyncio.plugin", f"{KIT}.plugin", recorder)
_LAST_LINES: Final = 20


@attrs.frozen(kw_only=True)
class Check:
    """What became of one check.

    Args:
        name: Its name.
        says: The sentence that it proves.
        outcome: ``proven``, ``failed`` or ``skipped``, for example because the capability is not declared.
        message: Why it failed or was skipped.
    """

    name: str
    says: str
    outcome: Literal["proven", "skipped", "failed"]
    message: str = ""


def require_kit() -> None:
    """Make sure that the test kit is installed.

    Raises:
        Failure: It is not; the text holds the command that installs it.
    """
    if find_spec(KIT) is None:
        raise Failure(
            f"the checks are in pytest-agentrelay, which is not installed; `{sys.executable} -m pip install "
            "pytest-agentrelay` installs it",
            NOT_READY,
        )


def run_checks(subjects: Sequence[Subject], *, deadline: float) -> tuple[tuple[Check, ...], ...]:
    """Run the compliance checks of subjects.

    Args:
        subjects: What is checked, each with a compliance class.
        deadline: Seconds for all of it.

    Returns:
        For each subject, what became of its checks. One that was at work at the deadline has failed.

    Raises:
        Failure: The checks could not be run.
    """
    if not subjects:
        return ()
    with tempfile.TemporaryDirectory(prefix="agentrelay-check-") as folder:
        place = Path(folder)
        outcomes = place / "outcomes.jsonl"
        (place / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
        module = place / "test_subjects.py"
        module.write_text(module_text(subjects), encoding="utf-8")
        late = _pytest(place, module, outcomes, deadline)
        events = list(_events(outcomes))
    unreadable = [event["message"] for event in events if event["event"] == "unreadable"]
    if unreadable:
        raise Failure(f"the checks could not be read; `pip check` may tell why:\n{_end(unreadable[0])}", NOT_READY)
    found = tuple(tuple(_checks(events, f"::{CLASS}{number}::", late)) for number in range(len(subjects)))
    empty = [subject.title for subject, checks in zip(subjects, found, strict=True) if not checks]
    if empty:
        why = f": {late}" if late else ""
        raise Failure(f"no check of {empty[0]} was begun{why}; `pip check` may tell why", NOT_READY)
    return found


def _pytest(place: Path, module: Path, outcomes: Path, deadline: float) -> str:
    """Run pytest; what to say of what it did not get to, empty where it ended by itself."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    for plugin in _PLUGINS:
        argv += ["-p", plugin]
    argv += [OPTION, str(outcomes), "-c", str(place / "pytest.ini"), "--rootdir", str(place), str(module)]
    try:
        done = run_captured(argv, cwd=place, env=_environment(), deadline=deadline)
    except ProcessTimeoutError:
        return f"it was not over within {deadline:g} s, the time for all checks; `--timeout` gives more"
    except ProcessError as error:
        raise Failure(f"pytest cannot be run: {error}; see `agentrelay doctor`", NOT_READY) from error
    if done.returncode in _RAN or (outcomes.exists() and '"unreadable"' in outcomes.read_text("utf-8")):
        return ""
    said = _end((done.stdout + done.stderr).decode(errors="replace"))
    if not outcomes.exists():
        raise Failure(f"pytest could not run the checks (exit {done.returncode}); see `pip check`:\n{said}", NOT_READY)
    return f"it ended pytest itself (exit {done.returncode})"


def _environment() -> dict[str, str]:
    """Ours without what is meant for the pytest of the user's own project, or for a run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "AGENTRELAY_")) or name == "AGENTRELAY_CONFIG_DIR"
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _events(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.exists():
        return
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # the last line of a pytest that was killed


def _checks(events: Sequence[Mapping[str, Any]], marker: str, late: str) -> Iterator[Check]:
    """What became of the checks of one class."""
    mine = [event for event in events if marker in event.get("check", "")]
    begun = [event["check"] for event in mine if event["event"] == "begun"]
    ended: dict[str, list[Mapping[str, Any]]] = {}
    for event in mine:
        if event["event"] == "ended":
            ended.setdefault(event["check"], []).append(event)
    for event in mine:
        if event["event"] != "collected":
            continue
        node = event["check"]
        name, says = node.rpartition("::")[2].removeprefix("test_"), event["says"]
        phases = ended.get(node, [])
        failed = next((phase for phase in phases if phase["outcome"] == "failed"), None)
        if failed is not None:
            yield Check(name=name, says=says, outcome="failed", message=plain_text(failed["message"]))
        elif any(phase["outcome"] == "skipped" for phase in phases):
            reason = next(phase["message"] for phase in phases if phase["outcome"] == "skipped")
            yield Check(name=name, says=says, outcome="skipped", message=plain_text(reason))
        elif phases:
            yield Check(name=name, says=says, outcome="proven")
        elif node in begun:
            yield Check(name=name, says=says, outcome="failed", message=late or "it did not end")
        else:
            yield Check(
                name=name, says=says, outcome="skipped", message="it was not begun, because an earlier one hung"
            )


def _end(text: str) -> str:
    return plain_text("\n".join(text.strip().splitlines()[-_LAST_LINES:]))
