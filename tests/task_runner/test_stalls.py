"""Agents that do nothing any more: who is warned of, who is stopped, and who is given more time."""

import asyncio

import attrs
import pytest
from memory_steps import Steps, make_runner, make_runtime

from agentrelay_core import Deadlines, TaskStatus, TearDownMode
from agentrelay_core.task_runner.stalls import REPEAT, SLOWEST, Stall, Stalls, duration
from agentrelay_core.task_runner.watchdog import GAP, Interruption, Watchdog

MINUTE = 60.0


class Told:
    """A stall whose words are kept."""

    def __init__(self, **deadlines):
        self.warnings, self.stops = [], []
        self.runtime = make_runtime(deadlines=Deadlines(**deadlines) if deadlines else None)
        self.stall = Stall(self, 0.0)

    def warn(self, message):
        self.warnings.append(message)

    def hung(self, reason):
        self.stops.append(reason)


@pytest.mark.fault("A12")
def test_people_are_warned_once_and_then_hourly():
    """A quarter of an hour without progress is told, and again an hour later, not at each look."""
    told = Told()
    for minute in range(1, 91):
        told.stall.judge(minute * MINUTE, progressed=False)
    assert [warning.partition(":")[0] for warning in told.warnings] == [
        "no progress for 15 min",
        "no progress for 1 h 15 min",
    ]
    assert REPEAT == 60 * MINUTE
    assert "`agentrelay logs a`; it is stopped after 4 h in all" in told.warnings[0]
    assert told.stops == []


@pytest.mark.fault("A12")
def test_progress_starts_the_clock_anew():
    """Only silence without a break counts."""
    told = Told(stall=10 * MINUTE, stall_stop=20 * MINUTE)
    for minute in range(1, 100):
        told.stall.judge(minute * MINUTE, progressed=minute % 9 == 0)
    assert (told.warnings, told.stops) == ([], [])


@pytest.mark.fault("A12")
def test_past_its_limit_it_is_stopped():
    """The reason begins with the outcome and says how long nothing happened, and which setting it was."""
    told = Told(stall=5 * MINUTE, stall_stop=20 * MINUTE)
    for minute in range(1, 21):
        told.stall.judge(minute * MINUTE, progressed=False)
    assert told.warnings == [
        "no progress for 5 min: no new output, files, commits or CPU time; see `agentrelay logs a`; "
        "it is stopped after 20 min"
    ]
    assert told.stops == ["hung: no progress for 20 min; the task's deadlines.stall_stop is 20 min"]


def test_deadlines_are_read_when_they_are_needed():
    """A limit that is extended while the agent is waited for is the one that holds."""
    told = Told(stall_stop=20 * MINUTE)
    told.runtime.task = attrs.evolve(told.runtime.task, deadlines=Deadlines(stall_stop=40 * MINUTE))
    told.stall.judge(39 * MINUTE, progressed=False)
    assert told.stops == []
    told.stall.judge(40 * MINUTE, progressed=False)
    assert told.stops == ["hung: no progress for 40 min; the task's deadlines.stall_stop is 40 min"]


@pytest.mark.fault("A13")
def test_an_agent_that_waits_for_input_is_told_of_and_not_stopped():
    """Each question is told once; the clock of progress begins when the last one is answered."""
    told = Told(stall=5 * MINUTE, stall_stop=10 * MINUTE)
    for minute in range(1, 60):
        told.stall.judge(minute * MINUTE, progressed=False, question="May I run rm?")
    told.stall.judge(60 * MINUTE, progressed=False, question="")
    told.stall.judge(61 * MINUTE, progressed=True)
    told.stall.judge(70 * MINUTE, progressed=False)
    assert told.warnings == [
        "the agent waits for input: May I run rm?",
        "the agent waits for input: it does not say what for",
        "no progress for 9 min: no new output, files, commits or CPU time; see `agentrelay logs a`; "
        "it is stopped after 10 min",
    ]
    assert told.stops == []
    told.stall.judge(71 * MINUTE, progressed=False)
    assert len(told.stops) == 1


def test_an_agent_that_waits_for_a_limit_to_end_is_no_stall():
    """However long it rests, nobody is warned and nothing is stopped; the clock begins when it works again."""
    told = Told(stall=5 * MINUTE, stall_stop=10 * MINUTE)
    told.runtime.artifacts.resting = True
    for minute in range(1, 60):
        told.stall.judge(minute * MINUTE, progressed=False)
    told.runtime.artifacts.resting = False
    told.stall.judge(66 * MINUTE, progressed=False)
    assert (len(told.warnings), told.stops) == (1, [])
    told.stall.judge(69 * MINUTE, progressed=False)
    assert len(told.stops) == 1


def test_looks_are_a_fraction_of_the_shortest_deadline():
    """The defaults need a look every three minutes; short ones need more, but not without end."""
    assert Told().stall.pause == SLOWEST
    assert Told(stall=100.0, stall_stop=50.0).stall.pause == 10.0
    assert Told(stall=0.001).stall.pause == 0.05


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.5, "0.5 s"), (42.4, "42 s"), (90, "1 min 30 s"), (900, "15 min"), (3600, "1 h"), (4500, "1 h 15 min")],
)
def test_durations_are_shown_in_two_units(seconds, shown):
    """What is said to people is short."""
    assert duration(seconds) == shown


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def _waiting(watchdog, seconds):
    """A task that waits with a deadline, and its wait."""
    begun = asyncio.get_running_loop().create_future()

    async def run():
        wait = watchdog.watch()
        watchdog.begin(wait, seconds)
        watchdog.look()
        begun.set_result(wait)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return wait.taken_back()

    task = asyncio.create_task(run())
    return task, await begun


@pytest.mark.fault("O15")
async def test_nobody_is_overdue_at_the_first_look_after_a_gap():
    """Time in which we did not run counts for no wait; what was left before it is left after it."""
    clock = Clock()
    watchdog = Watchdog(clock)
    task, wait = await _waiting(watchdog, 100.0)
    clock.now += 3600.0
    watchdog.look()
    await asyncio.sleep(0)
    assert not task.done()
    assert wait.due == pytest.approx(clock.now + 100.0, abs=1.0)
    watchdog.forget(wait)
    task.cancel()


@pytest.mark.fault("O15")
async def test_no_agent_is_hung_at_the_first_look_after_a_gap():
    """A gap that is longer than the limit of a stall is no stall: the clock of progress begins anew."""
    loop, stalls, told = asyncio.get_running_loop(), Stalls(), Told(stall=10.0, stall_stop=20.0)
    stalls.watch(told)
    stalls.tick(1000.0, after_gap=False)
    await _looked(loop, stalls, 1010.0)
    await _looked(loop, stalls, 4600.0, after_gap=True)
    assert (told.warnings, told.stops) == ([], [])
    await _looked(loop, stalls, 4612.0)
    assert [warning.partition(":")[0] for warning in told.warnings] == ["no progress for 12 s"]
    await _looked(loop, stalls, 4621.0)
    assert len(told.stops) == 1
    stalls.forget(told)
    await _looked(loop, stalls, 4700.0)
    assert len(told.stops) == 1


async def _looked(loop, stalls, now, after_gap=False):
    """A tick, and what its look in a thread comes to."""
    stalls.tick(now, after_gap=after_gap)
    while stalls._looking:
        looked = loop.create_future()
        loop.call_soon(looked.set_result, None)
        await looked


@pytest.mark.fault("O15")
async def test_a_look_that_is_a_little_late_finds_who_is_overdue():
    """A busy machine is no gap."""
    clock = Clock()
    watchdog = Watchdog(clock)
    task, wait = await _waiting(watchdog, 2.0)
    clock.now += GAP - 1.0
    watchdog.look()
    assert await task is Interruption.OVERDUE
    watchdog.forget(wait)


async def test_a_wait_is_ended_once():
    """While a wait that we ended unwinds, it is not ended again, which would look like a cancellation by others."""
    watchdog = Watchdog(Clock())
    task, wait = await _waiting(watchdog, 100.0)
    wait.interrupt(Interruption.HUNG)
    wait.interrupt(Interruption.OVERDUE)
    assert await task is Interruption.HUNG
    watchdog.forget(wait)


async def test_a_wall_budget_that_is_extended_holds():
    """The budget is read once more before it ends a wait."""
    limit = 0.3
    begun = asyncio.Event()

    async def wait_long(_):
        begun.set()
        await asyncio.Event().wait()

    steps, runtime = Steps(wait_for_completion=wait_long), make_runtime(deadlines=Deadlines(wall=limit))
    running = asyncio.create_task(make_runner(steps).run(runtime))
    await begun.wait()
    runtime.task = attrs.evolve(runtime.task, deadlines=Deadlines(wall=limit * 3))
    began = asyncio.get_running_loop().time()
    result = await running
    assert asyncio.get_running_loop().time() - began >= limit * 2
    assert result.error == f"AgentFailure: wait_for_completion did not end within {limit * 3:g} s"


@pytest.mark.fault("A12")
@pytest.mark.parametrize("deadlines", [{"wall": 0.1}, {"stall_stop": 0.1}])
@pytest.mark.parametrize("mode", [TearDownMode.NEVER, TearDownMode.ON_SUCCESS])
async def test_an_agent_that_is_given_up_is_stopped_whatever_teardown_does(deadlines, mode):
    """Another attempt may take its place; the wall budget holds as well as the limit of a stall."""
    steps, runtime = (
        Steps(wait_for_completion=lambda _: asyncio.Event().wait()),
        make_runtime(deadlines=Deadlines(**deadlines)),
    )
    result = await make_runner(steps).run(runtime, teardown_mode=mode)
    assert result.status is TaskStatus.FAILED
    assert steps.log[-1] == "agent stopped"
    assert result.error.startswith(("AgentFailure: hung: no progress for ", "AgentFailure: wait_for_completion"))
    assert ("stall_stop" in deadlines) == ("hung" in result.error)


async def test_a_plugins_address_that_cannot_tell_is_no_trouble():
    """An address whose CPU time cannot be told, and raises, leaves the other traces to decide."""

    def broken():
        raise RuntimeError("no idea")

    events = []
    steps = Steps(wait_for_completion=lambda _: asyncio.Event().wait())
    runtime = make_runtime(deadlines=Deadlines(stall=0.1, stall_stop=0.3))
    runner = make_runner(steps, on_event=events.append)

    async def launch(_):
        from memory_steps import MemoryAgent

        agent = MemoryAgent(steps.log)
        agent.address.cpu_seconds = broken
        return agent

    steps.replaced["launch"] = launch
    result = await runner.run(runtime)
    assert "hung: no progress for" in result.error
    assert [event.kind for event in events if event.kind == "task_warning"] == ["task_warning"]
