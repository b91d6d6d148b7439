"""What the README and the pages say is true: their snippets are executed, their lists are compared with the code."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from enum import Enum
from pathlib import Path
from types import ModuleType

import attrs
import click
import pytest
from pages import FENCE, PAGES, ROOT, names, page, rows, section, shown, snippet

from agentrelay_core import Catalog, RunSettings, TaskGraph, run_graph
from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.cli import application, exit_codes
from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.graph import building, codes, keys, read_graph
from agentrelay_core.graph.agents import AGENT
from agentrelay_core.graph.typed import record_of
from agentrelay_core.journal import kinds
from agentrelay_core.orchestrator.results import EXIT_CODES
from agentrelay_core.signals import layout
from agentrelay_core.signals.reading import read_signal
from agentrelay_core.spec import AgentConfig, Deadlines, RetryPolicy, Task, WorkstreamSpec, problems

ECHOES = """
name: echoes
agents: {echo: {framework: echo}}
tasks:
  hello: {description: Good morning, agent: echo}
"""


@pytest.mark.parametrize("name", names("graph"))
def test_documented_graphs_are_right(name, tmp_path):
    """A documented graph loads without any diagnostic, with what ships here installed."""
    path = tmp_path / "agentrelay.yaml"
    path.write_text(snippet(name, "graph"))
    loaded = read_graph(path, catalog=Catalog.discover())
    assert loaded.diagnostics == ()
    assert {"spec", "counter"} < {task.id for task in loaded.graph.tasks}


@pytest.mark.parametrize("name", names("plugin"))
async def test_documented_plugins_run_a_graph(name, repository, tmp_path):
    """A module made of the documented plugin is active, and a graph with its framework ends merged."""
    module = ModuleType("agentrelay_echo")
    exec(compile(snippet(name, "plugin"), name, "exec"), vars(module))
    catalog = Catalog.discover()
    report = catalog.add(module)
    assert (report.status, report.provides) == ("active", ("framework:echo",))
    path = tmp_path / "agentrelay.yaml"
    path.write_text(ECHOES)
    result = await run_graph(path, repository=repository, catalog=catalog)
    assert result.outcome == "succeeded", result.tasks
    assert shown(repository, "agentrelay/echoes@default:hello.txt") == "Good morning\n"


@pytest.mark.parametrize("name", names("embedding"))
def test_documented_embedding_runs(name, repository):
    """The documented program runs as it stands in a real repository, and its work is in the integration branch."""
    program = snippet(name, "embedding")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "task_launched greet\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("succeeded ")
    graph = re.search(r'TaskGraph\(\s*name="(\w+)"', program)[1]
    assert shown(repository, f"agentrelay/{graph}@default:greeting.txt") == "hello\n"


@pytest.mark.parametrize("name", names("configuration"))
def test_documented_configuration_is_accepted(name, tmp_path):
    """The documented configuration is read without complaint."""
    (tmp_path / "agentrelay.toml").write_text(snippet(name, "configuration"))
    environ = {"AGENTRELAY_CONFIG_DIR": str(tmp_path / "nobody")}
    assert read_configuration(tmp_path, environ).pins == {"task_launcher:aider:tmux": "agentrelay-aider"}


def test_the_documented_entry_point_is_in_our_group():
    """The documented pyproject declares the group that is read."""
    project = tomllib.loads(snippet("docs/plugins.md", "entry-point"))["project"]
    assert project["entry-points"] == {"agentrelay.v1": {"echo": "agentrelay_echo"}}


def test_documented_repairs_run(repository, tmp_path, variables):
    """The documented lines, typed after a run that failed, each end with exit code 0 and do what they say."""
    agent = "{framework: command, command: 'echo part > part.txt; exit 3'}"
    graph = f"name: g\nagents: {{a: {agent}}}\ndefaults: {{agent: a}}\ntasks: {{build: {{description: x}}}}\n"
    (repository / "agentrelay.yaml").write_text(graph)
    assert subprocess.run(["agentrelay", "run"], cwd=repository, env=variables, check=False).returncode == 1
    subprocess.run(["sh", "-ec", snippet("docs/commands.md", "repair")], cwd=repository, env=variables, check=True)
    assert shown(repository, "rescued/build-0:part.txt") == "part\n"
    assert (tmp_path / "kept-files" / "part.txt").read_text() == "part\n"
    assert (tmp_path / "journal.jsonl").read_text().count("\n") > 5
    branches = subprocess.run(
        ["git", "branch", "--list", "agentrelay/*"], cwd=repository, capture_output=True, check=True
    )
    assert branches.stdout == b""


def test_documented_signals_are_understood(tmp_path):
    """The documented shell lines, run as an agent would, leave a done signal, a concern and an output."""
    (tmp_path / "counter.sh").write_text("echo 1\n")
    helper = ROOT / "agentrelay_core" / "signals" / "helper" / "agentrelay_task.py"
    for number, kind in enumerate(("helper", "by-hand")):
        directory = tmp_path / f"run-{number}"
        (directory / "bin").mkdir(parents=True)
        (directory / "manifest.json").write_text('{"nonce": "abc"}')
        (directory / "bin" / "agentrelay-task").write_bytes(helper.read_bytes())
        (directory / "bin" / "agentrelay-task").chmod(0o755)
        variables = {
            **os.environ,
            "AGENTRELAY_SIGNAL_DIR": str(directory),
            "PATH": f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        subprocess.run(["sh", "-ec", snippet("docs/file-protocol.md", kind)], cwd=tmp_path, env=variables, check=True)
        signal = read_signal(directory, "abc")
        assert signal.outcome == "done"
        assert len(signal.concerns) == (1 if kind == "helper" else 0)
        assert (directory / "outputs.json").exists() == (kind == "helper")


def test_documented_protocol_files_are_those_there_are():
    """Every file of the protocol has its row, and the helper's documented commands are all it has."""
    named = {row[0].strip("`") for row in rows(section("docs/file-protocol.md", "The files"))}
    own = {value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str)}
    assert named == (own - {layout.HELPER}) | {
        "instructions.md", "bin/agentrelay-task", "agent.log", "gate.log", ".merged", "heartbeat", "waiting_input",
    }  # fmt: skip
    documented = re.findall(r"^\| `agentrelay-task (\w+)", page("docs/file-protocol.md"), re.MULTILINE)
    source = (ROOT / "agentrelay_core" / "signals" / "helper" / "agentrelay_task.py").read_text()
    assert sorted(documented) == sorted(re.findall(r'add_parser\("(\w+)"', source))


def _commands():
    """Every command line that a page names: those of shell blocks, and those in backticks."""
    for path in [*PAGES, *sorted((ROOT / "plugins").glob("*/README.md"))]:
        text = path.read_text()
        lines = [line for kind, block in FENCE.findall(text) if kind == "sh" for line in re.split(r"&&|\n|;", block)]
        lines += re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
        for line in lines:
            words = shlex.split(line, comments=True) if line.count("'") % 2 == 0 else line.split()
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if len(words) > 1 and Path(words[0]).name == "agentrelay" and words[1] != "COMMAND":
                yield path.relative_to(ROOT).as_posix(), tuple(words[1:])


def _find(words):
    """The click command that words name, with what is left of them."""
    command, left = application.root, list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        found = command.get_command(click.Context(command), left[0])
        assert found is not None, f"there is no command {' '.join(words)}"
        command, left = found, left[1:]
    return command, left


def test_named_commands_exist():
    """No page names a command, or an option of one, that does not exist."""
    named = list(_commands())
    assert len(named) > 20
    for name, words in named:
        command, left = _find(words)
        options = {option for item in command.params for option in (*item.opts, *item.secondary_opts)} | {"--help"}
        for word in left:
            if word.startswith("-"):
                assert word.partition("=")[0] in options, f"{name}: agentrelay {' '.join(words)}"


@pytest.mark.parametrize("words", sorted({words[:1] for _, words in _commands() if not words[0].startswith("-")}))
def test_named_commands_have_help(words, capsys):
    """Every command that a page names tells what it does, exit code 0."""
    assert application.run([*words, "--help"]) == 0
    assert "Usage: agentrelay " in capsys.readouterr().out


def test_exit_codes_are_documented():
    """The page lists exactly the exit codes there are, and the outcomes of runs with theirs."""
    listed = {int(row[0]) for row in rows(section("docs/commands.md", "Exit codes"))}
    assert listed == {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    outcomes = {row[0].strip("`"): int(row[1]) for row in rows(section("docs/commands.md", "Outcomes"))}
    assert outcomes == {outcome.value: code for outcome, code in EXIT_CODES.items()}


def test_events_are_documented():
    """The page lists exactly the kinds of events that a run emits."""
    listed = {kind for row in rows(section("docs/commands.md", "Events")) for kind in re.findall(r"`(\w+)`", row[1])}
    own = {value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)}
    assert listed == {kind for kind in own if re.match("(run|task|workstream)_", kind)}


def _default(value):
    """A default as the pages write it."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or value == "none":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "[]" if value == () else str(value)


@pytest.mark.parametrize(
    ("title", "record", "classes"),
    [
        ("The graph", building.GRAPH, (TaskGraph, RunSettings)),
        ("A task", keys.TASK, (Task,)),
        ("An agent", AGENT, (AgentConfig,)),
        ("The framework command", record_of(CommandOptions, ""), (CommandOptions,)),
        ("A workstream", keys.WORKSTREAM, (WorkstreamSpec,)),
        ("Retry", keys.RETRY, (RetryPolicy,)),
        ("Deadlines", keys.DEADLINES, (Deadlines,)),
    ],
)
def test_graph_keys_are_documented(title, record, classes):
    """A section lists exactly the keys that are read, each with its default."""
    listed = {row[0].strip("`"): row[1].strip("`") for row in rows(section("docs/graph-file.md", title))}
    assert listed.keys() == record.keys.keys()
    fields = {field.name: field.default for kind in classes for field in attrs.fields(kind)}
    for key, default in listed.items():
        if record.keys[key].required or fields.get(key) is attrs.NOTHING:
            assert default == "required", key
        elif default:
            assert default == _default(fields[key]), key


def test_diagnostics_are_documented():
    """The page lists exactly the codes there are."""
    listed = [row[0] for row in rows(section("docs/graph-file.md", "Diagnostics"))]
    there = {value for module in (codes, problems) for value in vars(module).values() if str(value).startswith("AR")}
    assert sorted(listed) == sorted(there)


def test_links_lead_somewhere():
    """Every relative link of the README, the pages and the plugins' READMEs names a file that is there."""
    for path in [*PAGES, *(ROOT / "plugins").glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
