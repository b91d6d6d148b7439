"""Reading: what is damaged, foreign, newer or absent is refused by name and left untouched."""

import sqlite3
from pathlib import Path

import pytest

from agentrelay_core.journal import Journal, JournalError, TaskRecord, read_events, read_state
from agentrelay_core.runtime import Event, IntegrationFailureClass, TaskStatus

GOLDEN = Path(__file__).parent / "golden" / "schema1.sqlite"


def written(path: Path, count: int = 300) -> Path:
    journal = Journal.open(path)
    for number in range(count):
        journal.append(Event(kind="log", task_id=f"t{number}", message="x" * 100))
    journal.close()
    return path


def test_no_journal_yet(tmp_path: Path) -> None:
    """Without a file the error says how to get one, and makes none."""
    with pytest.raises(JournalError, match="nothing was run yet"):
        list(read_events(tmp_path / "journal.sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_a_journal_without_events_is_an_empty_run(tmp_path: Path) -> None:
    """A file that was just made, even before its tables are, holds no events."""
    path = tmp_path / "journal.sqlite"
    path.touch()
    assert list(read_events(path)) == []
    Journal.open(path).close()
    assert read_state(path).run_id == ""


@pytest.mark.fault("O10")
def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A journal of a later version is neither read nor written, and the error says to upgrade."""
    path = written(tmp_path / "journal.sqlite")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    before = path.read_bytes()
    for act in (lambda: Journal.open(path), lambda: list(read_events(path))):
        with pytest.raises(JournalError, match=r"has schema 3, .* reads up to 2\. .*pip install --upgrade"):
            act()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\x00" * 8192])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file of other content is left as it is."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    for act in (lambda: Journal.open(path), lambda: list(read_events(path))):
        with pytest.raises(JournalError, match=r"is damaged: .* left as it is\. Copy the directory"):
            act()
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A database that is not a journal is left as it is."""
    path = tmp_path / "journal.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    for act in (lambda: Journal.open(path), lambda: list(read_events(path))):
        with pytest.raises(JournalError, match="another program"):
            act()


@pytest.mark.fault("O10")
def test_flipped_bytes_are_refused(tmp_path: Path) -> None:
    """A damaged page is found when the journal is opened, and the file is not mended."""
    path = written(tmp_path / "journal.sqlite", 2000)
    content = bytearray(path.read_bytes())
    content[4096 * 10 : 4096 * 10 + 64] = b"\xff" * 64
    path.write_bytes(content)
    for act in (lambda: Journal.open(path), lambda: list(read_events(path))):
        with pytest.raises(JournalError, match="is damaged"):
            act()
    assert path.read_bytes() == content


@pytest.mark.fault("O10")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DELETE FROM events WHERE sequence = 7", "should hold 20 events and holds 19"),
        ("UPDATE events SET kind = 'task_started', data = '{' WHERE sequence = 7", "the data of event 7 is unreadable"),
        ("UPDATE events SET kind = 'task_finished', data = '{\"status\": 1}' WHERE sequence = 7", r"event 7 \(task_f"),
    ],
)
def test_a_tampered_record_is_refused(tmp_path: Path, change: str, found: str) -> None:
    """A missing or senseless event is named, never passed over."""
    path = written(tmp_path / "journal.sqlite", 20)
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TRIGGER no_update; DROP TRIGGER no_delete; {change}")
    connection.close()
    with pytest.raises(JournalError, match=found):
        read_state(path)


def test_a_missing_event_is_named(tmp_path: Path) -> None:
    """Reading event by event stops where one is missing."""
    path = written(tmp_path / "journal.sqlite", 20)
    connection = sqlite3.connect(path)
    connection.executescript("DROP TRIGGER no_delete; DELETE FROM events WHERE sequence = 7")
    connection.close()
    events = read_events(path)
    assert [next(events)[0] for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(JournalError, match="event 7 is missing"):
        next(events)


@pytest.mark.fault("O19")
def test_the_golden_journal_of_schema_1_is_read(tmp_path: Path) -> None:
    """A journal that an earlier version wrote gives the same state, and can be gone on with."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(GOLDEN.read_bytes())
    state = read_state(path)
    assert (state.run_id, state.graph, state.outcome) == ("20250101T000000Z-beef", "counter", "failed")
    assert state.sequence == 19
    assert list(state.tasks) == ["spec", "counter", "docs", "later"]
    assert state.tasks["spec"] == TaskRecord(
        id="spec",
        workstream_id="default",
        status=TaskStatus.PR_MERGED,
        branch="agentrelay/counter/spec",
        pr_url="agentrelay+local:counter/1",
        label="process:4711",
        started_at=1735689602.0,
        finished_at=1735689608.0,
        concerns=("the specification is vague: 50 °C \U0001f321",),
    )
    assert state.tasks["docs"].failure_class is IntegrationFailureClass.EXPECTED_TASK_FAILURE
    assert (state.tasks["docs"].attempt_num, state.tasks["docs"].status) == (1, TaskStatus.FAILED)
    assert state.tasks["later"].blocked_by == ("docs",)
    assert state.workstreams["default"].merged is False
    journal = Journal.open(path)
    journal.append(Event(kind="run_resumed"))
    journal.close()
    assert read_state(path).outcome is None
