"""A plugin that type checkers must accept, strictly and without a cast: what authors write, with annotations."""

# pyright: strict

from collections.abc import Iterator, Sequence
from typing import Any, Literal, assert_type

import attrs

from agentrelay_core import (
    Agent,
    AgentAddress,
    AgentCommand,
    AgentEnvironment,
    EnvironmentHost,
    EnvironmentType,
    Evidence,
    Forge,
    ForgeProvider,
    Framework,
    FrameworkType,
    Liveness,
    Progress,
    Provider,
    PullRequest,
    RunInfo,
    StepContext,
    TaskCompletionChecker,
    TaskCompletionSignal,
    TaskKickoff,
    TaskLauncher,
    TaskMerger,
    TaskPreparer,
    TaskRuntime,
    TaskTeardown,
    hookimpl,
)


@attrs.frozen(kw_only=True)
class Options:
    """Options by type."""

    level: int = 1


class Structural:
    """A framework by its shape alone."""

    def command(self, context: StepContext) -> AgentCommand:
        return AgentCommand(argv=("true",), env={"LEVEL": str(context.options.level)})

    def read_line(self, line: str) -> Progress | None:
        return Progress(kind="line", message=line)

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        return TaskCompletionSignal("done" if exit_code == 0 else "failed", concerns=tuple(last_lines))


class Inheriting(Framework):
    """A framework that leaves out what it does not read."""

    def command(self, context: StepContext) -> AgentCommand:
        return AgentCommand(argv=["true"])

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        return TaskCompletionSignal("done")


@attrs.frozen(kw_only=True)
class Place(AgentEnvironment):
    """An environment with a key."""

    name: str = ""


class Address(AgentAddress):
    """Where an agent lives."""

    @property
    def label(self) -> str:
        return "here"

    async def teardown(self, signal_dir: Any = None, keep_panes: bool = False) -> None:
        return None


class Host:
    """Its methods are ``def`` and ``async def`` as it likes."""

    async def start(self, command: AgentCommand, context: StepContext) -> Address:
        return Address()

    async def wait(self, address: AgentAddress) -> int | None:
        return 0

    def is_alive(self, address: AgentAddress) -> Liveness:
        return "ended"

    def output(self, address: AgentAddress) -> bytes:
        return b""

    def stop(self, address: AgentAddress) -> None:
        return None

    def adopt(self, data: Any) -> Address | None:
        return None


class Clerk(Agent):
    """An agent."""

    @property
    def address(self) -> Address:
        return Address()

    def send_kickoff(self, instructions_path: str) -> None:
        return None


class Steps:
    """All six steps in one class, plain and asynchronous."""

    def prepare(self, runtime: TaskRuntime) -> None:
        runtime.progress("preparing")

    async def launch(self, runtime: TaskRuntime) -> Clerk:
        return Clerk()

    def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        agent.send_kickoff("instructions.md")

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        return TaskCompletionSignal(outcome="done")

    async def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        return None

    def teardown(self, runtime: TaskRuntime) -> None:
        return None

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present", "unknown"]:
        return "absent"


class Requests:
    """A forge."""

    def find(self, head: str, base: str) -> PullRequest | None:
        return None

    async def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        return PullRequest(url="", head=head, base=base, title=title)

    def state(self, pr: str) -> PullRequest:
        return PullRequest(url=pr, head="", base="")

    def merge(self, pr: str, head_sha: str) -> str:
        return head_sha


def make(context: StepContext) -> Steps:
    """One factory for all steps."""
    return Steps()


def host(environment: Place) -> Host:
    """A host of an environment of its own class."""
    return Host()


def forge(run: RunInfo) -> Requests:
    """A forge of a run."""
    return Requests()


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    yield FrameworkType(name="a", cls=Structural, default_environment="place", options=Options, needs=("true",))
    yield FrameworkType(name="b", cls=Inheriting, default_environment="place")


@hookimpl
def agentrelay_environments() -> Iterator[EnvironmentType]:
    yield EnvironmentType(name="place", cls=Place, host=host)


@hookimpl
def agentrelay_forges() -> list[ForgeProvider]:
    return [ForgeProvider(name="f", recognises=lambda url: False, factory=forge)]


@hookimpl
def agentrelay_task_launcher() -> Iterator[Provider[TaskLauncher]]:
    yield Provider(factory=make, framework="a", environment=Place, needs=("true",))


# `Provider` is covariant: one of a class is one of each protocol that the class fits.
steps = Provider(factory=make)
assert_type(steps, Provider[Steps])
preparer: Provider[TaskPreparer] = steps
launcher: Provider[TaskLauncher] = steps
kickoff: Provider[TaskKickoff] = steps
checker: Provider[TaskCompletionChecker] = steps
merger: Provider[TaskMerger] = steps
teardown: Provider[TaskTeardown] = steps

# The marker keeps a function's type.
assert_type(agentrelay_frameworks(), Iterator[FrameworkType])
assert_type(agentrelay_forges(), list[ForgeProvider])

# Protocols are met by shape.
framework: Framework = Structural()
place: EnvironmentHost = Host()
requests: Forge = Requests()
evidence = Evidence(head="", base="", changed=True)
assert_type(evidence.changed, bool)
