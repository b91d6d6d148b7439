"""What plugins' factories are given, and what their products exchange with the steps.

These are in no declaration: whoever only asks what a plugin provides does not load them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from agentrelay_core.hooks.records import names_of
from agentrelay_core.spec import RunSettings, WorkstreamSpec

if TYPE_CHECKING:
    from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider, FrameworkType
    from agentrelay_core.runtime import AgentAddress, TaskRuntime
    from agentrelay_core.task_runner import TaskCompletionSignal


@attrs.frozen(kw_only=True)
class RunInfo:
    """What a plugin's factory may know of the run.

    Args:
        run_id: The run's id.
        graph_name: The graph's name.
        repository: The user's repository, `None` for a run without one.
        state_dir: The run's directory for what agents must not reach; exists, mode 0700.
        dependency_descriptions: For each task id, its dependencies' ids and descriptions.
        settings: The effective settings of the run.
        workstreams: The graph's workstreams.
        plugin_options: The ``[options.<distribution>]`` of the plugin that is asked.
        forges: The forges that are installed, for the plugin that keeps the workspace.
        report: Tells people and the journal what a workstream's integration waits for: its id, and what that is. To be
            called from whichever thread; `None` where nobody listens.
        helper_fds: Descriptors (the run's lock) that short-lived helper processes inherit, so that the next owner of
            the run waits for the last helper of a dead one.
    """

    run_id: str
    graph_name: str
    repository: Path | None
    state_dir: Path
    dependency_descriptions: Mapping[str, Mapping[str, str | None]] = attrs.field(factory=dict, hash=False)
    settings: RunSettings = RunSettings()
    workstreams: tuple[WorkstreamSpec, ...] = attrs.field(default=(), hash=False)
    plugin_options: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    forges: tuple[ForgeProvider, ...] = ()
    helper_fds: tuple[int, ...] = ()
    report: Callable[[str, str], None] | None = attrs.field(default=None, eq=False)


# Without slots, because a frozen instance with them takes longer to be made, and every step's factory is given one.
@attrs.frozen(kw_only=True, slots=False)
class StepContext:
    """What a step's factory is given.

    Args:
        runtime: The task.
        run: The run.
        options: The framework's options as an instance of its ``options`` class, else a plain mapping.
        framework: The record of the task's framework, `None` where no plugin declares it.
        environment: The record of the task's environment, `None` where no plugin declares it.
    """

    runtime: TaskRuntime
    run: RunInfo
    options: Any = attrs.field(factory=dict, hash=False)
    framework: FrameworkType | None = None
    environment: EnvironmentType | None = None


@attrs.frozen(kw_only=True)
class AgentCommand:
    """A program to be started as an agent.

    Args:
        argv: The program and its arguments.
        env: Variables that the framework adds to the agent's environment; the launcher completes them with those of
            ``agent_environment`` before a host sees the command.
        stdin: File whose content is the program's standard input; `None` means empty, ``/dev/tty`` the terminal of an
            environment that has one.
    """

    argv: tuple[str, ...] = attrs.field(converter=names_of)
    env: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    stdin: Path | None = None


@attrs.frozen(kw_only=True)
class Progress:
    """Something that a line of an agent's output says about its progress."""

    kind: str
    message: str = ""


class Framework(Protocol):
    """How an agent is told what to do, and how its output and its end are read.

    While an agent is waited for, one object reads its lines and then judges its end: what it read may be kept on it.
    A class that inherits from this one may leave out ``read_line``; its output is not read then.
    """

    def command(self, context: StepContext) -> AgentCommand:
        """The program to start for a task."""

    def read_line(self, line: str) -> Progress | None:
        """What a line of output says, or `None`; called in a thread."""
        return None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """What an end without a signal means; ``exit_code`` is `None` when it cannot be known."""


class EnvironmentHost(Protocol):
    """Runs a program somewhere. Methods may be ``def`` or ``async def``.

    A host may also have ``find(context) -> AgentAddress | None``: the agent that was started last in this very attempt,
    alive or ended, found from what the attempt is called alone. It serves when we were killed between the start and its
    record in the journal; without it, such an agent is not known and the attempt starts another. Of an agent that was
    being torn down nobody wants to know: what is left of it is ended, and the answer is `None`.

    ``find`` and ``adopt`` raise `Lost` when they cannot tell now; they are asked again.

    A host that can show an agent in a terminal has ``attach_command(address) -> Sequence[str] | None``: a program and
    its arguments that do so in the terminal in which they are started, `None` where there is nothing to see (any more).
    ``agentrelay attach`` asks it of a host made of the environment's defaults, with an address that ``adopt`` gave.
    """

    def start(self, command: AgentCommand, context: StepContext) -> AgentAddress | Awaitable[AgentAddress]:
        """Start the program in ``state.worktree_path``, its output going to ``agent.log``."""

    def wait(self, address: AgentAddress) -> int | None | Awaitable[int | None]:
        """Wait for its end; the exit code, `None` when it cannot be known."""

    def is_alive(self, address: AgentAddress) -> Liveness | Awaitable[Liveness]:
        """Whether it is alive; unknown is never dead."""

    def output(self, address: AgentAddress) -> bytes | Awaitable[bytes]:
        """What it printed so far."""

    def stop(self, address: AgentAddress) -> None | Awaitable[None]:
        """End it and everything that it started."""

    def adopt(self, data: Any) -> AgentAddress | None | Awaitable[AgentAddress | None]:
        """Find an agent again from what its address's ``to_json`` gave; `None` if that cannot be done."""


Liveness = Literal["alive", "ended", "unknown"]


@attrs.frozen(kw_only=True)
class PullRequest:
    """A pull request as a forge knows it.

    Args:
        url: Its URL.
        head: Its source branch.
        base: Its target branch.
        title: Its title.
        state: ``open``, ``merged`` or ``closed``.
        head_sha: The commit at the tip of its source, full hash, where known.
        merge_sha: The commit that merged it, full hash, once merged.
    """

    url: str
    head: str
    base: str
    title: str = ""
    state: Literal["open", "merged", "closed"] = "open"
    head_sha: str | None = None
    merge_sha: str | None = None


class Forge(Protocol):
    """Where pull requests live. Methods may be ``def`` or ``async def``."""

    def find(self, head: str, base: str) -> PullRequest | None | Awaitable[PullRequest | None]:
        """The pull request of a source and a target branch, or `None`."""

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest | Awaitable[PullRequest]:
        """Open a pull request; one that is open already is returned."""

    def state(self, pr: str) -> PullRequest | Awaitable[PullRequest]:
        """What has become of a pull request, by URL; `KeyError` if there is none."""

    def merge(self, pr: str, head_sha: str) -> str | Awaitable[str]:
        """Merge a pull request whose tip is ``head_sha``; return the merge commit. Merging again changes nothing."""
