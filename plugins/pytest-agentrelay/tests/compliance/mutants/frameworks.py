"""A small framework, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import json

from pytest_agentrelay.compliance import FrameworkCompliance
from reference import block, do_io

from agentrelay_core.hooks import AgentCommand, FrameworkType, Progress, hookimpl
from agentrelay_core.task_runner import TaskCompletionSignal


class Scribe:
    """Prints lines of JSON; those with a text as ``kind`` tell of progress."""

    default_environment = "process"
    needs = ("scribe",)

    def command(self, context):
        instructions = context.runtime.state.signal_dir / "instructions.md"
        return AgentCommand(argv=("scribe", "--quiet"), env={"SCRIBE": "1"}, stdin=instructions)

    def read_line(self, line):
        try:
            told = json.loads(line[:10_000])
        except (ValueError, RecursionError):
            return None
        kind = told.get("kind") if isinstance(told, dict) else None
        return Progress(kind=kind, message=str(told.get("message", ""))) if isinstance(kind, str) else None

    def outcome(self, exit_code, last_lines):
        return TaskCompletionSignal("done" if exit_code == 0 else "failed")


class Reference(Scribe):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("waits_for_approval", "reports_usage")


class NowhereAtHome(Scribe):
    caught_by = "test_default_environment_is_a_name"
    default_environment = "no_such_place"


class GivesNumbers(Scribe):
    caught_by = "test_command_is_an_argv"

    def command(self, context):
        return AgentCommand(argv=("scribe", 7), stdin=context.runtime.state.signal_dir / "instructions.md")


class GivesALine(Scribe):
    caught_by = "test_command_is_an_argv"

    def command(self, context):
        return "scribe --quiet"


class ReadsInCommand(Scribe):
    caught_by = "test_command_does_no_io"

    def command(self, context):
        do_io()
        return super().command(context)


class RemembersTasks(Scribe):
    caught_by = "test_two_tasks_do_not_mix"
    _stdin = None

    def command(self, context):
        command = super().command(context)
        self._stdin = self._stdin or command.stdin
        return AgentCommand(argv=command.argv, stdin=self._stdin)


class TellsNothing(Scribe):
    caught_by = "test_agent_learns_its_instructions"

    def command(self, context):
        return AgentCommand(argv=("scribe",))


class NeedsUndeclared(Scribe):
    caught_by = "test_needs_are_declared"
    needs = ("printer",)


class TrustsLines(Scribe):
    caught_by = "test_read_line_survives_anything"

    def read_line(self, line):
        told = json.loads(line[:10_000])
        return Progress(kind=told["kind"])


class AnswersByTexts(Scribe):
    caught_by = "test_read_line_survives_anything"

    def read_line(self, line):
        return "progress"


class ReadsSlowly(Scribe):
    caught_by = "test_read_line_survives_anything"

    def read_line(self, line):
        block()
        block()
        return super().read_line(line)


class AnswersByBooleans(Scribe):
    caught_by = "test_outcome_is_a_signal"

    def outcome(self, exit_code, last_lines):
        return exit_code == 0


class NeedsLines(Scribe):
    caught_by = "test_outcome_is_a_signal"

    def outcome(self, exit_code, last_lines):
        if exit_code == 0 and not last_lines[-1]:
            return TaskCompletionSignal("failed")
        return super().outcome(exit_code, last_lines)


class CallsTheUnknownDone(Scribe):
    caught_by = "test_failure_is_not_done"

    def outcome(self, exit_code, last_lines):
        return TaskCompletionSignal("failed" if exit_code else "done")


class DoesNotTellThatItAsks(Scribe):
    caught_by = "test_asking_is_told"
    capabilities = ("waits_for_approval",)

    def read_line(self, line):
        return None


class DoesNotTellUsage(Scribe):
    caught_by = "test_usage_is_told"
    capabilities = ("reports_usage",)

    def read_line(self, line):
        return None


class ScribePlugin:
    """A plugin with the framework ``scribe``.

    Args:
        framework: Its class.
    """

    def __init__(self, framework: type) -> None:
        self.framework = framework

    @hookimpl
    def agentrelay_frameworks(self):
        kind = self.framework
        return [FrameworkType(name="scribe", cls=kind, default_environment=kind.default_environment, needs=kind.needs)]


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = FrameworkCompliance
for each in (Reference, *MUTANTS):
    globals()[f"Test{each.__name__}"] = type(
        f"Test{each.__name__}",
        (FrameworkCompliance,),
        {
            "__module__": __name__,
            "plugin": ScribePlugin(each),
            "framework": "scribe",
            "environment": "process",
            "capabilities": getattr(each, "capabilities", ()),
            "approval_line": '{"kind": "awaiting_input", "message": "May I?"}',
            "usage_line": '{"kind": "usage", "message": "7 tokens"}',
        },
    )
