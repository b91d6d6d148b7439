"""Every hook has its page, and what stands there of signatures, records and classes is the code's."""

import ast
import inspect
import re
import textwrap
from types import ModuleType

import attrs
import pytest
from pages import DOCS, names, page, rows, snippet, snippets

import agentrelay_core
from agentrelay_core import AgentConfig, Catalog, RunInfo, RunSettings, Task, TaskRuntime
from agentrelay_core.hooks import contexts, specs, step_specs
from agentrelay_core.runtime import agent as agents
from agentrelay_core.task_runner import protocols, repairs, workspace

PAGES = ["docs/hooks.md", *(f"docs/hooks/{hook}.md" for hook in specs.RECORDS)]


def _signature(function):
    kind = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    returns = function.returns
    said = returns.value if isinstance(returns, ast.Constant) and returns.value else ast.unparse(returns)
    return f"{kind} {function.name}({ast.unparse(function.args)}) -> {said}"


def _members(module, name):
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(module, name))))
    functions = (node for node in tree.body[0].body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [_signature(function) for function in functions if not function.name.startswith("_")]


def _lines():
    """The lines of all blocks of signatures."""
    return "\n".join(text for name in PAGES for text in snippets(name, "signatures")).splitlines()


def test_every_hook_has_a_page():
    """There is a page for each hook, listed on the page of all hooks, and none for another."""
    assert {path.stem for path in (DOCS / "hooks").glob("*.md")} == specs.RECORDS.keys()
    assert re.findall(r"^hooks/(\w+)$", page("docs/hooks.md"), re.MULTILINE) == list(specs.RECORDS)
    assert {name for name in names("signatures") if "/hooks" in name} == set(PAGES)


def test_every_hook_is_documented_with_its_signature():
    """A hook's page has its name as title, and its first block begins with the very signature of the hookspec."""
    there = {}
    for module in (specs, step_specs):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef) and node.name in specs.RECORDS:
                there[node.name] = _signature(node)
    assert there.keys() == specs.RECORDS.keys()
    for hook, signature in there.items():
        assert page(f"docs/hooks/{hook}.md").startswith(f"# {hook}\n")
        assert snippets(f"docs/hooks/{hook}.md", "signatures")[0].splitlines()[0] == signature


@pytest.mark.parametrize("hook", specs.RECORDS)
def test_every_hook_is_shown_by_a_complete_plugin(hook):
    """The page's plugin is the one in the hook's docstring, of which a test of the hooks says that it works."""
    documented = textwrap.dedent(inspect.getdoc(getattr(specs, hook)).partition("::\n")[2]).strip()
    assert snippet(f"docs/hooks/{hook}.md", "hook").strip() == documented


def test_protocols_are_documented_with_their_signatures():
    """Every documented class has exactly the methods of the code, and none that a hook leads to is missing."""
    documented = {}
    for line in _lines():
        if line.startswith("class "):
            members = documented.setdefault(line.removeprefix("class ").rstrip(":"), [])
        elif line.startswith("    "):
            members.append(line.strip())
    homes = {"Workspace": workspace, "Agent": agents, "AgentAddress": agents, "EnvironmentRepairs": repairs}
    homes |= dict.fromkeys(("EnvironmentHost", "Framework", "Forge"), contexts)
    declared = inspect.getsource(step_specs)
    homes |= {name: protocols for name in vars(protocols) if name.startswith("Task") and f"[{name}]" in declared}
    assert documented.keys() == homes.keys()
    for name, members in documented.items():
        assert members == _members(homes[name], name)


def test_records_are_documented_with_their_fields():
    """Every record's documented fields and defaults are those of its class, and no record of a hook is missing."""
    calls = [line for line in _lines() if re.match(r"[A-Z]\w+\(", line)]
    documented = {line.partition("(")[0]: ast.parse(line, mode="eval").body for line in calls}
    assert {kind.__name__ for kind in specs.RECORDS.values()} < documented.keys()
    for name, call in documented.items():
        given = {argument.id: attrs.NOTHING for argument in call.args}
        given |= {word.arg: eval(ast.unparse(word.value), vars(agentrelay_core) | _NAMES) for word in call.keywords}
        fields = attrs.fields(getattr(agentrelay_core, name))
        assert given == {
            field.name: field.default.factory() if isinstance(field.default, attrs.Factory) else field.default
            for field in fields
        }, name


_NAMES = {"AgentEnvironment": agentrelay_core.AgentEnvironment, "RunSettings": RunSettings}


def test_dispatch_decides_as_documented(tmp_path):
    """The documented launchers serve each documented key as the table says."""
    module = ModuleType("documented_dispatch")
    exec(compile(snippet("docs/dispatch.md", "dispatch"), "docs/dispatch.md", "exec"), vars(module))
    catalog = Catalog()
    assert catalog.add(module).status == "active"
    run = RunInfo(run_id="r", graph_name="g", repository=None, state_dir=tmp_path)
    launcher = catalog.tables(run).launcher
    table = rows(page("docs/dispatch.md"))
    assert len(table) == 4
    for framework, environment, served_by, _ in table:
        place = getattr(module, environment.strip("`"))()
        agent = AgentConfig(framework=framework.strip("`"), environment=place)
        assert launcher(TaskRuntime(Task(id="t", primary_agent=agent))) == served_by
