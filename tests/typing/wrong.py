"""Plugins that type checkers must refuse: each line that ends in `# wrong` has an error, and no other has one."""

from collections.abc import Iterator, Sequence

from agentrelay_core import (
    AgentAddress,
    AgentCommand,
    EnvironmentHost,
    Framework,
    FrameworkType,
    Liveness,
    Progress,
    Provider,
    StepContext,
    TaskCompletionChecker,
    TaskCompletionSignal,
    TaskLauncher,
    TaskMerger,
    TaskRuntime,
    hookimpl,
)


class ShortMerger:
    """Without the pull request's URL."""

    def merge_pr(self, runtime: TaskRuntime) -> None: ...


class GreedyMerger:
    """With an argument that nobody gives."""

    def merge_pr(self, runtime: TaskRuntime, pr_url: str, force: bool) -> None: ...


class SyncChecker:
    """Would block every other task."""

    def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        return TaskCompletionSignal("done")


class IdLauncher:
    """A process's number is no agent."""

    def launch(self, runtime: TaskRuntime) -> int:
        return 1


class Talker:
    """Takes a text for progress."""

    def command(self, context: StepContext) -> AgentCommand:
        return AgentCommand(argv=("true",))

    def read_line(self, line: str) -> str:
        return line

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        return TaskCompletionSignal("perhaps")  # wrong


class Forgetful:
    """Cannot tell whether an agent is alive, nor show its output, nor end it."""

    def start(self, command: AgentCommand, context: StepContext) -> AgentAddress:
        raise NotImplementedError

    def wait(self, address: AgentAddress) -> int | None:
        return None


short: TaskMerger = ShortMerger()  # wrong
greedy: TaskMerger = GreedyMerger()  # wrong
blocking: TaskCompletionChecker = SyncChecker()  # wrong
launcher: TaskLauncher = IdLauncher()  # wrong
talker: Framework = Talker()  # wrong
host: EnvironmentHost = Forgetful()  # wrong
dead: Liveness = "dead"  # wrong


@hookimpl
def agentrelay_task_merger() -> Iterator[Provider[TaskMerger]]:
    yield Provider(factory=lambda context: ShortMerger())  # wrong


@hookimpl
def agentrelay_task_completion_checker() -> Iterator[Provider[TaskCompletionChecker]]:
    yield Provider(factory=lambda context: SyncChecker())  # wrong


@hookimpl
def agentrelay_task_launcher() -> Iterator[Provider[TaskMerger]]:
    yield TaskCompletionSignal("done")  # wrong


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    yield FrameworkType(name="talker", cls=Talker, default_environment="process")  # wrong
    yield FrameworkType(name="nowhere", cls=Framework)  # wrong


positional = Provider("factory")  # wrong
no_context = Provider(factory=lambda: ShortMerger())  # wrong
progress = Progress("typing")  # wrong
listed: list[FrameworkType] = agentrelay_frameworks()  # wrong
