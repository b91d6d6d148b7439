"""A run that is killed between two facts goes on from what is true: nothing is done twice, and nothing is left out."""

import signal

import pytest

from agentrelay_core.journal import read_events
from agentrelay_core.processes import find_marked


@pytest.fixture
def once(shell, tmp_path):
    """A run of one task is killed at a named place and typed again; gives the journal's events of the second."""
    said = tmp_path / "said"
    shell.graph(
        f"name: g\nagents: {{a: {{framework: command, command: 'echo $$ >> {said}; echo x > work.txt'}}}}\n"
        "defaults: {agent: a}\ntasks: {one: {description: x}}\n"
    )

    def once(place):
        killed = shell.start("run", AGENTRELAY_FAILPOINTS=f"{place}=kill")
        killed.communicate(timeout=240)
        assert killed.returncode == -signal.SIGKILL
        [journal] = (tmp_path / "state").rglob("journal.sqlite")
        before = len(list(read_events(journal)))
        assert "1 merged" in shell("run").stdout
        assert len(said.read_text().split()) == 1, "the agent was started twice"
        assert shell.git("rev-list", "--merges", "--count", "agentrelay/g@default") == "1"
        assert shell.git("show", "agentrelay/g@default:work.txt") == "x"
        events = [event for _, event in read_events(journal)]
        assert not find_marked("AGENTRELAY_RUN_ID", events[0].message)
        return events[before:]

    return once


def recovered(events):
    """The effects that were found done."""
    return {event.message for event in events if event.kind == "effect_recovered"}


@pytest.mark.fault("O1")
@pytest.mark.parametrize("effect", ["prepare", "launch", "publish", "merge"])
def test_killed_before_anything_is_recorded(once, effect):
    """The step is begun anew, and nothing of it is found."""
    assert effect not in recovered(once(f"{effect}:begin"))


@pytest.mark.fault("O2")
@pytest.mark.parametrize("effect", ["launch", "publish", "merge"])
def test_killed_between_intent_and_effect(once, effect):
    """The effect is not there, which is found out, and it is made."""
    assert effect not in recovered(once(f"{effect}:intent"))


@pytest.mark.fault("O3")
@pytest.mark.parametrize("effect", ["prepare", "launch", "merge"])
def test_killed_between_effect_and_its_record(once, effect):
    """The effect is there, is recorded as found, and is not made again."""
    assert effect in recovered(once(f"{effect}:effect"))
