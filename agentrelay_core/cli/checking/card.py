"""The capability card of a plugin: what is proven, what failed, what is only claimed because nothing checks it."""

import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from agentrelay_core.cli.checking.programs import Program
from agentrelay_core.cli.checking.running import Check
from agentrelay_core.cli.checking.subjects import Subject
from agentrelay_core.hooks.plugins import PluginReport

SCHEMA: Final = 1
# How the kit says that a check is for a promise that is not made; the rest is advice for the author of a test.
_UNDECLARED: Final = re.compile(r"the capability '(\w+)' is not declared")


@attrs.frozen
class Row:
    """A line of the card: one subject, with what became of its checks."""

    subject: Subject
    checks: tuple[Check, ...] = ()

    def of(self, outcome: str) -> tuple[Check, ...]:
        """The checks of one outcome."""
        return tuple(check for check in self.checks if check.outcome == outcome)


@attrs.frozen
class Card:
    """What is known of a plugin after its checks.

    Args:
        plugin: The plugin.
        rows: Its subjects.
        programs: The programs that it needs.
    """

    plugin: PluginReport
    rows: tuple[Row, ...]
    programs: tuple[Program, ...]

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(row.of("failed") for row in self.rows)

    def lines(self) -> Iterator[str]:
        """The card for people, a line each."""
        yield f"{self.plugin.title} (entry point {self.plugin.entry_point}): {_sums(self.rows)}"
        for row in self.rows:
            yield ""
            if row.subject.not_checked:
                yield f"{row.subject.title}: only claimed, not checked: {row.subject.not_checked}"
                continue
            yield f"{row.subject.title}: {_sums((row,))}"
            for check in sorted(row.checks, key=_by_outcome):
                yield f"  {check.outcome:<7}  {check.says}{_why_skipped(check)}"
                if check.outcome == "failed":
                    yield from (f"           {line}" for line in check.message.splitlines())
        if any(_UNDECLARED.match(check.message) for row in self.rows for check in row.of("skipped")):
            yield ""
            yield "what a plugin promises besides is checked when it is declared: --capability task_launcher:resumable"
        if self.programs:
            yield ""
            yield "programs"
            yield from (f"  {program.line}" for program in self.programs)

    def facts(self) -> dict[str, Any]:
        """The card for programs."""
        return {
            "schema": SCHEMA,
            "plugin": self.plugin.name,
            "version": self.plugin.version,
            "status": self.plugin.status,
            "card": [_row_facts(row) for row in self.rows],
            "programs": [attrs.asdict(program) for program in self.programs],
        }


def _row_facts(row: Row) -> dict[str, Any]:
    subject = row.subject
    names = ("step", "framework", "environment", "forge", "compliance", "not_checked")
    facts = {name: getattr(subject, name) for name in names}
    standing = "claimed" if subject.not_checked else "failed" if row.of("failed") else "proven"
    return {
        **facts,
        "standing": standing,
        "stand_ins": sorted(subject.attributes.get("stand_ins", ())),
        "checks": [attrs.asdict(check) for check in row.checks],
    }


def _why_skipped(check: Check) -> str:
    if check.outcome != "skipped" or not check.message:
        return ""
    undeclared = _UNDECLARED.match(check.message)
    return f" (not declared: {undeclared[1]})" if undeclared else f" ({check.message})"


def _by_outcome(check: Check) -> int:
    return ("failed", "proven", "skipped").index(check.outcome)


def _sums(rows: tuple[Row, ...]) -> str:
    numbers = [(sum(len(row.of(outcome)) for row in rows), word) for outcome, word in _WORDS.items()]
    numbers.append((sum(bool(row.subject.not_checked) for row in rows), "only claimed"))
    return ", ".join(f"{number} {word}" for number, word in numbers if number or word == "proven")


_WORDS: Final = {"failed": "failed", "proven": "proven", "skipped": "skipped"}
