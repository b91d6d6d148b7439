"""No block on a page is left out: each is run, or compared with the code, by a test that is named here."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pages import DOCS, PAGES, ROOT, names, shown, snippets

from agentrelay_core import AgentConfig, Catalog, Task, TaskGraph, run_graph

# What runs a block by the kind in the comment above it.
RUN_BY = {
    "by-hand": "test_documents.py::test_documented_signals_are_understood",
    "configuration": "test_documents.py::test_documented_configuration_is_accepted",
    "dispatch": "test_hook_pages.py::test_dispatch_decides_as_documented",
    "embedding": "test_documents.py::test_documented_embedding_runs",
    "emulated-github": "test_emulated_github.py::test_documented_tests_pass",
    "entry-point": "test_documents.py::test_the_documented_entry_point_is_in_our_group",
    "github": "test_github_page.py::test_documented_run_ends_as_the_page_says",
    "github-graph": "test_github_page.py::test_documented_graph_is_right",
    "graph": "test_documents.py::test_documented_graphs_are_right",
    "helper": "test_documents.py::test_documented_signals_are_understood",
    "hook": "test_hook_pages.py::test_every_hook_is_shown_by_a_complete_plugin",
    "new": "../packaging/test_rendered_plugins.py::test_the_documented_way_to_a_framework",
    "plugin": "test_documents.py::test_documented_plugins_run_a_graph",
    "repair": "test_documents.py::test_documented_repairs_run",
    "shell": "test_snippets.py::test_shell_blocks_run",
    "signatures": "test_hook_pages.py::test_every_hook_has_a_page",
    "tutorial": "../packaging/test_tutorial.py::_script",
}
INCLUDED = re.compile(r"^```\{literalinclude\} (\S+)$", re.MULTILINE)


def _blocks(text):
    """The line above each block, and its language; `{…}` is a directive of Sphinx, which the build judges."""
    above, inside = "", False
    for line in text.splitlines():
        if line.startswith("```"):
            if not inside and not line.startswith("```{"):
                yield above, line.removeprefix("```")
            inside = not inside
        above = line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_is_run_by_a_test(path):
    """The line above a block says what kind it is, and a test runs that kind, or CI runs the command."""
    script = (ROOT / ".ci" / "run").read_text()
    for above, language in _blocks(path.read_text()):
        comment = re.fullmatch(r"<!-- (snippet|command): ([\w-]+) -->", above)
        kind, name = comment.groups() if comment else ("", "")
        where = f"{path.relative_to(ROOT)}: the block of {language} below {above!r}"
        assert kind, f"{where} is run by no test; say `<!-- snippet: KIND -->` above it, one of {', '.join(RUN_BY)}"
        if kind == "command":
            assert f"<!-- command: {name} -->" in script, f"{where}: .ci/run does not run it"
        else:
            assert name in RUN_BY, f"{where}: no test runs the kind '{name}'; there are {', '.join(RUN_BY)}"


def test_every_kind_is_run_where_it_is_said():
    """The named test is there and asks for that kind; and there is no kind that no page has any more."""
    for kind, place in RUN_BY.items():
        assert names(kind), f"no page has a block of the kind '{kind}'"
        module, _, function = place.partition("::")
        text = (Path(__file__).parent / module).read_text()
        body = re.search(rf"((?:^@.*\n)*)^(?:async )?def {function}\(.*\n((?:    .*\n|\n)*)", text, re.MULTILINE)
        assert body is not None, place
        assert re.search(rf'"{kind}"|<!-- snippet: {kind} -->', body[0]), f"{place} does not look for '{kind}'"


def test_no_kind_is_run_on_some_pages_alone():
    """A test that names its page rather than ask which have the kind is for a kind that one page has."""
    for kind, place in RUN_BY.items():
        module, _, function = place.partition("::")
        text = (Path(__file__).parent / module).read_text().partition(f"def {function}(")[0][-120:]
        if kind != "signatures" and f'names("{kind}")' not in text:
            pages_of_kind = {name for name in names(kind) if not name.startswith("docs/hooks/")}
            assert len(pages_of_kind) <= 1, f"{kind}: {sorted(pages_of_kind)}"


def test_included_files_are_run_by_tests():
    """Files that pages show are the agents and the tutorial's, of which tests run every one."""
    for path in PAGES:
        for target in INCLUDED.findall(path.read_text()):
            file = (path.parent / target).resolve()
            assert file.is_file(), f"{path.name}: {target}"
            assert file in {*AGENTS, *(DOCS / "tutorial").iterdir()}, f"{path.name}: {target} is run by no test"


AGENTS = sorted((DOCS / "agents").iterdir())


@pytest.mark.parametrize("agent", AGENTS, ids=lambda path: path.name)
async def test_documented_agents_work(agent, repository):
    """Each documented agent does its task in a real repository, and its own signal is the end."""
    program = {".sh": "sh", ".pl": "perl"}[agent.suffix]
    assert shutil.which(program), f"{program} is needed for {agent.name}"
    config = AgentConfig(framework="command", options={"command": [program, str(agent)]})
    graph = TaskGraph(name="g", tasks=[Task(id="count", description="Count to zwölf.", primary_agent=config)])
    events = []
    result = await run_graph(graph, repository=repository, catalog=Catalog.discover(), on_event=events.append)
    assert result.outcome == "succeeded", result.tasks
    ended = next(event.data for event in events if event.kind == "task_finished")
    if program == "perl":
        assert shown(repository, "agentrelay/g@default:task.txt") == "count (generic): Count to zwölf.\n"
        assert ended["concerns"] == []
    else:
        assert re.fullmatch(r"count: \d+ words\n", shown(repository, "agentrelay/g@default:words.txt"))
        assert ended["concerns"] == ["Numbers were counted as words."]


def test_an_agent_without_instructions_says_so(tmp_path):
    """The shell agent's other end: it writes why it failed, as the protocol wants it."""
    done = subprocess.run(
        ["sh", str(DOCS / "agents" / "agent.sh")],
        env={**os.environ, "AGENTRELAY_INSTRUCTIONS": str(tmp_path / "none"), "AGENTRELAY_SIGNAL_DIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert (tmp_path / ".failed").read_text().splitlines()[1] == "there are no instructions"


@pytest.mark.parametrize("name", names("shell"))
def test_shell_blocks_run(name, repository, variables):
    """Each line of a block of commands ends with exit code 0."""
    for block in snippets(name, "shell"):
        subprocess.run(["sh", "-ec", block], cwd=repository, env=variables, check=True)
