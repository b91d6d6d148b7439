"""Findings about GitHub, made of sentences that end in what to do."""

from typing import Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_git_gh.refusing import parted

SUBJECT: Final = "github"


def error(sentence: str) -> Finding:
    """What a run would be refused for; what to do stands behind the last semicolon."""
    what, mend = parted(sentence)
    return Finding(level="error", subject=SUBJECT, message=what, mend=mend)


def warning(sentence: str) -> Finding:
    """What a run may stumble over, or wait for; what to do stands behind the last semicolon."""
    what, mend = parted(sentence)
    return Finding(level="warning", subject=SUBJECT, message=what, mend=mend)


def note(message: str, mend: str = "") -> Finding:
    """What is so, and what could be done about it."""
    return Finding(level="note", subject=SUBJECT, message=message, mend=mend)
