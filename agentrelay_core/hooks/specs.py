"""The ten hooks, all of which return records. A plugin implements those it needs; each is asked once.

Every docstring holds a complete plugin, which a test runs. What a plugin does comes from the factories that it
declares; asking it what it provides must import nothing heavy. The hooks of the six steps are in ``step_specs.py``.
"""

from collections.abc import Iterable
from typing import Final

from agentrelay_core.hooks.markers import PROJECT, hookimpl, hookspec
from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider, FrameworkType, Provider, WorkspaceProvider
from agentrelay_core.hooks.step_specs import (
    agentrelay_task_completion_checker,
    agentrelay_task_kickoff,
    agentrelay_task_launcher,
    agentrelay_task_merger,
    agentrelay_task_preparer,
    agentrelay_task_teardown,
)

__all__ = [
    "PREFIX",
    "PROJECT",
    "RECORDS",
    "STEPS",
    "agentrelay_environments",
    "agentrelay_forges",
    "agentrelay_frameworks",
    "agentrelay_task_completion_checker",
    "agentrelay_task_kickoff",
    "agentrelay_task_launcher",
    "agentrelay_task_merger",
    "agentrelay_task_preparer",
    "agentrelay_task_teardown",
    "agentrelay_workspace",
    "hookimpl",
    "hookspec",
]


@hookspec
def agentrelay_environments() -> Iterable[EnvironmentType]:
    """Places where programs run. With the built-in steps, this hook alone makes every framework run there.

    A plugin that runs agents at a low priority; ``environment: {type: nice, level: 10}`` in a graph::

        import os
        import subprocess
        from pathlib import Path

        import attrs
        from agentrelay_core import AgentAddress, AgentEnvironment, EnvironmentType, hookimpl

        @attrs.frozen(kw_only=True)
        class Nice(AgentEnvironment):
            level: int = 10

        class NiceAddress(AgentAddress):
            def __init__(self, process):
                self.process = process

            @property
            def label(self):
                return f"pid {self.process.pid}"

            def teardown(self, signal_dir=None, keep_panes=False):
                self.process.kill()
                self.process.wait()

        class NiceHost:
            def __init__(self, environment):
                self.level = environment.level

            def start(self, command, context):
                state = context.runtime.state
                with (state.signal_dir / "agent.log").open("ab") as log:
                    argv = ["nice", "-n", str(self.level), *command.argv]
                    given = command.stdin or Path(os.devnull)
                    with given.open("rb") as stdin:
                        process = subprocess.Popen(
                            argv, cwd=state.worktree_path, env=dict(command.env), stdin=stdin, stdout=log, stderr=log
                        )
                process.log = state.signal_dir / "agent.log"
                return NiceAddress(process)

            def wait(self, address):
                return address.process.wait()

            def is_alive(self, address):
                return "alive" if address.process.poll() is None else "ended"

            def output(self, address):
                return address.process.log.read_bytes()

            def stop(self, address):
                address.teardown()

            def adopt(self, data):
                return None

        @hookimpl
        def agentrelay_environments():
            yield EnvironmentType(name="nice", cls=Nice, host=NiceHost, needs=("nice",))
    """
    return ()


@hookspec
def agentrelay_frameworks() -> Iterable[FrameworkType]:
    """Kinds of agents. With the built-in steps, this hook alone makes one run in every environment.

    A plugin for a program that takes its instructions as a file; ``framework: scribe`` in a graph::

        import attrs
        from agentrelay_core import AgentCommand, FrameworkType, Progress, TaskCompletionSignal, hookimpl

        @attrs.frozen(kw_only=True)
        class ScribeOptions:
            style: str = "plain"

        class Scribe:
            def command(self, context):
                instructions = context.runtime.state.signal_dir / "instructions.md"
                return AgentCommand(argv=("scribe", "--style", context.options.style, str(instructions)))

            def read_line(self, line):
                return Progress(kind="writing", message=line) if line.startswith("wrote ") else None

            def outcome(self, exit_code, last_lines):
                if exit_code == 0:
                    return TaskCompletionSignal("done")
                return TaskCompletionSignal("failed", error=f"exit {exit_code}: {' '.join(last_lines)}")

        @hookimpl
        def agentrelay_frameworks():
            yield FrameworkType(
                name="scribe", cls=Scribe, default_environment="process", options=ScribeOptions, needs=("scribe",)
            )
    """
    return ()


@hookspec
def agentrelay_workspace() -> Iterable[WorkspaceProvider]:
    """Kinds of repositories that runs can work in; a run has one.

    A plugin whose workstreams are plain directories, without branches and pull requests::

        from agentrelay_core import Evidence, WorkspaceProvider, hookimpl

        class Directories:
            def __init__(self, run):
                self.root = run.state_dir / "work"

            def open_workstream(self, spec):
                path = self.root / spec.id
                path.mkdir(parents=True, exist_ok=True)
                return spec.id, path

            def update_workstream(self, spec, upstream):
                pass

            def publish(self, runtime):
                return f"directory:{runtime.task.id}"

            def verify(self, runtime, pr_url):
                return Evidence(head=runtime.task.id, base="", changed=True)

            def integrate(self, spec):
                return None

            def close_workstream(self, spec):
                pass

        @hookimpl
        def agentrelay_workspace():
            yield WorkspaceProvider(name="directories", factory=Directories)
    """
    return ()


@hookspec
def agentrelay_forges() -> Iterable[ForgeProvider]:
    """Kinds of forges, where pull requests live; ``forge: <name>`` chooses one, ``auto`` the one that recognises it.

    A plugin that keeps pull requests in memory, for trying things out; ``forge: memory`` in a graph::

        import attrs
        from agentrelay_core import ForgeProvider, PullRequest, hookimpl

        class MemoryForge:
            def __init__(self, run):
                self.requests = {}

            def find(self, head, base):
                found = (pr for pr in self.requests.values() if (pr.head, pr.base) == (head, base))
                return next(found, None)

            def open(self, head, base, title, body):
                pr = self.find(head, base)
                if pr is None:
                    url = f"memory:{len(self.requests) + 1}"
                    pr = self.requests[url] = PullRequest(url=url, head=head, base=base, title=title)
                return pr

            def state(self, pr):
                return self.requests[pr]

            def merge(self, pr, head_sha):
                self.requests[pr] = attrs.evolve(self.requests[pr], state="merged", merge_sha=head_sha)
                return head_sha

        @hookimpl
        def agentrelay_forges():
            yield ForgeProvider(name="memory", recognises=lambda url: url.startswith("memory:"), factory=MemoryForge)
    """
    return ()


# What each hook's records must be, in the order in which hooks are asked.
RECORDS: Final[dict[str, type]] = {
    "agentrelay_environments": EnvironmentType,
    "agentrelay_frameworks": FrameworkType,
    "agentrelay_task_preparer": Provider,
    "agentrelay_task_launcher": Provider,
    "agentrelay_task_kickoff": Provider,
    "agentrelay_task_completion_checker": Provider,
    "agentrelay_task_merger": Provider,
    "agentrelay_task_teardown": Provider,
    "agentrelay_workspace": WorkspaceProvider,
    "agentrelay_forges": ForgeProvider,
}
PREFIX: Final = "agentrelay_"
STEPS: Final = tuple(hook.removeprefix(PREFIX) for hook in RECORDS if hook.startswith("agentrelay_task_"))
