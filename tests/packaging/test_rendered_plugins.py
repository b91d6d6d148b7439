"""What ``agentrelay plugins new`` makes is green at once: each kind's own tox, against wheels in clean environments."""

import os
import re
from pathlib import Path

import pytest
from installing import Environment, run

from agentrelay_core.cli.scaffolding import KINDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def tools(once, wheels):
    """An environment with the installed command and tox."""
    place = once("tools", lambda place: Environment(place).install(wheels["agentrelay_core"], "tox", "tox-uv"))
    return Environment(place)


@pytest.fixture(scope="module")
def found(wheelhouse):
    """Where installers find our distributions, which are on no index yet, and what this machine has besides."""
    places = [str(wheelhouse), *os.environ.get("PIP_FIND_LINKS", "").split()]
    return {"PIP_FIND_LINKS": " ".join(places), "UV_FIND_LINKS": ",".join(places)}


def _green(output):
    return "types: OK" in output and "py3: OK" in output and "test_graph.py ." in output


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "framework"])
def test_its_tox_is_green_at_once(tools, found, tmp_path, kind):
    """Rendered by the installed command, installed by tox as a wheel: strict types, compliance, a merged run."""
    name = kind.replace("_", "-")
    tools.agentrelay("plugins", "new", f"new-{name}", "--kind", kind, "--directory", str(tmp_path))
    done = run(tools.bin / "tox", "run", cwd=tmp_path / f"agentrelay-new-{name}", env=found)
    assert _green(done.stdout)


def test_the_documented_way_to_a_framework(tools, found, tmp_path):
    """The page's lines, typed as they stand, end with a green tox and a card on which no check failed."""
    page = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
    lines = re.search(r"<!-- snippet: new -->\n```sh\n(.*?)```", page, re.DOTALL)[1]
    path = f"{tools.bin}{os.pathsep}{os.environ['PATH']}"
    done = run("sh", "-ec", lines, cwd=tmp_path, env={**found, "PATH": path})
    assert _green(done.stdout)
    card = done.stdout[done.stdout.index("\nagentrelay-aider 0.1.0 (entry point aider): ") :]
    assert "\n  failed " not in card
    assert re.search(r"^framework for aider in process: \d+ proven", card, re.MULTILINE)
    assert re.search(r"^task_launcher for aider in process, with a stand-in for sh: \d+ proven", card, re.MULTILINE)
