"""The house: rules about the tree itself."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "agentrelay_core"
STEP_CLASSES = {
    "ComposedLauncher",
    "ComposedKickoff",
    "ComposedCompletionChecker",
    "SignalCompletionChecker",
    "WorktreeTaskPreparer",
    "WorktreeTaskTeardown",
    "LocalTaskMerger",
}


def _modules(*rooms):
    return [path for room in rooms for path in (CORE / room).rglob("*.py")]


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_nothing_is_wired_past_the_hooks():
    """No module of the orchestrator or the command line imports a step class, the built-in plugin or a plugin."""
    for path in _modules("orchestrator", "cli"):
        for module, name in _imports(path):
            assert name not in STEP_CLASSES, path
            assert not module.startswith(("agentrelay_core.builtin", "agentrelay_git_gh")), path


def test_entry_points_are_read_in_one_module():
    """Readers of entry points differ between Python versions, so the backport is used, once."""
    readers = {
        path.relative_to(CORE).as_posix()
        for path in CORE.rglob("*.py")
        for module, _ in _imports(path)
        if module.split(".")[0] in {"importlib_metadata"} or module == "importlib.metadata"
    }
    assert readers == {"hooks/discovery.py"}


def test_every_module_says_why_it_exists():
    """A file's first paragraph is there, in the core and in plugins."""
    for path in [*CORE.rglob("*.py"), *(ROOT / "plugins").glob("*/agentrelay_*/**/*.py")]:
        if "helper" in path.parts or "demo" in path.parts:
            continue
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_modules_stay_small():
    """Above 300 lines two ideas share a room; the median stays under 150."""
    sizes = {path: len(path.read_text().splitlines()) for path in CORE.rglob("*.py")}
    large = {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > 300}
    assert not large
    assert sorted(sizes.values())[len(sizes) // 2] < 150


def test_nobody_is_told_to_install_the_bare_name():
    """The bare name on the package index belongs to someone else."""
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *CORE.rglob("*.py")]:
        assert not re.search(r"pip install (-\S+ )*agentrelay(?![-\w])", path.read_text()), path
