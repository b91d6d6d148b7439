"""Named places at which a test can end, delay or fail the program; without a test they do nothing.

Every effect on the outside world passes four of them, so that a crash between any two facts can be tried. What is
armed is read once from ``AGENTRELAY_FAILPOINTS``: ``merge:effect=kill`` ends the process by SIGKILL at that place,
``=kill@3`` when it is reached for the third time, ``=raise`` raises, ``=sleep:2.5`` blocks for seconds; several are
separated by commas. A plugin has places of its own, whose names begin with the distribution's and a slash.
"""

import os
import signal
import time

EFFECTS = (
    "open_workstream",
    "update_workstream",
    "prepare",
    "launch",
    "kickoff",
    "send_turn",
    "publish",
    "verify",
    "merge",
    "teardown",
    "integrate",
    "close_workstream",
)
"""All that touches the outside world, in the order of a run."""

PHASES = ("begin", "intent", "effect", "outcome")
"""Before anything is recorded; intended and not yet begun; done and not yet recorded; recorded."""

FAILPOINTS = frozenset(f"{effect}:{phase}" for effect in EFFECTS for phase in PHASES)
"""The registry of all failpoints."""

VARIABLE = "AGENTRELAY_FAILPOINTS"


class FailpointError(Exception):
    """A failpoint that was told to raise was reached."""


class _Armed:
    def __init__(self, action: str, on: int) -> None:
        self.action = action
        self.left = on


def _parse(text: str) -> dict[str, _Armed]:
    armed = {}
    for item in filter(None, text.split(",")):
        name, _, what = item.partition("=")
        action, _, on = what.partition("@")
        known = name in FAILPOINTS or "/" in name  # which places a plugin has is not known before it is loaded
        if not known or action.partition(":")[0] not in ("kill", "raise", "sleep"):
            raise ValueError(f"{VARIABLE}: {item!r} is not <failpoint>=kill|raise|sleep:<seconds>, with @<count>")
        armed[name] = _Armed(action, int(on or 1))
    return armed


_ARMED = _parse(os.environ.get(VARIABLE, ""))
ANY_ARMED = bool(_ARMED)
"""Whether there is one that does something, for where tasks pass so many that the calls would be felt."""


def failpoint(effect: str, phase: str) -> None:
    """Pass a named place.

    Args:
        effect: One of `EFFECTS`.
        phase: One of `PHASES`.

    Raises:
        FailpointError: It is armed to raise.
    """
    if _ARMED:
        _pass(f"{effect}:{phase}")


def failpoint_of_plugin(name: str) -> None:
    """Pass a named place of a plugin.

    Args:
        name: For example ``agentrelay-git-gh/pushed``.

    Raises:
        FailpointError: It is armed to raise.
    """
    if _ARMED:
        _pass(name)


def _pass(name: str) -> None:
    armed = _ARMED.get(name)
    if armed is not None:
        _hit(name, armed)


def _hit(name: str, armed: _Armed) -> None:
    armed.left -= 1
    if armed.left:
        return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.action == "raise":
        raise FailpointError(name)
    else:
        time.sleep(float(armed.action.partition(":")[2]))
