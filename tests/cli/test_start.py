"""The command line starts at once."""

import subprocess
import sys

import pytest

HEAVY = ("asyncio", "attrs", "attr", "yaml", "pluggy", "rich", "sqlite3", "agentrelay_git_gh", "importlib_metadata")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    """No plugin, no rich, no asyncio, no attrs: seen in the modules of a real process."""
    program = (
        "import sys\n"
        f"sys.argv = ['agentrelay', *{arguments!r}]\n"
        "from agentrelay_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('LOADED', *(name for name in {HEAVY!r} if name in sys.modules))\n"
        "print(*(name for name in sys.modules if name.startswith('agentrelay_core.builtin')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.partition("LOADED")[2].strip() == ""
