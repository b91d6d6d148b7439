"""What Claude Code may ask before it begins, and how it is answered once and for all; recognised on its screen.

A screen settles nothing: it is looked at only while nothing arrives, or when it ended before its first turn, to say by
name what stands in the way.
"""

import re
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Dialog:
    """Something that waits for a person on the first screen.

    Args:
        pattern: What is on the screen then.
        name: What it is, a clause.
        mend: How to answer it for good.
    """

    pattern: re.Pattern[str]
    name: str
    mend: str

    @property
    def told(self) -> str:
        """What people are told of it."""
        return f"{self.name}: {self.mend}; then `agentrelay run`"


def _dialog(pattern: str, name: str, mend: str) -> Dialog:
    return Dialog(pattern=re.compile(pattern, re.IGNORECASE), name=name, mend=mend)


DIALOGS: Final = (
    _dialog(
        r"Is this a project you created or one you trust|Do you trust the files in this folder",
        "Claude Code asks whether this repository is trusted",
        "run `claude` once in the repository's main worktree and say yes",
    ),
    _dialog(
        r"Detected a custom API key",
        "Claude Code asks whether to use the API key that it was given",
        "run `claude` once with that key and say yes, or name it in `anthropic_credential` instead of pass_env",
    ),
    _dialog(
        r"Bypass Permissions mode[\s\S]*(Yes, I accept|No, exit)",
        "Claude Code asks whether to skip all permissions",
        "run `claude --dangerously-skip-permissions` once and accept, or choose other permissions",
    ),
    _dialog(
        r"Select login method|Paste code here if prompted",
        "Claude Code has no login",
        "run `claude` once and log in, or pass a key: `pass_env: [ANTHROPIC_API_KEY]`",
    ),
    _dialog(
        r"Choose the text style|Let's get started",
        "Claude Code was never set up for this user",
        "run `claude` once and answer its questions",
    ),
    _dialog(
        r"Unable to connect to Anthropic services",
        "Claude Code cannot reach its service",
        "look at the network, and set Claude Code up by running `claude` once",
    ),
    _dialog(
        r"version of Claude Code .* needs an update|is older than the minimum version required",
        "Claude Code refuses to start before it is updated",
        "run `claude update`",
    ),
)
"""All that is known, the most specific first."""


def dialog_on(screen: str) -> Dialog | None:
    """The dialog that a screen shows, `None` for any other screen."""
    return next((dialog for dialog in DIALOGS if dialog.pattern.search(screen)), None)


def obstacle(screen: str) -> str | None:
    """The name of a dialog that a screen shows, for whoever delivers a text."""
    found = dialog_on(screen)
    return None if found is None else found.name
