"""Scripts in graph files: what is wrong in one is told with its place, and what is right."""

import subprocess
import sys

from pytest_agentrelay.fakes import FakeOptions
from pytest_agentrelay.fakes.script import WORDS, from_argument, read_script, to_argument

from agentrelay_core import Catalog

WRONG = {
    "[write, dnoe]": "act 2 of the script, 'dnoe', is unknown; did you mean 'done'?",
    "[zzzz]": "act 1 of the script, 'zzzz', is unknown; there are write, print",
    "[{wait: soon}]": "act 1 of the script: wait takes a number of seconds, not 'soon'",
    "[{write: ../x}]": "write takes a path inside of the worktree, not '../x'",
    "[{write: {text: x}}]": "write takes a path, or a path and a text",
    "[{exit: 256}]": "exit takes an exit code from 0 to 255, not 256",
    "[{hang: 3}]": "hang takes no value, and 3 is given",
    "[{flood: sea}]": "flood takes output, signal or concerns, not 'sea'",
    "[{print: 3}]": "print takes a text, not 3",
    "[{done: x, exit: 1}]": "act 1 of the script is a word such as done",
}


def test_a_wrong_act_is_told_with_its_place(tmp_path):
    """For each mistake the message names the line, the act and what would be right, and there is no traceback."""
    agents = [f"  agent-{number}: {{framework: fake, script: {script}}}" for number, script in enumerate(WRONG)]
    graph = tmp_path / "agentrelay.yaml"
    graph.write_text("\n".join(["name: g", "tasks: {a: {agent: agent-0, description: Do it.}}", "agents:", *agents]))
    command = [sys.executable, "-m", "agentrelay_core.cli", "check", "agentrelay.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    told = [line for line in (done.stdout + done.stderr).splitlines() if "error[" in line]
    assert len(told) == len(WRONG)
    for number, (line, said) in enumerate(zip(told, WRONG.values(), strict=True), start=4):
        assert line.startswith(f"agentrelay.yaml:{number}:")
        assert said in line


def test_a_script_travels_as_one_argument():
    """Each word, with and without a value, is the same act after the journey."""
    valued = {"write": {"path": "x", "text": "é"}, "flood": "signal", "exit": 3, "wait": 0.5, "rate_limited": 1}
    texts = dict.fromkeys(("print", "concern", "done", "failed", "lie", "half_write", "ask_permission"), "say")
    acts = read_script([*WORDS, *({word: value} for word, value in {**valued, **texts}.items())])
    assert from_argument(to_argument(acts)) == acts


def test_options_are_plain_data():
    """What is read from options gives the same options."""
    options = FakeOptions(script=["write", {"print": "x"}])
    assert FakeOptions(script=list(options.script)) == options
    assert [act.word for act in FakeOptions().acts] == ["write", "done"]


def test_the_schema_knows_the_script():
    """Editors are told of the option."""
    from agentrelay_core.graph.agents import agent_schema

    cases = agent_schema(Catalog.discover())["allOf"]
    [fake] = [case for case in cases if case["if"]["properties"]["framework"] == {"const": "fake"}]
    assert fake["then"]["properties"]["script"]["description"]
