"""``agentrelay plugins new``: what is written, what is refused, and that what is written is right."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

from agentrelay_core.cli.scaffolding import KINDS, LONGEST_NAME, bound, name_problem
from agentrelay_core.hooks import Catalog

COMMON = {".gitignore", ".github/workflows/ci.yml", "LICENSE", "README.md", "example.yaml", "pyproject.toml"}


def _files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_an_active_plugin(shell, kind, monkeypatch):
    """What is rendered can be imported and asked, and provides what its kind says."""
    done = shell("plugins", "new", f"a-{kind.replace('_', '-')}", "--kind", kind)
    folder = shell.path / f"agentrelay-a-{kind.replace('_', '-')}"
    package = f"agentrelay_a_{kind}"
    assert {f"{folder.name}/{name}" for name in _files(folder)} == set(
        re.findall(r"^made (.*)$", done.stdout, re.MULTILINE)
    )
    assert f"cd {folder.name}\n" in done.stderr
    assert f"agentrelay plugins check {folder.name}" in done.stderr
    implementation = f"{package}/{KINDS[kind].implementation}.py"
    assert _files(folder) >= COMMON | {f"{package}/__init__.py", implementation, "tests/test_compliance.py"}
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text())
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"agentrelay.v1": {f"a_{kind}": package}}
    assert "license" not in project
    monkeypatch.syspath_prepend(str(folder))
    report = Catalog().add(__import__(package))
    named = kind in ("framework", "environment", "forge")
    provides = f"{kind}:a_{kind}" if named else f"task_{kind}:command:ProcessEnvironment"
    assert (report.status, report.provides) == ("active", (provides,)), report.reason


@pytest.mark.parametrize("kind", KINDS)
def test_the_module_with_the_hooks_is_light(shell, kind):
    """Asking a rendered plugin what it provides imports neither its implementation nor an event loop."""
    shell("plugins", "new", "light", "--kind", kind)
    code = "import sys; sys.path.insert(0, 'agentrelay-light'); import agentrelay_light; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=shell.path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "agentrelay_light" in loaded
    assert not loaded & {f"agentrelay_light.{KINDS[kind].implementation}", "asyncio", "subprocess"}


def test_a_framework_is_a_short_class(shell):
    """The class of a framework is three methods; its options are an attrs class beside the hook."""
    shell("plugins", "new", "short", "--kind", "framework")
    folder = shell.path / "agentrelay-short" / "agentrelay_short"
    framework = next(
        node for node in ast.parse((folder / "framework.py").read_text()).body if isinstance(node, ast.ClassDef)
    )
    methods = [node for node in framework.body if isinstance(node, ast.FunctionDef)]
    assert [method.name for method in methods] == ["command", "read_line", "outcome"]
    lines = sum(method.end_lineno - method.lineno for method in methods)
    assert lines <= 20
    assert "class ShortOptions" in (folder / "__init__.py").read_text()


def test_a_dry_run_lists_and_writes_nothing(shell):
    """Each file is named, and the directory is not there."""
    done = shell("plugins", "new", "dry", "--kind", "framework", "--dry-run")
    assert "would make agentrelay-dry/pyproject.toml\n" in done.stdout
    assert not (shell.path / "agentrelay-dry").exists()


def test_nothing_is_overwritten(shell):
    """A directory that is there is left as it is, exit 2; `--directory` names another place."""
    mine = shell.path / "agentrelay-mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    refused = shell("plugins", "new", "mine", "--kind", "framework", expect=2)
    assert "agentrelay-mine is there already and was left as it is" in refused.stderr
    assert _files(mine) == {"notes.txt"}
    assert (
        "`mkdir -p out` makes it"
        in shell("plugins", "new", "mine", "--kind", "framework", "--directory", "out", expect=2).stderr
    )
    (shell.path / "out").mkdir()
    shell("plugins", "new", "mine", "--kind", "framework", "--directory", "out")
    assert [path.name for path in (shell.path / "out").iterdir()] == ["agentrelay-mine"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["My Agent"], "'My Agent' is no plugin's name; due are small letters and digits"),
        (["agentrelay-aider"], "'agentrelay-aider' has the prefix already; give the rest of it: 'aider'"),
        (["x" * (LONGEST_NAME + 1)], f"has {LONGEST_NAME + 1} characters; {LONGEST_NAME} are allowed"),
        (["core"], "'core' is the core's own name"),
        (["../up"], "'../up' is no plugin's name"),
        (["command"], "provides the framework 'command' already; choose another name"),
        (["a", "--environment", "proces"], "no environment 'proces' is installed; did you mean 'process'?"),
        (["a", "--framework", "command"], "--framework is for a step's key; leave it out"),
    ],
)
def test_a_name_that_cannot_be_is_told(shell, arguments, said):
    """Exit 2 with what would be right; nothing is made."""
    refused = shell("plugins", "new", *arguments, "--kind", "framework", expect=2)
    assert said in refused.stderr
    assert not list(shell.path.glob("agentrelay-*"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("workspace", "a complete one is in the docstring of agentrelay_workspace (agentrelay_core.hooks.specs)."),
        ("merger", "a merger belongs to a workspace; a complete one is in the docstring of agentrelay_task_merger"),
        ("teardown", "a teardown belongs to a workspace"),
        ("framwork", "did you mean 'framework'?"),
    ],
)
def test_a_kind_that_is_not_there_is_told(shell, kind, said):
    """What cannot be rendered says so plainly, and which kinds can."""
    refused = shell("plugins", "new", "a", "--kind", kind, expect=2).stderr
    assert said in refused
    assert "Kinds are: framework, environment, forge, launcher" in refused


def test_bounds_and_names():
    """A version gives the bounds of what is compatible with it; a good name has nothing wrong."""
    assert [bound(version) for version in ("0.1.0", "0.12.3", "1.4.2")] == [">=0.1,<0.2", ">=0.12,<0.13", ">=1.4,<2"]
    assert [name_problem(name) for name in ("aider", "claude-code", "claude_code", "a1")] == [None] * 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "--environment", "process"], "leave it out here"),
        (["a", "--framework", "command"], "leave it out for a plugin of the kind forge"),
        (["local"], "provides the forge 'local' already; choose another name"),
        (["auto"], "`forge: auto` chooses among all forges; choose another name"),
    ],
)
def test_a_forge_that_cannot_be_is_told(shell, arguments, said):
    """A forge has no pair, and a name of its own; exit 2, and nothing is made."""
    assert said in shell("plugins", "new", *arguments, "--kind", "forge", expect=2).stderr
    assert not list(shell.path.glob("agentrelay-*"))


@pytest.mark.slow
def test_a_step_for_others_is_checked_beside_them(shell):
    """A step for a pair of another distribution depends on it, and its checks have it beside them and pass."""
    shell("plugins", "new", "tell", "--kind", "kickoff", "--framework", "fake", "--environment", "in_process")
    folder = shell.path / "agentrelay-tell"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["agentrelay-core>=0.1,<0.2", "pytest-agentrelay>=0.1,<0.2"]
    hooks = (folder / "agentrelay_tell" / "__init__.py").read_text()
    assert "from pytest_agentrelay.fakes.environment import InProcess\n" in hooks
    assert 'companions = ("pytest_agentrelay.fakes",)\n' in (folder / "tests" / "test_compliance.py").read_text()
    assert not (folder / "tests" / "test_graph.py").exists()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        env={**shell.environment, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
