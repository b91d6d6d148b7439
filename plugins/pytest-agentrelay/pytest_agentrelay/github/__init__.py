"""An emulated GitHub for tests: REST, GraphQL and git over HTTP on loopback, over real bare repositories.

The real gh and git work against it; what it answers late, wrongly or not at all is said in Python. It needs
``pytest-agentrelay[github]``, and is imported by whoever uses it.
"""

from pytest_agentrelay.github.clock import MovableClock
from pytest_agentrelay.github.emulator import EmulatedGitHub
from pytest_agentrelay.github.faults import (
    ALWAYS,
    Fault,
    Hold,
    Script,
    answering,
    base_modified,
    claiming,
    denying_the_merge,
    dropping,
    graphql_error,
    holding,
    meanwhile,
    pretending_to_merge,
)
from pytest_agentrelay.github.hosted import HostedRepository
from pytest_agentrelay.github.state.events import Effect, Request
from pytest_agentrelay.github.state.records import Protection, PullRequest, Settings
from pytest_agentrelay.github.wire import Answer

__all__ = [
    "ALWAYS",
    "Answer",
    "Effect",
    "EmulatedGitHub",
    "Fault",
    "Hold",
    "HostedRepository",
    "MovableClock",
    "Protection",
    "PullRequest",
    "Request",
    "Script",
    "Settings",
    "answering",
    "base_modified",
    "claiming",
    "denying_the_merge",
    "dropping",
    "graphql_error",
    "holding",
    "meanwhile",
    "pretending_to_merge",
]
