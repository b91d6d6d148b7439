"""Claude Code's command line for a task: the same agent, with a terminal or without, in a new session or one resumed.

Nothing that a task, a person or another agent wrote stands in it, and no secret: instructions come by a file.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from agentrelay_core import IntegrationBoundary, StepContext, TaskRuntime, UserError
from agentrelay_core.builtin.required import required_path
from agentrelay_tmux_claude.claude.credential import credential
from agentrelay_tmux_claude.claude.hook_program import hooks, status_line
from agentrelay_tmux_claude.claude.options import PERMISSIONS, ClaudeOptions

PROGRAM: Final = "claude"
"""The program, on PATH."""

SIGNAL_TOOL: Final = "Bash(agentrelay-task *)"
"""Signalling is allowed whatever else is not."""

_SESSIONS: Final = uuid.UUID("6a7c2f54-4c2d-5b0e-9a39-6f1f7a4d2c11")


def session_id(runtime: TaskRuntime) -> str:
    """The id of an attempt's session: always the same, so that whoever comes later resumes it and no other."""
    return str(uuid.uuid5(_SESSIONS, f"{runtime.run_id}/{runtime.task.id}/{runtime.state.attempt_num}"))


def options_of(context: StepContext) -> ClaudeOptions:
    """The task's options.

    Raises:
        UserError: There are none, so that nobody said what the agent may do.
    """
    if isinstance(context.options, ClaudeOptions):
        return context.options
    raise UserError(
        f"task {context.runtime.task.id!r}: the framework 'claude_code' needs the option 'permissions', "
        f"one of {', '.join(PERMISSIONS)}",
        boundary=IntegrationBoundary.AGENT_LAUNCH,
    )


def headless_arguments(context: StepContext, *, resume: bool = False) -> tuple[str, ...]:
    """The command line of one turn without a terminal; its prompt comes on standard input.

    Args:
        context: The task.
        resume: Whether the session exists already.
    """
    options = options_of(context)
    words = [PROGRAM, "-p", "--output-format", "stream-json", "--verbose", *_common(context, options, resume)]
    if options.max_turns is not None:
        words += ["--max-turns", str(options.max_turns)]
    if options.max_budget_usd is not None:
        words += ["--max-budget-usd", str(options.max_budget_usd)]
    return tuple(words)


def terminal_arguments(context: StepContext, prompt: str, *, number: int, resume: bool = False) -> tuple[str, ...]:
    """The command line of a session in a terminal.

    Args:
        context: The task.
        prompt: What it is told at once: words of ours.
        number: Which start of the session this is.
        resume: Whether the session exists already.
    """
    options = options_of(context)
    of_terminal = {"hooks": hooks(options.permissions), "statusLine": status_line(number)}
    words = (PROGRAM, *_common(context, options, resume, of_terminal))
    return (*words, "--", prompt)


def added_environment(context: StepContext) -> dict[str, str]:
    """Variables that Claude Code is given: what it logs in with, and that it does not replace itself during a run.

    Args:
        context: The task.

    Raises:
        UserError: What ``anthropic_credential`` names is not there.
    """
    own = dict(context.runtime.task.primary_agent.env)
    added = {} if "DISABLE_AUTOUPDATER" in own else {"DISABLE_AUTOUPDATER": "1"}
    return {**added, **credential(context.run.settings.anthropic_credential).variables}


def _common(
    context: StepContext, options: ClaudeOptions, resume: bool, of_terminal: Mapping[str, Any] | None = None
) -> list[str]:
    runtime = context.runtime
    words = ["--resume" if resume else "--session-id", session_id(runtime)]
    mode = PERMISSIONS[options.permissions]
    # In a terminal the hook refuses what nobody is to be asked, so that it is known what was refused.
    words += ["--permission-mode", "default" if of_terminal and mode == "dontAsk" else mode]
    model = runtime.task.primary_agent.model or context.run.settings.model
    if model is not None:
        words += ["--model", model]
    if context.run.settings.tools is not None:
        words += ["--tools", ",".join(context.run.settings.tools)]
    # Written here and not in a file, which the agent could change for its next turn.
    settings: dict[str, Any] = {"permissions": {"allow": [SIGNAL_TOOL, *options.allowed_tools]}}
    if options.disallowed_tools:
        settings["permissions"]["deny"] = list(options.disallowed_tools)
    if options.permissions == "bypass":
        settings["skipDangerousModePermissionPrompt"] = True  # the graph says so, which is the consent
    helper = credential(context.run.settings.anthropic_credential).helper
    if helper is not None:
        settings["apiKeyHelper"] = helper
    settings |= of_terminal or {}
    words += ["--settings", json.dumps(settings)]
    return [*words, "--add-dir", str(required_path(runtime, "signal_dir"))]
