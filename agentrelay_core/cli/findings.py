"""Findings of the two doctors as lines: how bad, about what, what is so, what to do."""

from collections.abc import Iterable, Iterator

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.runtime.untrusted_text import plain_line


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings for people.

    Args:
        findings: In the order in which they are shown.
    """
    count = 0
    for finding in findings:
        count += finding.level != "note"
        yield f"{finding.level}: {plain_line(finding.subject)}: {plain_line(finding.message)}"
        if finding.mend:
            yield f"  mend: {plain_line(finding.mend)}"
    if not count:
        yield "nothing is wrong"
