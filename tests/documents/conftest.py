"""A repository for what pages say, and a shell that knows our command."""

import os
import shlex
import subprocess
import sys

import pytest


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A real git repository; what we keep of runs goes beside it."""
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "repository"
    path.mkdir()
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["config", "user.name", "Uma User"],
        ["config", "user.email", "uma@example.org"],
        ["commit", "-q", "--allow-empty", "-m", "Begin"],
    ):
        subprocess.run(["git", *arguments], cwd=path, check=True)
    return path


@pytest.fixture
def variables(repository, tmp_path):
    """Variables by which a shell finds ``agentrelay``, that of this interpreter."""
    program = tmp_path / "bin" / "agentrelay"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m agentrelay_core.cli "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
