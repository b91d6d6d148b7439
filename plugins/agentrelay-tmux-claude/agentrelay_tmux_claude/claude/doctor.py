"""What `agentrelay doctor` says of Claude Code here: its version, its login, how a run would be billed."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_core.runtime.untrusted_text import plain_line

TRIED: Final = (2, 1, 197)
"""The version that this plugin is tested with."""

_DEADLINE: Final = 30.0  # seconds
_SUBJECT: Final = "claude"
KEYS: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_CLOUDS: Final = {"CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock", "CLAUDE_CODE_USE_VERTEX": "Google Vertex AI"}


def findings(environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Look at Claude Code on this machine; no model is asked anything.

    Args:
        environment: The user's variables; default `os.environ`.
    """
    environment = os.environ if environment is None else environment
    try:
        told = run_captured([_SUBJECT, "--version"], cwd="/", env=dict(environment), deadline=_DEADLINE)
    except ProcessError as error:
        yield _finding("warning", f"Claude Code cannot be run: {error}", "npm install -g @anthropic-ai/claude-code")
        return
    said = plain_line(told.stdout.decode(errors="replace"), 100)
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", said)
    if told.returncode != 0 or found is None:
        yield _finding("warning", f"`claude --version` says {said or 'nothing'!r}", "Install Claude Code anew.")
        return
    yield from _version((int(found[1]), int(found[2]), int(found[3])))
    yield from _billing(environment)
    if os.geteuid() == 0:
        message = "it refuses `permissions: bypass` to root"
        yield _finding("note", message, "Run as another user, or say `env: {IS_SANDBOX: '1'}` in a sandbox.")


def _version(version: tuple[int, int, int]) -> Iterator[Finding]:
    words, tried = ".".join(map(str, version)), ".".join(map(str, TRIED))
    if version < TRIED:
        yield _finding("warning", f"{words} is older than {tried}, the oldest that was tried", "Run `claude update`.")
    elif version[:2] > TRIED[:2]:
        yield _finding("note", f"{words}; {tried} was tried, and nothing is known against this one")
    else:
        yield _finding("note", f"{words}; nothing is known that does not work with it")


def _billing(environment: Mapping[str, str]) -> Iterator[Finding]:
    """How the next run would be billed: by a login, by keys that a graph passes on, or not at all."""
    account = kept_login(environment)
    for name, cloud in _CLOUDS.items():
        if environment.get(name):
            yield _finding("note", f"agents that are passed {name} are billed by {cloud}")
    keys = [name for name in KEYS if environment.get(name)]
    if account is not None:
        yield _finding("note", f"there is a login ({account}); agents are billed to it unless a graph passes a key")
    for name in keys:
        yield _finding("note", f"{name} is set; it bills agents whose `pass_env`, or `anthropic_credential`, names it")
    if account is None and not keys:
        mend = "Run `claude` and log in, or set ANTHROPIC_API_KEY and say `anthropic_credential: ANTHROPIC_API_KEY`."
        yield _finding("warning", "there is no login, and no key is set", mend)
    elif account is None:
        yield _finding("note", "there is no login; every agent needs a key by `pass_env` or `anthropic_credential`")


def kept_login(environment: Mapping[str, str]) -> str | None:
    """What kind of login is kept for the user; `None` for none. No secret is shown.

    Args:
        environment: The variables by which its place is found.
    """
    home = Path(environment.get("HOME", "/"))
    folder = Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    kept = _json(folder / ".credentials.json").get("claudeAiOauth")
    if isinstance(kept, dict):
        return f"subscription {plain_line(str(kept.get('subscriptionType') or 'of an unknown kind'), 40)}"
    settings = folder if environment.get("CLAUDE_CONFIG_DIR") else home
    answers = _json(settings / ".claude.json")
    if isinstance(answers.get("oauthAccount"), dict):
        return "an account, its credentials in the system's keychain"
    return "a key of its own" if answers.get("primaryApiKey") else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _finding(level: Any, message: str, mend: str = "") -> Finding:
    return Finding(level=level, subject=_SUBJECT, message=message, mend=mend)
