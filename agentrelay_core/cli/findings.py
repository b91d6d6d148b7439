"""Findings of the two doctors as lines: how bad, about what, what is so, what to do."""

from collections.abc import Iterable, Iterator
from typing import Literal

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.runtime.untrusted_text import plain_line


def finding(level: Literal["error", "warning", "note"], subject: str, message: str, mend: str = "") -> Finding:
    """A finding, its parts in the order in which they are shown."""
    return Finding(level=level, subject=subject, message=message, mend=mend)


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings for people.

    Args:
        findings: In the order in which they are shown.
    """
    count = 0
    for found in findings:
        count += found.level != "note"
        yield f"{found.level}: {plain_line(found.subject)}: {plain_line(found.message)}"
        if found.mend:
            yield f"  mend: {plain_line(found.mend)}"
    if not count:
        yield "nothing is wrong"
