"""Which login or key Claude Code uses: what the graph names and no other, and told before the run if it is missing."""

import json

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.credential import HELPER, KEY_VARIABLE, credential, obstacles
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import AgentConfig, Task, TaskGraph, UserError
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.orchestrator import EnvironmentNotReady, InvalidGraph, RunOutcome
from agentrelay_core.spec import RunSettings

KEY = "sk-ant-api03-team-0123456789abcdef"
TOKEN = "sk-ant-oat01-team-0123456789abcdef"


def told(named):
    """What is said before a run of a graph that names a credential."""
    task = Task(id="a", description="work", primary_agent=AgentConfig(framework="claude_code"))
    return list(obstacles(TaskGraph(name="g", tasks=(task,), settings=RunSettings(anthropic_credential=named))))


def given(named):
    """The variables with a value that an agent is given."""
    return {name: value for name, value in credential(named).variables.items() if value}


@pytest.fixture
def key_file(tmp_path):
    """A file with a key that its owner alone may read."""
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    return path


def test_a_variable_a_file_or_the_login(monkeypatch, key_file):
    """Each kind of secret comes where Claude Code looks for it; a key by its helper, whose words do not have it."""
    monkeypatch.setenv("TEAM", KEY)
    monkeypatch.setenv("SETUP", TOKEN)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "of-a-gateway")
    assert given("TEAM") == given(str(key_file)) == {KEY_VARIABLE: KEY}
    assert given("SETUP") == {"CLAUDE_CODE_OAUTH_TOKEN": TOKEN}
    assert given("ANTHROPIC_AUTH_TOKEN") == {"ANTHROPIC_AUTH_TOKEN": "of-a-gateway"}
    assert given("login") == given(None) == {}
    assert credential("login").variables["ANTHROPIC_AUTH_TOKEN"] == ""
    assert credential("TEAM").helper == HELPER
    assert credential("SETUP").helper is None
    assert KEY not in HELPER + repr(credential("TEAM"))


def test_what_is_missing_is_named_with_what_to_do(monkeypatch, tmp_path, key_file):
    """Nothing is said of what is there; what is not, or is not safe, is named without its content."""
    monkeypatch.delenv("TEAM", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    assert told(str(key_file)) == told(None) == []
    (missing,) = told("TEAM")
    assert "names the variable TEAM, which is not set here; set it to a key" in missing
    (missing,) = told("login")
    assert "keeps no login for you; run `claude` and log in" in missing
    (missing,) = told(f"{tmp_path}/none")
    assert "cannot be read: No such file or directory; write a key into it" in missing
    key_file.chmod(0o644)
    (missing,) = told(str(key_file))
    assert f"which others may read; `chmod 600 {key_file}`" in missing
    assert KEY not in missing
    key_file.write_text("two words")
    key_file.chmod(0o600)
    (missing,) = told(str(key_file))
    assert "holds no key" in missing
    with pytest.raises(UserError, match="TEAM, which is not set"):
        credential("TEAM")


@pytest.mark.parametrize("named", ["two words", "./key", "sk-ant-api03-x"])
def test_what_is_no_name_is_a_mistake_in_the_graph(named):
    """A text that names neither variable nor file is refused as the graph's mistake, and a key is not repeated."""
    with pytest.raises(ValueError, match="anthropic_credential") as caught:
        told(named)
    assert "sk-ant" not in str(caught.value)


def test_a_login_that_is_kept_is_found_where_the_agent_has_its_home(monkeypatch, tmp_path):
    """The login that counts is the one in the home that the agent gets."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    (tmp_path / ".claude.json").write_text(json.dumps({"oauthAccount": {"emailAddress": "u@example.org"}}))
    assert told("login") == []


@pytest.mark.parametrize("environment", [ProcessEnvironment(), TmuxEnvironment()], ids=["process", "tmux"])
async def test_the_key_that_the_graph_names_is_the_one_that_is_used(
    relay, repository, model, agent, key_file, tmp_path, environment
):
    """It goes before keys that are passed on, nobody is asked whether it may be used, and it is written nowhere."""
    args = "tr '\\0' ' ' < /proc/$PPID/cmdline > args.txt; echo $CLAUDE_CODE_ANTHROPIC_KEY; agentrelay-task done"
    model.script("a", run(args), say("Done."))
    task = Task(id="a", description="[[script:a]]", primary_agent=agent(environment))
    result = await relay(task, anthropic_credential=str(key_file))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert set(model.keys) == {KEY}
    assert "apiKeyHelper" in repository.git("show", "agentrelay/g@default:args.txt")
    written = [path for top in ("state", "repository") for path in (tmp_path / top).rglob("*") if path.is_file()]
    assert any(path.name == "agent.log" for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


async def test_a_missing_credential_is_refused_before_the_first_task(relay, model, agent, monkeypatch):
    """The run does not begin, be the name a variable that is not set or none at all."""
    monkeypatch.delenv("TEAM", raising=False)
    task = Task(id="a", description="work", primary_agent=agent())
    with pytest.raises(EnvironmentNotReady, match="names the variable TEAM, which is not set here"):
        await relay(task, anthropic_credential="TEAM")
    with pytest.raises(InvalidGraph, match="due is `login`, the name of a variable"):
        await relay(task, anthropic_credential="two words")
    assert not relay.events
    assert not model.requests
