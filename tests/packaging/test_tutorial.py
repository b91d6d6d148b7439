"""The tutorial is run as a stranger would: what it shows is put where it says, and what it types is typed."""

import os
import re
import subprocess

import pytest
from installing import Environment
from pages import DOCS, page, snippets

TUTORIAL = "docs/tutorial.md"
SHOWN = re.compile(r"^```\{literalinclude\} (\S+)\n(?::\w+: \S+\n)*?:caption: (\S+)\n", re.MULTILINE)
STEP = re.compile(rf"{SHOWN.pattern}|<!-- snippet: tutorial -->\n```sh\n(.*?)```", re.MULTILINE | re.DOTALL)


def _script():
    """The tutorial as one program of the shell."""
    assert len(snippets(TUTORIAL, "tutorial")) == 6
    for source, target, commands in STEP.findall(page(TUTORIAL)):
        if commands:
            yield commands
        else:
            yield f'mkdir -p "$START/$(dirname {target})" && cp "$DOCS/{source}" "$START/{target}"\n'


def test_each_file_of_the_tutorial_is_shown():
    """Every file is included by the page, with the place where its reader is to put it."""
    shown = {source for source, _ in SHOWN.findall(page(TUTORIAL))}
    assert shown == {f"tutorial/{path.name}" for path in (DOCS / "tutorial").iterdir()}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tutorial_runs(tmp_path, wheels):
    """In a clean environment every command ends as it should, and what the page says is printed is printed."""
    environment = Environment(tmp_path / "environment")
    environment.install(*(wheels[name] for name in ("agentrelay_core", "agentrelay_git_gh", "pytest_agentrelay")))
    start = tmp_path / "start"
    start.mkdir()
    (tmp_path / "gitconfig").write_text("[user]\nname = Uma User\nemail = uma@example.org\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTRELAY_", "PYTHONPATH"))}
    variables = {
        **clean,
        "AGENTRELAY_STATE_DIR": str(tmp_path / "state"),
        "DOCS": str(DOCS),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "PATH": f"{environment.bin}{os.pathsep}{os.environ['PATH']}",
        "START": str(start),
    }
    done = subprocess.run(
        ["sh", "-exc", "".join(_script())], cwd=start, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout + done.stderr
    promised = re.findall(r"^    (\S.*)$", page(TUTORIAL), re.MULTILINE)
    assert len(promised) == 3
    for line in promised:
        assert line in printed, f"not printed: {line}\n{printed}"
