"""What ``agentrelay plugins new`` makes is green at once: each kind's own tox, against wheels in clean environments."""

import os

import pytest
from installing import Environment, run

from agentrelay_core.cli.scaffolding import KINDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def tools(once, wheels):
    """An environment with the installed command and tox."""
    place = once("tools", lambda place: Environment(place).install(wheels["agentrelay_core"], "tox", "tox-uv"))
    return Environment(place)


@pytest.mark.parametrize("kind", KINDS)
def test_its_tox_is_green_at_once(tools, wheelhouse, tmp_path, kind):
    """Rendered by the installed command, installed by tox as a wheel: strict types, compliance, a merged run."""
    name = kind.replace("_", "-")
    tools.agentrelay("plugins", "new", f"new-{name}", "--kind", kind, "--directory", str(tmp_path))
    # Our distributions are on no index yet; what else is needed comes from where this machine gets it.
    places = [str(wheelhouse), *os.environ.get("PIP_FIND_LINKS", "").split()]
    found = {"PIP_FIND_LINKS": " ".join(places), "UV_FIND_LINKS": ",".join(places)}
    done = run(tools.bin / "tox", "run", cwd=tmp_path / f"agentrelay-new-{name}", env=found)
    assert "types: OK" in done.stdout
    assert "py3: OK" in done.stdout
    assert " passed" in done.stdout
    assert "test_graph.py ." in done.stdout
