"""The command line starts at once: each command imports what it needs, seen in the modules of a real process."""

import subprocess
import sys

import pytest

HEAVY = ("asyncio", "attrs", "attr", "yaml", "pluggy", "rich", "sqlite3", "agentrelay_git_gh", "importlib_metadata")
# What takes longer to import than most commands take for the rest of their work.
DEAR = {*HEAVY, "cattrs", "platformdirs", "ssl", "logging", "shutil", "hashlib"}
GRAPH = """\
name: g
tasks:
  one: {description: x, allow_no_changes: true, agent: {framework: command, command: 'true'}}
"""
ONLY_OF_OTHERS = {"cattrs", "platformdirs", "rich", "importlib_metadata", "difflib"}


VERBS = ("retry", "reset", "clean", "cancel", "watch", "rescue", "journal")


def loaded(arguments, wanted, shell=None):
    """Which of some modules are there, and which of the built-in plugin, when a command has ended well."""
    program = (
        "import sys\n"
        f"sys.argv = ['agentrelay', *{arguments!r}]\n"
        "from agentrelay_core.cli import main\n"
        "try:\n    code = main()\nexcept SystemExit as end:\n    code = end.code\n"
        "assert not code, code\n"
        f"print('LOADED', *(name for name in {sorted(wanted)!r} if name in sys.modules))\n"
        "print(*(name for name in sys.modules if name.startswith('agentrelay_core.builtin')))\n"
    )
    where = {} if shell is None else {"cwd": shell.path, "env": shell.environment}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, **where)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.partition("LOADED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)])
def test_help_imports_nothing_heavy(arguments):
    """No plugin, no rich, no asyncio, no attrs."""
    assert loaded(arguments, HEAVY) == set()


def test_status_of_nothing_imports_no_journal(shell):
    """Where nothing was run yet, only its absence is looked for; the place's name is a hash."""
    assert loaded(["status"], DEAR, shell) == {"hashlib"}


def test_status_imports_neither_plugins_nor_an_event_loop(shell):
    """A run's state is read with SQLite and attrs alone."""
    shell.graph(GRAPH)
    shell("run")
    assert loaded(["status"], DEAR, shell) == {"hashlib", "sqlite3", "attrs", "attr"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs tells the user's directories")
def test_a_list_of_plugins_imports_declarations_alone(shell):
    """Plugins are asked what they provide; no graph, no journal, no event loop and no step comes with that."""
    found = loaded(["plugins", "list"], DEAR, shell)
    assert found == {"attrs", "attr", "pluggy", "agentrelay_git_gh", "agentrelay_core.builtin"} | {
        f"agentrelay_core.builtin.{name}" for name in ("environment", "options")
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs tells the user's directories")
def test_a_run_imports_nothing_that_only_other_commands_need(shell):
    """Options that check themselves need no cattrs, and plain directories no reader of distributions."""
    shell.graph(GRAPH)
    assert not {name for name in loaded(["run"], ONLY_OF_OTHERS, shell) if name in ONLY_OF_OTHERS}
