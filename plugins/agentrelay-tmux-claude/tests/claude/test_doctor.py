"""What `agentrelay doctor` says of Claude Code, for homes with and without a login."""

import json
import os

import attrs
import pytest
from agentrelay_tmux_claude.claude.doctor import findings

from agentrelay_core import Catalog, EnvironmentType, hookimpl
from agentrelay_core.hooks.doctor import machine_findings
from agentrelay_core.spec import AgentEnvironment


@pytest.fixture
def told(tmp_path):
    """What is said of a claude that says it is some version, by level and in one text."""

    def told(version="2.1.197 (Claude Code)", **variables):
        program = tmp_path / "bin" / "claude"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{version}'\n")
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        found = list(findings({"PATH": path, "HOME": str(tmp_path), **variables}))
        return {item.level for item in found}, "\n".join(f"{item.message}; {item.mend}" for item in found)

    return told


def test_a_missing_login_is_a_warning(told):
    """Without a login and without a key the words say how to get either."""
    levels, words = told()
    assert "warning" in levels
    assert "there is no login, and no key is set; Run `claude` and log in, or set ANTHROPIC_API_KEY" in words


def test_a_key_is_billed_only_where_it_is_passed_on(told):
    """The key's name is said, its value is not."""
    levels, words = told(ANTHROPIC_API_KEY="sk-ant-secret-0123456789")
    assert levels == {"note"}
    assert "ANTHROPIC_API_KEY is set; it bills agents whose `pass_env`, or `anthropic_credential`, names it" in words
    assert "secret" not in words


def test_a_subscription_is_what_is_billed(told, tmp_path):
    """The kind of subscription is said, nothing of its tokens is."""
    (tmp_path / ".claude").mkdir()
    kept = {"claudeAiOauth": {"subscriptionType": "max", "accessToken": "sk-ant-oat01-secret"}}
    (tmp_path / ".claude" / ".credentials.json").write_text(json.dumps(kept))
    levels, words = told()
    assert levels == {"note"}
    assert "there is a login (subscription max); agents are billed to it unless a graph passes a key" in words
    assert "secret" not in words


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ("2.1.197 (Claude Code)", "note", "nothing is known that does not work with it"),
        ("1.0.3 (Claude Code)", "warning", "older than 2.1.197"),
        ("3.0.0 (Claude Code)", "note", "2.1.197 was tried"),
        ("what?", "warning", "`claude --version` says 'what?'"),
    ],
)
def test_the_version_is_compared_with_what_was_tried(told, version, level, words):
    """An old one, and one that says nothing, are warnings."""
    levels, said = told(version, ANTHROPIC_API_KEY="sk-ant-0123456789")
    assert level in levels
    assert words in said


@attrs.frozen(kw_only=True)
class Odd(AgentEnvironment):
    """An environment of this test."""


class OddPlugin:
    """A plugin whose look at the machine fails."""

    @hookimpl
    def agentrelay_environments(self):
        yield EnvironmentType(name="odd", cls=Odd, host=lambda _: None, findings=self.look)

    def look(self):
        raise OSError("no such thing")


def test_a_look_that_fails_takes_nothing_else_down():
    """A plugin's error is a finding that names what was looked at; who is not used is not asked."""
    catalog = Catalog()
    catalog.add(OddPlugin())
    (found,) = machine_findings(catalog)
    assert (found.level, found.subject) == ("warning", "odd")
    assert "OSError: no such thing" in found.message
    assert not list(machine_findings(catalog, used=()))
