"""What is known of a plugin: who it is, how it stands, and the records that it declared.

A plugin that cannot be used is a value like any other: its reason is kept until somebody needs what it would have
provided.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import attrs

Status = Literal["active", "disabled", "incompatible", "broken"]

NOTHING: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType({})


def canonical(name: str) -> str:
    """A distribution's name in the one spelling by which names are compared: lower case, single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


@attrs.frozen(kw_only=True)
class PluginReport:
    """How a plugin stands.

    Args:
        name: Its distribution's name, or the name that an in-process plugin was added by.
        version: Its version; may be empty for an in-process plugin.
        entry_point: The names of its entry points; empty for an in-process plugin.
        status: ``active``, ``disabled``, ``incompatible`` or ``broken``.
        reason: Why it is not active, in sentences; what is worth a note for an active one.
        mend: What to do about it, a sentence; empty where nothing is wrong.
        provides: What it provides, each in the notation of pins, for example ``task_launcher:aider:tmux``.
    """

    name: str
    version: str = ""
    entry_point: str = ""
    status: Status = "active"
    reason: str = ""
    mend: str = ""
    provides: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and version, for messages."""
        return f"{self.name} {self.version}" if self.version else self.name

    @property
    def clause(self) -> str:
        """The reason where name and version stand beside it already."""
        return self.reason.removeprefix(f"{self.title}: ")


@attrs.frozen(kw_only=True, eq=False)
class Plugin:
    """A plugin with what it declared: all of its records, or none.

    Args:
        report: How it stands.
        records: The records of each hook that it implements, by the hook's name.
        hooks: The hooks that it implements, or means to; `None` when that could not be found out.
    """

    report: PluginReport
    records: Mapping[str, tuple[Any, ...]] = NOTHING
    hooks: frozenset[str] | None = None

    @property
    def active(self) -> bool:
        """Whether its records count."""
        return self.report.status == "active"

    def may_provide(self, hook: str) -> bool:
        """Whether it might have provided records of a hook, were it active."""
        return self.hooks is None or hook in self.hooks
