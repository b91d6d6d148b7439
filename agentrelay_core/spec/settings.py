"""How a run behaves: the settings that a graph file gives and a flag or a host overrides."""

from enum import StrEnum
from pathlib import Path

import attrs

# What the core hands on and plugins act on, with the values that ask for nothing.
_HANDED_ON: dict[str, tuple[object, ...]] = {
    "model": (None,),
    "tools": (None,),
    "tmux_session": (None,),
    "anthropic_credential": (None,),
    "merge_method": ("merge",),
    "pr": ("auto",),
    "checks": ("required", "none"),
}


class TearDownMode(StrEnum):
    """When a task's teardown step runs."""

    ALWAYS = "always"
    NEVER = "never"
    ON_SUCCESS = "on_success"


def _optional_path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _checks(value: str | list[str] | tuple[str, ...]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


def _optional_tuple(value: list[str] | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


@attrs.frozen(kw_only=True)
class RunSettings:
    """Settings of one run.

    Args:
        model: Model for agents that name none.
        tools: Tools that agents may use, for frameworks that honour it.
        max_concurrency: Tasks at work at one time.
        max_task_attempts: Attempts of a task whose retry policy does not say otherwise.
        teardown_mode: When teardown runs.
        keep_panes: Leave what shows an agent (a terminal window) for a look.
        fail_fast_on_workstream_error: Launch nothing more once a workstream's integration failed.
        fail_fast_on_internal_error: Launch nothing more once an internal error was seen.
        tmux_session: Session name handed to the tmux plugin.
        anthropic_credential: Name of a credential handed to the Claude Code plugin.
        forge: Where pull requests live: ``auto``, ``local``, ``github`` or a plugin's forge.
        merge_method: ``merge``, ``squash`` or ``rebase``, for forges that offer a choice.
        pr: ``auto`` lets an agent open its own pull request; ``orchestrator`` means that we open all of them.
        checks: ``required``, ``all``, ``none`` or the names of the forge's checks that must pass.
        state_dir: Directory of the run's journal and lock; `None` means the user's state directory.
    """

    model: str | None = None
    tools: tuple[str, ...] | None = attrs.field(default=None, converter=_optional_tuple)
    max_concurrency: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    max_task_attempts: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    teardown_mode: TearDownMode = attrs.field(default=TearDownMode.ALWAYS, converter=TearDownMode)
    keep_panes: bool = False
    fail_fast_on_workstream_error: bool = False
    fail_fast_on_internal_error: bool = True
    tmux_session: str | None = None
    anthropic_credential: str | None = None
    forge: str = "auto"
    merge_method: str = attrs.field(default="merge", validator=attrs.validators.in_(("merge", "squash", "rebase")))
    pr: str = attrs.field(default="auto", validator=attrs.validators.in_(("auto", "orchestrator")))
    checks: str | tuple[str, ...] = attrs.field(default="required", converter=_checks)
    state_dir: Path | None = attrs.field(default=None, converter=_optional_path)


def handed_on(settings: RunSettings) -> tuple[str, ...]:
    """The settings that ask a plugin for something, and must not be ignored in silence.

    Args:
        settings: The effective settings of a run.
    """
    return tuple(name for name, silent in _HANDED_ON.items() if getattr(settings, name) not in silent)
