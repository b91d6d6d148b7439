"""The six steps of a simulated task: each takes virtual time, may fail, and can be asked what it did before."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentrelay_core import (
    Agent,
    AgentAddress,
    AgentFailure,
    Parked,
    ProtocolViolation,
    Provider,
    TaskCompletionSignal,
    TaskRuntime,
    Throttled,
    Transient,
    hookimpl,
)
from simulation.world import HOUR, Attempt, SimulatedAgent, World


class Session:
    """One process's hold on the world: it lasts for so many happenings, then the process is no more.

    Args:
        world: What outlives it.
        lasts: How many happenings it lasts.
        end: Called when that number is reached.
    """

    def __init__(self, world: World, lasts: int, end: Callable[[], None]) -> None:
        self.world = world
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.dead = False
        self.looked: set[Attempt] = set()
        self.unknown: set[Attempt] = set()
        self._left = lasts
        self._end = end

    def happened(self) -> None:
        """Count a happening: an event was told, or an effect was made."""
        self._left -= 1
        if not self._left and not self.dead:
            self._end()

    async def takes(self, seconds: float) -> None:
        """Let virtual time go by; a process that has ended does not see the end of it."""
        await asyncio.sleep(seconds)
        self.ensure_alive()

    def ensure_alive(self) -> None:
        """Go no further in a process that has ended."""
        if self.dead:
            raise asyncio.CancelledError


class _Address(AgentAddress):
    def __init__(self, session: Session, agent: SimulatedAgent, label: str) -> None:
        self._session = session
        self._agent = agent
        self._label = label

    @property
    def label(self) -> str:
        return self._label

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        if not self._session.dead and self._agent.stopped is None:
            self._agent.stopped = self._session.loop.time()
            self._session.happened()

    def cpu_seconds(self) -> float:
        return self._agent.cpu_seconds(self._session.loop.time())


class _Agent(Agent):
    def __init__(self, address: AgentAddress) -> None:
        self._address = address

    def send_kickoff(self, instructions_path: str) -> None:
        """It is told by the step."""

    @property
    def address(self) -> AgentAddress:
        return self._address


class _Step:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.world = session.world


def _attempt(runtime: TaskRuntime) -> Attempt:
    return runtime.task.id, runtime.state.attempt_num


class Preparing(_Step):
    """Makes a place."""

    async def prepare(self, runtime: TaskRuntime) -> None:
        dice = self.world.dice(runtime, "prepare")
        await self.session.takes(dice.uniform(0.1, 30))
        if dice.random() < 0.01:
            raise Transient("the fetch broke off")
        self.world.prepared.add(_attempt(runtime))
        runtime.state.branch_name = f"agentrelay/g/{runtime.task.id}"
        self.session.happened()
        await self.session.takes(0.1)

    async def reconcile(self, runtime: TaskRuntime) -> str:
        if _attempt(runtime) not in self.world.prepared:
            return "absent"
        runtime.state.branch_name = f"agentrelay/g/{runtime.task.id}"
        return "present"


class Launching(_Step):
    """Starts an agent, and finds it again."""

    async def launch(self, runtime: TaskRuntime) -> Agent:
        dice = self.world.dice(runtime, "launch")
        await self.session.takes(dice.expovariate(1 / 10))  # now and then longer than the deadline
        if dice.random() < 0.01:
            raise Throttled("a limit was reached", retry_after=dice.uniform(60, 5 * HOUR))
        agent = self.world.launch(runtime, self.session.loop.time())
        found = self._agent(runtime, agent)
        runtime.artifacts.agent_address = found.address
        self.session.happened()
        await self.session.takes(0.1)
        return found

    async def reconcile(self, runtime: TaskRuntime) -> Any:
        attempt = _attempt(runtime)
        agent = self.world.agents.get(attempt)
        if agent is None:
            return "absent"
        if attempt not in self.session.unknown and self.world.dice(runtime, "unknown").random() < 0.05:
            self.session.unknown.add(attempt)
            return "unknown"
        return "present", self._agent(runtime, agent)

    def _agent(self, runtime: TaskRuntime, agent: SimulatedAgent) -> Agent:
        return _Agent(_Address(self.session, agent, f"memory:{runtime.task.id}@{runtime.state.attempt_num}"))


class KickingOff(_Step):
    """Tells an agent what to do."""

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        dice = self.world.dice(runtime, "kickoff")
        await self.session.takes(dice.uniform(0.1, 20))
        if dice.random() < 0.01:
            raise AgentFailure("the agent did not acknowledge its instructions")
        self.world.kicked_off.add(_attempt(runtime))
        self.session.happened()

    async def reconcile(self, runtime: TaskRuntime) -> str:
        return "present" if _attempt(runtime) in self.world.kicked_off else "absent"


class Waiting(_Step):
    """Waits for the end that the agent's fate is."""

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        session, world, task_id = self.session, self.world, runtime.task.id
        agent = world.agents[_attempt(runtime)]
        now = session.loop.time()
        if agent.stopped is None and agent.fate == "hangs":
            await session.loop.create_future()
        if agent.stopped is None:
            await session.takes(max(0.0, agent.ends - now))
        if (agent.stopped is not None and agent.stopped < agent.ends) or agent.fate in ("dies", "hangs"):
            if agent.ends <= session.began or agent.stopped is not None:
                world.unwatched_ends[task_id] = world.unwatched_ends.get(task_id, 0) + 1
            return TaskCompletionSignal("failed", error="the agent died", ended="died")
        if agent.fate == "fails":
            return TaskCompletionSignal("failed", error="too hard", ended="failed")
        if agent.fate == "cheats":
            raise ProtocolViolation("two signals at once")
        if agent.fate == "breaks":
            raise RuntimeError("a bug of a plugin")
        if agent.fate == "asks" and task_id not in world.answered:
            world.waiting_for_person.add(task_id)
            raise Parked("a person must say which way to go")
        return TaskCompletionSignal("done", pr_url=f"memory:{task_id}@{runtime.state.attempt_num}", ended="done")


class Merging(_Step):
    """Merges an attempt's work."""

    async def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        dice = self.world.dice(runtime, "merge")
        await self.session.takes(dice.uniform(0.1, 20))
        chance = dice.random()
        if chance < 0.01:
            raise Transient("the push broke off")
        if chance < 0.02 and runtime.task.id not in self.world.answered:
            self.world.waiting_for_person.add(runtime.task.id)
            raise Parked("the target is checked out")
        self.world.merge(runtime)
        self.session.happened()
        await self.session.takes(0.5)

    async def reconcile(self, runtime: TaskRuntime) -> str:
        return "present" if self.world.merged.get(runtime.task.id) == runtime.state.attempt_num else "absent"


class TearingDown(_Step):
    """Stops what is left of an attempt."""

    async def teardown(self, runtime: TaskRuntime) -> None:
        if self.session.dead:
            return
        await self.session.takes(self.world.dice(runtime, "teardown").uniform(0.1, 10))
        agent = self.world.agents.get(_attempt(runtime))
        if agent is not None and agent.stopped is None:
            agent.stopped = self.session.loop.time()
        self.session.happened()


class SimulatedPlugin:
    """Provides the simulated steps for every key.

    Args:
        session: The process that the steps belong to.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def _provide(self, step: type[_Step]) -> list[Provider[Any]]:
        made = step(self._session)
        return [Provider(factory=lambda context: made)]

    @hookimpl
    def agentrelay_task_preparer(self) -> list[Provider[Any]]:
        return self._provide(Preparing)

    @hookimpl
    def agentrelay_task_launcher(self) -> list[Provider[Any]]:
        return self._provide(Launching)

    @hookimpl
    def agentrelay_task_kickoff(self) -> list[Provider[Any]]:
        return self._provide(KickingOff)

    @hookimpl
    def agentrelay_task_completion_checker(self) -> list[Provider[Any]]:
        return self._provide(Waiting)

    @hookimpl
    def agentrelay_task_merger(self) -> list[Provider[Any]]:
        return self._provide(Merging)

    @hookimpl
    def agentrelay_task_teardown(self) -> list[Provider[Any]]:
        return self._provide(TearingDown)
