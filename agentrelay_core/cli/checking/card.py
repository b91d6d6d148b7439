"""The capability card of a plugin: what is proven, what failed, what is only claimed because nothing checks it."""

from collections.abc import Iterator
from typing import Any

import attrs

from agentrelay_core.cli.checking.programs import Program
from agentrelay_core.cli.checking.running import Check
from agentrelay_core.cli.checking.subjects import Subject
from agentrelay_core.hooks.plugins import PluginReport

SCHEMA = 1


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
                told = f" ({check.message})" if check.outcome == "skipped" and check.message else ""
                yield f"  {check.outcome:<7}  {check.says}{told}"
                if check.outcome == "failed":
                    yield from (f"           {line}" for line in check.message.splitlines())
        if any("capability" in check.message for row in self.rows for check in row.of("skipped")):
            yield ""
            yield "a capability that the plugin has is checked too when it is named: --capability NAME"
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
    facts = {name: getattr(subject, name) for name in ("step", "framework", "environment", "compliance", "not_checked")}
    standing = "claimed" if subject.not_checked else "failed" if row.of("failed") else "proven"
    return {
        **facts,
        "standing": standing,
        "stand_ins": sorted(subject.attributes.get("stand_ins", ())),
        "checks": [attrs.asdict(check) for check in row.checks],
    }


def _by_outcome(check: Check) -> int:
    return ("failed", "proven", "skipped").index(check.outcome)


def _sums(rows: tuple[Row, ...]) -> str:
    numbers = [(sum(len(row.of(outcome)) for row in rows), word) for outcome, word in _WORDS.items()]
    numbers.append((sum(bool(row.subject.not_checked) for row in rows), "only claimed"))
    return ", ".join(f"{number} {word}" for number, word in numbers if number or word == "proven")


_WORDS = {"failed": "failed", "proven": "proven", "skipped": "skipped"}
