"""The protocol directories of attempts that are over: they go, unless they hold what the protocol does not know.

The one of each task's latest attempt stays, because `agentrelay logs` shows what is in it.
"""

import shutil
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from agentrelay_core.orchestrator.repair.plan import Fate, Removal
from agentrelay_core.orchestrator.repair.recorded import RecordedRun
from agentrelay_core.runtime.environment import HELPER_DIRECTORY, INSTRUCTIONS
from agentrelay_core.signals import layout
from agentrelay_core.task_runner.gate import GATE_LOG
from agentrelay_core.task_runner.repairs import Leftover
from agentrelay_core.task_runner.traces import WAITING_INPUT

_OF_THE_PROTOCOL: Final = frozenset(
    {
        *(layout.MANIFEST, layout.POLICIES, layout.CONTEXT, layout.DONE, layout.FAILED),
        *(layout.CONCERNS, layout.OUTPUTS, INSTRUCTIONS, GATE_LOG),
        *("agent.log", ".merged", WAITING_INPUT, f"{HELPER_DIRECTORY}/{layout.HELPER}"),
    }
)
_HALF_MADE: Final = ".part"


def stale_signal_directories(run: RecordedRun) -> Iterator[Removal]:
    """What becomes of the directories of attempts that are over.

    Args:
        run: The run; directories of runs that its journal does not know are nobody's business.
    """
    for path in sorted(_signals(run.repository, run.graph).glob("*/*")):
        half = path.name.startswith(".") and path.name.endswith(_HALF_MADE)
        name = path.name.removeprefix(".").removesuffix(_HALF_MADE) if half else path.name
        run_id, _, number = name.rpartition("-")
        if (
            run_id not in run.run_ids
            or not number.isdecimal()
            or not is_signal_directory(run.repository, run.graph, path)
        ):
            continue
        task_id, attempt = path.parent.name, int(number)
        record = run.state.tasks.get(task_id)
        if not half and record is not None and run_id == run.state.run_id and attempt >= record.attempt_num:
            continue
        if any(agent.marker[1] == str(path) and run.is_at_work(agent) for agent in run.agents):
            continue
        leftover = Leftover(kind="directory", name=str(path), task_id=task_id, attempt_num=attempt, run_id=run_id)
        strange = _strange(path, run.protocol_files)
        if strange:
            reason = f"it holds {strange}, which is no file of the protocol"
            yield Removal(leftover=leftover, fate=Fate.KEEP, reason=reason)
        else:
            yield Removal(leftover=leftover, fate=Fate.REMOVE)


def is_signal_directory(repository: Path, graph: str, path: Path) -> bool:
    """Whether a path is that of an attempt's directory, and no link on the way leads anywhere else.

    Args:
        repository: Root of the user's repository.
        graph: The graph's name.
        path: The path.
    """
    inside = path.parent.parent == _signals(repository, graph)
    return inside and path.is_dir() and path.resolve() == repository.resolve() / path.relative_to(repository)


def remove_signal_directory(path: Path, protocol_files: Collection[str]) -> None:
    """Remove an attempt's directory and the task's, if that is empty then; what was put into it meanwhile stays.

    Args:
        path: The directory.
        protocol_files: Patterns of what goes with it beside the protocol's own files.
    """
    if path.is_dir() and not _strange(path, protocol_files):
        shutil.rmtree(path)
    for parent in list(path.parents)[:4]:  # the task's, signals, the graph's, .workflow
        try:
            parent.rmdir()
        except OSError:  # in use, or gone
            return


def _signals(repository: Path, graph: str) -> Path:
    return repository / ".workflow" / graph / "signals"


def _strange(path: Path, protocol_files: Collection[str]) -> str:
    """What in an attempt's directory is neither the protocol's nor a framework's; empty where there is nothing."""
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if name in _OF_THE_PROTOCOL or (found.is_dir() and not found.is_symlink()):
            continue  # an empty directory holds nothing
        if not any(_matches(name, pattern) for pattern in protocol_files):
            return name
    return ""


def _matches(name: str, pattern: str) -> bool:
    """Whether a path matches a pattern, directory by directory."""
    names, patterns = name.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
