"""Whose token comes with a request."""

from __future__ import annotations

import base64
import binascii

from pytest_agentrelay.github.wire import Incoming


def token_of(incoming: Incoming) -> str | None:
    """The token in a request's head, by any of the ways that GitHub takes; None without one."""
    kind, _, given = incoming.headers.get("authorization", "").partition(" ")
    if kind.lower() in ("token", "bearer"):
        return given.strip()
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return user if password in ("", "x-oauth-basic") else password
    return None
