"""Simulated weeks of runs that are killed, left, throttled and parked: nothing that must hold is ever broken."""

import asyncio
import os

import pytest
from pytest_agentrelay.virtual_loop import StuckError, VirtualLoop
from simulation import simulate
from simulation.steps import Launching, Merging

DAY = 86_400.0
COMPARED = int(os.environ.get("AGENTRELAY_SIMULATED_TASKS", "600"))
LARGE = max(COMPARED, 2000)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_broken_in_weeks_of_kills_and_failures(seed, tmp_path):
    """Dependencies, limits, attempts, merges and records hold at each event, and the run ends."""
    report = simulate(seed, 200, tmp_path, restarts=5)
    assert not report.violations, report.violations[:5]
    assert report.merged > 150
    assert report.sessions > 3
    assert report.seconds > 3 * DAY


def test_a_seed_is_a_run(tmp_path):
    """The same seed tells the same story to the letter, and another one another."""
    first, again, other = (simulate(seed, 60, tmp_path / name) for seed, name in ((7, "a"), (7, "b"), (8, "c")))
    assert first == again
    assert first.digest != other.digest


@pytest.mark.parametrize(("step", "found"), [(Launching, "is launched twice"), (Merging, "is merged twice")])
def test_a_step_that_forgets_is_found_out(step, found, tmp_path, monkeypatch):
    """A world that does not find its own effects again is noticed, so the simulation can fail."""

    async def forget(self, runtime):
        return "absent"

    monkeypatch.setattr(step, "reconcile", forget)
    report = simulate(0, 60, tmp_path, restarts=12)
    assert any(found in violation for violation in report.violations)


def test_the_clock_jumps_and_a_wait_for_nothing_is_told():
    """A year is over at once, and what would wait for ever raises."""

    async def year():
        await asyncio.sleep(365 * DAY)
        await asyncio.get_running_loop().create_future()

    loop = VirtualLoop()
    waiting = loop.create_task(year())
    with pytest.raises(StuckError):
        loop.run_until_complete(waiting)
    assert loop.time() == pytest.approx(365 * DAY)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)
    loop.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_long_story_is_told_again_to_the_letter(tmp_path):
    """The same seed gives the same trace over weeks, sessions that are killed and budgets that outlive them."""
    first, again = (simulate(1, COMPARED, tmp_path / name, restarts=4, max_concurrency=128) for name in "ab")
    assert first == again
    assert not first.violations, first.violations[:5]
    assert first.sessions > 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_thousands_of_tasks_take_weeks_and_break_nothing(tmp_path):
    """With `tox -e simulation`, the size that we promise."""
    report = simulate(1, LARGE, tmp_path, restarts=4, max_concurrency=128)
    assert not report.violations, report.violations[:5]
    assert report.merged > 0.9 * LARGE
    assert report.seconds > LARGE / 10_000 * 14 * DAY
