"""A secret that an agent was given, and gives away, is in nothing that agentrelay writes."""

import pytest
from memory_steps import make_runtime

from agentrelay_core import AgentConfig
from agentrelay_core.cli.failures import report
from agentrelay_core.runtime.secrets import without_secrets

LEAKY = """\
name: g
max_task_attempts: 2
agents:
  a:
    framework: command
    env: {API_TOKEN: canary-one, PLAIN: plain-value}
    pass_env: [PASSED_KEY]
    command: |-
      echo "concern $API_TOKEN $PASSED_KEY $PLAIN" >> $AGENTRELAY_SIGNAL_DIR/concerns.log
      echo x > $AGENTRELAY_TASK_ID.txt
      if [ $AGENTRELAY_TASK_ID = bad ]; then echo "wrong $API_TOKEN $PASSED_KEY $PLAIN"; exit 3; fi
defaults: {agent: a}
tasks:
  good:
    description: x
    completion_gate: 'echo "$API_TOKEN $PASSED_KEY"; [ -e second ] || { touch second; exit 1; }'
  bad: {description: x, workstream_id: other}
workstreams: {other: {}}
"""


@pytest.mark.fault("D10")
def test_no_secret_is_in_what_we_write(shell):
    """Record, logs, instructions, pull requests, commits and output are without; what an agent wrote itself stays."""
    shell.graph(LEAKY)
    told = shell("run", expect=1, PASSED_KEY="canary-two")
    as_json = shell("journal", "export")
    assert "*** *** plain-value" in told.stdout
    texts = [told.stdout, told.stderr, as_json.stdout, shell("status").stdout]
    for name in shell.git("for-each-ref", "--format=%(refname)", "refs/agentrelay", "refs/heads").splitlines():
        if shell.git("cat-file", "-t", name) == "commit":
            texts.append(shell.git("log", "--format=%B", name))
            name += "^{tree}"
        texts.append(shell.git("cat-file", "-p", name))
    state = shell.path.parent / "state"
    files = [*state.rglob("*"), *(shell.path / ".workflow").rglob("*")]
    written = [file for file in files if file.is_file() and file.name != "concerns.log"]
    logs = [file.read_text() for file in written if file.name in ("agent.log", "gate.log")]
    assert "wrong *** *** plain-value\n" in logs
    assert "*** ***\n" in logs
    instructions = [file for file in written if file.name == "instructions.md"]
    assert any("*** ***" in file.read_text() for file in instructions)
    assert any("concern *** *** plain-value" in text for text in texts)
    assert [file for file in written if b"canary-" in file.read_bytes()] == []
    assert [text for text in texts if "canary-" in text] == []


@pytest.mark.fault("D10")
def test_no_secret_is_in_a_traceback(monkeypatch, tmp_path, capsys):
    """An error that nobody foresaw is told, and written down with what was typed, without the user's secrets."""
    monkeypatch.setenv("API_TOKEN", "canary-one")
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["agentrelay", "run", "--model", "canary-one"])
    assert report(RuntimeError("bad token canary-one"), debug=False) == 70
    assert report(RuntimeError("bad token canary-one"), debug=True) == 70
    (story,) = (tmp_path / "crashes").iterdir()
    told = capsys.readouterr().err
    assert "RuntimeError: bad token ***" in told
    assert "agentrelay run --model ***" in story.read_text()
    assert "canary" not in told + story.read_text()


@pytest.mark.fault("D10")
def test_what_is_secret():
    """The variable's name tells; short values stay, long ones go first, and each line of a value counts."""
    env = {
        "A_TOKEN": "abcdef",
        "B_SECRET": "abcdefgh",
        "PASSWORD": "x",
        "KEYS": "first-line\nsecond-line",
        "PATHS": "/usr/bin",
    }
    runtime = make_runtime(primary_agent=AgentConfig(env=env, pass_env=("GIVEN_KEY", "ABSENT_KEY")))
    text = "abcdef abcdefgh x first-line|second-line /usr/bin passed-on"
    assert without_secrets(runtime, text, {"GIVEN_KEY": "passed-on"}) == "*** *** x ***|*** /usr/bin ***"
