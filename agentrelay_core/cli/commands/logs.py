"""``agentrelay logs``: what a task's agent printed, afterwards or as it goes."""

import codecs
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import OK, WRONG_USAGE
from agentrelay_core.cli.options import repository_option, state_dir_option
from agentrelay_core.cli.records import find_record, is_driven
from agentrelay_core.journal.reader import read_state
from agentrelay_core.journal.state import RunState
from agentrelay_core.orchestrator.places import journal_path, repository_root
from agentrelay_core.runtime.status import ENDED
from agentrelay_core.runtime.untrusted_text import plain_text
from agentrelay_core.signals.layout import signal_directory
from agentrelay_core.spec.suggestions import did_you_mean, listing

PAUSE: Final = 0.5  # seconds between looks at a log that is followed
LOG: Final = "agent.log"
_CHUNK: Final = 65536  # bytes


@click.command("logs")
@click.argument("task")
@click.argument("graph", required=False)
@repository_option
@state_dir_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the attempt ends.")
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt, from 1 (default: the latest).")
def command(
    task: str, graph: str | None, repository: str, state_dir: str | None, follow: bool, attempt: int | None
) -> int:
    """Show what TASK's agent printed, without what a terminal would act upon; GRAPH is a file or a name."""
    folder_of_run = find_record(graph, repository, state_dir)
    state = read_state(journal_path(folder_of_run))
    record = state.tasks.get(task)
    if record is None:
        hint = did_you_mean(task, state.tasks) or f"its tasks are {listing(state.tasks)}"
        raise Failure(f"the graph '{state.graph}' has no task '{task}'; {hint}", WRONG_USAGE)
    number = record.attempt_num if attempt is None else attempt - 1
    folder = signal_directory(repository_root(Path(repository)), state.graph, task, state.run_id, number)
    if not follow and not (folder / LOG).is_file():
        raise Failure(_nothing(folder, task, state), WRONG_USAGE)
    for text in _follow(folder / LOG, folder_of_run, task, number) if follow else _read(folder / LOG):
        sys.stdout.write(text)
        sys.stdout.flush()
    return OK


def _nothing(folder: Path, task: str, state: RunState) -> str:
    record = state.tasks[task]
    said = f"there is no {LOG} of attempt {folder.name.rpartition('-')[2]} of '{task}', which is {record.status.value}"
    if record.label:
        said += f"; its agent is {plain_text(record.label)}"
    if folder.is_dir():
        return f"{said}; look into {folder}"
    return f"{said}; see `agentrelay status {state.graph}`"


def _read(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield plain_text(decoder.decode(chunk))
    yield plain_text(decoder.decode(b"", final=True))


def _follow(path: Path, state_dir: Path, task: str, number: int) -> Iterator[str]:
    """Text as it comes, until the attempt has ended or nobody drives the run any more; whole lines where possible."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    position, rest = 0, ""
    while True:
        over = _is_over(state_dir, task, number)  # asked before reading, so that the last words are read
        if path.is_file():
            with path.open("rb") as file:
                if (size := path.stat().st_size) < position:  # its middle was left out, since it had become too large
                    position, rest = max(0, size - _CHUNK), "\n[the log was shortened meanwhile]\n"
                file.seek(position)
                while chunk := file.read(_CHUNK):
                    position += len(chunk)
                    # An escape sequence must not be cut in two, or its end would be shown.
                    lines, newline, rest = (rest + decoder.decode(chunk)).rpartition("\n")
                    yield plain_text(lines + newline)
        if over:
            yield plain_text(rest + decoder.decode(b"", final=True))
            return
        time.sleep(PAUSE)


def _is_over(state_dir: Path, task: str, number: int) -> bool:
    state = read_state(journal_path(state_dir))
    record = state.tasks[task]
    ended = record.status in ENDED or record.attempt_num > number
    return ended or state.outcome is not None or not is_driven(state_dir)
