"""Distributions as users get them: wheels, installed by pip into clean environments."""

import pytest
from installing import Environment, make_repository

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GRAPH = (
    "name: g\nagents:\n  a: {framework: command, command: echo hi > hi.txt}\n"
    "defaults: {agent: a}\ntasks:\n  one: {description: Do it}\n"
)


def test_the_core_alone_works_and_names_what_is_missing(wheels, tmp_path):
    """Help and the list of plugins work; a graph without a merger, a check without the kit name what to install."""
    environment = Environment(tmp_path / "venv")
    environment.install(wheels["agentrelay_core"])
    assert "run what is not done" in environment.agentrelay("--help").stdout
    assert "agentrelay-core" in environment.agentrelay("plugins", "list").stdout
    repository = make_repository(tmp_path / "repository", GRAPH)
    state = {"AGENTRELAY_STATE_DIR": str(tmp_path / "state")}
    refused = environment.agentrelay("run", cwd=repository, env=state, expect=5)
    assert "agentrelay-git-gh" in refused.stderr
    unchecked = environment.agentrelay("plugins", "check", "builtin", "--option", "command=true", expect=5)
    assert "-m pip install pytest-agentrelay` installs it" in unchecked.stderr
