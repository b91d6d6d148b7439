"""What every framework must do: name a program without touching the world, and trust nothing that it prints."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from agentrelay_core.hooks import AgentCommand, FrameworkType, Progress, StepContext
from agentrelay_core.task_runner import TaskCompletionSignal
from pytest_agentrelay.compliance.audit import is_own_python, outside_effects
from pytest_agentrelay.compliance.base import Compliance
from pytest_agentrelay.compliance.capabilities import needs_capability
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.hostile import hostile_lines

# How long reading one line may take, in seconds: it is done in the event loop.
LONGEST_READ: Final = 0.25
_METHODS: Final = ("command", "read_line", "outcome")


class FrameworkCompliance(Compliance):
    """Checks of a framework: its command, how it reads lines, and how it judges an end. No program is started.

    Attributes:
        approval_line: A line by which the agent asks for approval; for the capability ``waits_for_approval``.
        usage_line: A line by which the agent tells what it used; for the capability ``reports_usage``.
    """

    approval_line: ClassVar[str] = ""
    usage_line: ClassVar[str] = ""

    @property
    def record(self) -> FrameworkType:
        """The framework as the plugin declares it."""
        record = self.catalog.frameworks.get(self.framework)
        if record is None:
            fault(
                f"no plugin of {type(self).__name__} declares the framework {self.framework!r}.",
                "yield FrameworkType(name=…, cls=…, default_environment=…) from agentrelay_frameworks; "
                f"there are {', '.join(sorted(self.catalog.frameworks))}.",
            )
        return record

    def make_framework(self) -> Any:
        """Make the framework, as the core does before each use."""
        framework: Any = self.record.cls()
        missing = [name for name in _METHODS if not callable(getattr(framework, name, None))]
        if missing:
            fault(
                f"{name_of(framework)} has no {' and no '.join(missing)}.",
                "a framework has command(context), read_line(line) and outcome(exit_code, last_lines).",
            )
        return framework

    def _command(self, framework: Any, context: StepContext) -> AgentCommand:
        try:
            command = framework.command(context)
        except Exception as error:
            fault(
                f"{name_of(framework, 'command')} {raised(error)} for a task that is prepared.",
                "return an AgentCommand; set `options` in the class if the framework cannot do without.",
            )
        if not isinstance(command, AgentCommand):
            pytest.skip("command returns no AgentCommand; see test_command_is_an_argv")
        return command

    def test_default_environment_is_a_name(self) -> None:
        """The framework says by name in which environment its agents run that name none."""
        name = self.record.default_environment
        if name not in self.catalog.environments:
            fault(
                f"the framework {self.framework!r} has the default environment {name!r}, which nobody declares here.",
                f"name one of {', '.join(sorted(self.catalog.environments))}, or add its plugin to `companions` and to "
                "your distribution's dependencies.",
            )

    def test_command_is_an_argv(self) -> None:
        """`command` returns an AgentCommand: a program and its arguments as texts, and variables as texts."""
        framework = self.make_framework()
        context = self.make_context(self.make_runtime())
        try:
            command = framework.command(context)
        except Exception as error:
            fault(f"{name_of(framework, 'command')} {raised(error)}.", "return an AgentCommand for a prepared task.")
        good = (
            isinstance(command, AgentCommand)
            and command.argv
            and command.argv[0]
            and all(isinstance(word, str) and "\0" not in word for word in command.argv)
            and isinstance(command.env, Mapping)
            and all(isinstance(word, str) for pair in command.env.items() for word in pair)
            and (command.stdin is None or isinstance(command.stdin, Path))
        )
        if not good:
            fault(
                f"{name_of(framework, 'command')} returned {command!r}.",
                "return AgentCommand(argv=('program', 'argument'), env={'NAME': 'value'}, stdin=path or None); "
                "convert numbers and paths by str().",
            )

    def test_command_does_no_io(self) -> None:
        """`command` only computes: it opens no file, starts nothing and connects to nothing."""
        framework = self.make_framework()
        context = self.make_context(self.make_runtime())
        self._command(framework, context)  # the first time may import what it needs
        with outside_effects() as found:
            self._command(self.make_framework(), context)
        if found:
            fault(
                f"{name_of(framework, 'command')} touches the world: {', '.join(map(str, found[:5]))}.",
                "name the program and let the environment start it; programs it needs belong into `needs`, files into "
                "`stdin` or the arguments.",
            )

    def test_two_tasks_do_not_mix(self) -> None:
        """The command of a task names nothing of another, and is the same whenever it is asked for."""
        framework = self.make_framework()
        one, two = (self.make_context(self.make_runtime(name)) for name in ("task-one", "task-two"))
        first, second = self._command(framework, one), self._command(framework, two)
        if self._command(framework, one) != first or "task-one" in _text_of(second):
            fault(
                f"{name_of(framework, 'command')} carries something from one task to the next.",
                "compute the command from the given context alone; keep nothing between calls.",
            )

    def test_agent_learns_its_instructions(self) -> None:
        """The command carries the instructions, or their path, where no kickoff of the plugin's own tells them."""
        runtime = self.make_runtime()
        context = self.make_context(runtime)
        try:
            kickoff: Any = self.catalog.table("task_kickoff").resolve(
                self.framework, type(runtime.task.primary_agent.environment)
            )
        except KeyError:
            return
        if kickoff.offer.plugin.name != "agentrelay_core.builtin":
            pytest.skip("the plugin has a kickoff of its own, which tells the agent its instructions")
        framework = self.make_framework()
        command = self._command(framework, context)
        signal_dir = runtime.state.signal_dir
        assert signal_dir is not None
        told = _text_of(command)
        if str(signal_dir) not in told and (runtime.task.description or "") not in told:
            fault(
                f"{name_of(framework, 'command')} tells the agent nothing of its instructions.",
                "give AgentCommand(stdin=signal_dir / 'instructions.md'), or name that path in argv; or provide a "
                "kickoff for (framework, environment).",
            )

    def test_needs_are_declared(self) -> None:
        """The program of the command is in ``needs``, unless the user's own options name it."""
        framework = self.make_framework()
        program = self._command(framework, self.make_context(self.make_runtime())).argv[0]
        declared = {"sh", *self.record.needs, *(Path(name).name for name in self.record.needs)}
        if Path(program).name not in declared and not is_own_python(program) and program not in str(self.options):
            fault(
                f"{name_of(framework, 'command')} starts {program}, which `needs` does not name.",
                f"declare FrameworkType(…, needs=({Path(program).name!r},)): `agentrelay plugins doctor` tells users "
                "from it what to install.",
            )

    def test_read_line_survives_anything(self) -> None:
        """`read_line` answers any line with Progress or None: it never raises, and is quick."""
        framework = self.make_framework()
        for line in hostile_lines():
            began = time.perf_counter()
            shown = line[:60] + ("…" if len(line) > 60 else "")
            try:
                answer = framework.read_line(line)
            except Exception as error:
                fault(
                    f"{name_of(framework, 'read_line')} {raised(error)} for the line {shown!r}.",
                    "catch what parsing raises (ValueError, RecursionError) and check every type before using a value: "
                    "agents print anything.",
                )
            if answer is not None and not isinstance(answer, Progress):
                fault(
                    f"{name_of(framework, 'read_line')} answers {shown!r} with {answer!r}.",
                    "return agentrelay_core.Progress(kind=…, message=…) or None.",
                )
            if answer is not None and not (isinstance(answer.kind, str) and isinstance(answer.message, str)):
                fault(
                    f"{name_of(framework, 'read_line')} answers {shown!r} with {answer!r}, whose fields are no texts.",
                    "convert what an agent prints by str() before it becomes a kind or a message.",
                )
            if time.perf_counter() - began > LONGEST_READ:
                fault(
                    f"{name_of(framework, 'read_line')} takes {time.perf_counter() - began:.2f} s for {shown!r}.",
                    "look at the beginning of a long line alone, and use no pattern that backtracks.",
                )

    def test_outcome_is_a_signal(self) -> None:
        """`outcome` gives a TaskCompletionSignal for any exit code and any last lines."""
        framework = self.make_framework()
        for code in (0, 1, 127, -9, None):
            for lines in ((), hostile_lines()):
                answer = self._outcome(framework, code, lines)
                if not isinstance(answer, TaskCompletionSignal):
                    fault(
                        f"{name_of(framework, 'outcome')} returned {answer!r} for exit {code}.",
                        "return agentrelay_core.TaskCompletionSignal('done') or ('failed', error=…).",
                    )

    def test_failure_is_not_done(self) -> None:
        """An exit that is not 0, or that nobody knows, with nothing printed, is the outcome failed."""
        framework = self.make_framework()
        for code in (1, -9, None):
            answer = self._outcome(framework, code, ())
            if isinstance(answer, TaskCompletionSignal) and answer.outcome != "failed":
                known = "an exit that nobody knows" if code is None else f"exit {code}"
                fault(
                    f"{name_of(framework, 'outcome')} calls {known} without a word done.",
                    "return 'failed' unless exit 0, or what was printed, says that it is done.",
                )

    def _outcome(self, framework: Any, code: int | None, lines: Sequence[str]) -> Any:
        try:
            return framework.outcome(code, list(lines))
        except Exception as error:
            fault(
                f"{name_of(framework, 'outcome')} {raised(error)} for exit {code} and {len(lines)} lines.",
                "expect None as exit code, no lines at all, and lines that are no JSON.",
            )

    @needs_capability("waits_for_approval", "its agents ask for approval, and `read_line` tells")
    def test_asking_is_told(self) -> None:
        """`read_line` answers the line by which the agent asks for approval with Progress of kind awaiting_input."""
        self._judge_line("approval_line", self.approval_line, "awaiting_input")

    @needs_capability("reports_usage", "its agents tell what they used, and `read_line` passes it on")
    def test_usage_is_told(self) -> None:
        """`read_line` answers the line by which the agent tells what it used with Progress of kind usage."""
        self._judge_line("usage_line", self.usage_line, "usage")

    def _judge_line(self, attribute: str, line: str, kind: str) -> None:
        if not line:
            fault(
                f"{type(self).__name__} declares the capability and gives no {attribute}.",
                f"set `{attribute}` to such a line as the agent prints it.",
            )
        framework = self.make_framework()
        answer = framework.read_line(line)
        if not isinstance(answer, Progress) or answer.kind != kind:
            fault(
                f"{name_of(framework, 'read_line')} answers {line[:60]!r} with {answer!r}.",
                f"return Progress(kind={kind!r}, message=…) for it, or do not declare the capability.",
            )


def _text_of(command: AgentCommand) -> str:
    return "\0".join(map(str, (*command.argv, *command.env.values(), command.stdin or "")))
