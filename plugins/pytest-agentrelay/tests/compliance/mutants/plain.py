"""An environment as small as it can be: a program is a child of this process, and a table knows it by its number."""

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import attrs

from agentrelay_core.hooks import EnvironmentType, hookimpl
from agentrelay_core.runtime import AgentAddress, AgentFailure
from agentrelay_core.spec import AgentEnvironment

# As the operating system has a table of processes.
TABLE: dict[int, subprocess.Popen] = {}


@attrs.frozen(kw_only=True)
class Plain(AgentEnvironment):
    """A child process."""


class PlainAddress(AgentAddress):
    """The number of a child process."""

    def __init__(self, number: int, signal_dir: Path) -> None:
        self.number = number
        self.signal_dir = signal_dir
        self.reachable = True

    @property
    def label(self):
        return f"plain:{self.number}"

    def teardown(self, signal_dir=None, keep_panes=False):
        end(self.number)

    def cpu_seconds(self):
        return 0.0

    def to_json(self):
        return {"plain": self.number, "signal_dir": str(self.signal_dir)}


def end(number: int) -> None:
    """Kill a child's process group and wait for the child."""
    with suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)
    TABLE[number].wait()


class PlainHost:
    """Runs programs as child processes."""

    def start(self, command, context):
        state = context.runtime.state
        for field in ("worktree_path", "signal_dir"):
            if getattr(state, field) is None:
                raise ValueError(f"{field} is not set")
        if shutil.which(command.argv[0], path=command.env["PATH"]) is None:
            raise AgentFailure(f"program {command.argv[0]} not found on PATH")
        return PlainAddress(self.child(command, context).pid, state.signal_dir)

    def child(self, command, context):
        state = context.runtime.state
        with (
            Path(command.stdin or os.devnull).open("rb") as stdin,
            (state.signal_dir / "agent.log").open("ab") as log,
        ):
            child = subprocess.Popen(
                command.argv,
                cwd=self.cwd(state),
                env=command.env,
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        TABLE[child.pid] = child
        return child

    def cwd(self, state):
        return state.worktree_path

    async def wait(self, address):
        while (code := TABLE[address.number].poll()) is None:  # noqa: ASYNC110  # a child's end sets no event
            await asyncio.sleep(0.01)
        return code

    def is_alive(self, address):
        if not address.reachable or address.number not in TABLE:
            return "unknown"
        return "alive" if TABLE[address.number].poll() is None else "ended"

    def output(self, address):
        return (address.signal_dir / "agent.log").read_bytes()

    def stop(self, address):
        end(address.number)

    def adopt(self, data):
        if not isinstance(data, dict) or "plain" not in data:
            raise ValueError(f"not the address of a child: {data!r}")
        return PlainAddress(data["plain"], Path(data["signal_dir"])) if data["plain"] in TABLE else None


class PlainPlugin:
    """A plugin with the environment ``plain``.

    Args:
        host: The class of its hosts.
    """

    def __init__(self, host: type = PlainHost) -> None:
        self.host = host

    @hookimpl
    def agentrelay_environments(self):
        return [EnvironmentType(name="plain", cls=Plain, host=lambda environment: self.host())]
