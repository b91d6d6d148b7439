"""Plugins of third parties beside ours, all installed by pip: they add, override, conflict and break on purpose."""

import json
import shutil
from pathlib import Path

import pytest
from installing import Environment, make_repository, make_wheel, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCRIBE = Path(__file__).parents[1] / "third_party" / "agentrelay-scribe"
GRAPH = """
name: g
agents:
  here: {{framework: scribe, style: fine, environment: {environment}}}
defaults: {{agent: here}}
tasks:
  one: {{description: Write it}}
"""
# pluggy's known traps: each is what a distribution of that name does.
TRAPS = {
    "agentrelay-exits": "import sys\nsys.exit(3)\n",
    "agentrelay-async": (
        "from agentrelay_core import hookimpl\n\n@hookimpl\nasync def agentrelay_frameworks():\n    return []\n"
    ),
    "agentrelay-misspelt": (
        "from agentrelay_core import hookimpl\n\n@hookimpl\ndef agentrelay_framworks():\n    return []\n"
    ),
    "agentrelay-twin": (
        "from agentrelay_core import ForgeProvider, hookimpl\n\n@hookimpl\ndef agentrelay_forges():\n"
        "    yield ForgeProvider(name='twin', recognises=bool, factory=print)\n"
    ),
}
REASONS = {
    "agentrelay-exits": "importing agentrelay_exits raised SystemExit: 3",
    "agentrelay-async": "agentrelay_frameworks is async",
    "agentrelay-misspelt": "there is no hook agentrelay_framworks",
}


@pytest.fixture(scope="module")
def environment(once, wheels):
    """The core, the git plugin, the kit and the third party's plugin, installed by pip; no test adds anything to it."""
    names = ("agentrelay_core", "agentrelay_git_gh", "pytest_agentrelay", "agentrelay_scribe")
    place = once("third-party", lambda place: Environment(place).install(*(wheels[name] for name in names)))
    return Environment(place)


@pytest.fixture
def beside(environment, tmp_path):
    """Installs more wheels, by pip, where only commands with the variables that it gives see them."""

    def installed(*wheels):
        place = tmp_path / "beside"
        environment.python("-m", "pip", "install", "-q", "--no-deps", "--target", str(place), *map(str, wheels))
        return {"PYTHONPATH": str(place)}

    return installed


@pytest.fixture
def graph(environment, tmp_path):
    """Runs the graph in an environment; gives what the command printed, and what the agent wrote."""

    def ran(where, *, expect=0, **variables):
        repository = tmp_path / where
        if not repository.exists():
            make_repository(repository, GRAPH.format(environment=where))
        env = {"AGENTRELAY_STATE_DIR": str(tmp_path / "state"), **variables}
        done = environment.agentrelay("run", cwd=repository, env=env, expect=expect)
        if expect:
            return done, None
        return done, run("git", "show", "agentrelay/g@default:scribe.txt", cwd=repository).stdout

    return ran


def test_its_framework_runs_in_both_environments(graph):
    """Its own launcher serves its one exact key, the core's the kit's environment; both graphs end merged."""
    assert graph("process")[1] == "fine, launched by agentrelay-scribe\n"
    assert graph("in_process")[1] == "fine, launched by the core\n"


def test_its_own_compliance_tests_pass(environment, tmp_path):
    """The kit's classes, subclassed by the third party, pass against the installed plugin."""
    for name in ("tests", "pyproject.toml"):
        source = SCRIBE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    done = environment.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=tmp_path)
    assert " passed" in done.stdout


def test_its_card_tells_what_is_proven(environment):
    """`plugins check` proves the framework and its launcher's very key, and finds the programs that it needs."""
    facts = json.loads(environment.agentrelay("plugins", "check", "scribe", "--json").stdout)
    rows = {(row["step"], row["framework"], row["environment"]): row["standing"] for row in facts["card"]}
    assert rows == {
        ("framework", "scribe", "process"): "proven",
        ("task_launcher", "scribe", "process"): "proven",
    }
    assert [program["name"] for program in facts["programs"]] == ["sh"]


def test_a_conflict_names_both_and_the_line_that_chooses(graph, beside, wheels, tmp_path):
    """Two launchers for one key stop the run that needs it, exit 5; the printed line, pasted, lets it run."""
    variables = beside(wheels["agentrelay_rival"])
    refused, _ = graph("process", expect=5, **variables)
    said = " ".join(refused.stderr.split())
    assert "task_launcher:scribe:process" in said
    assert "agentrelay-rival 0.3 and agentrelay-scribe 1.2" in said
    line = '"task_launcher:scribe:process" = "agentrelay-rival"'
    assert f"under [plugins.pin]: {line}" in said
    assert graph("in_process", **variables)[1] == "fine, launched by the core\n"
    (tmp_path / "process" / "agentrelay.toml").write_text(f"[plugins.pin]\n{line}\n")
    assert graph("process", **variables)[1] == "fine, launched by agentrelay-scribe\n"


def test_broken_plugins_are_reported_and_harm_nobody(environment, graph, beside, tmp_path):
    """Each of pluggy's traps is broken, with what is wrong and the remedy; a twin of the name and the run are well."""
    made = [make_wheel(tmp_path, name, source, point="scribe") for name, source in TRAPS.items()]
    variables = beside(*made)
    listed = json.loads(environment.agentrelay("plugins", "list", "--json", env=variables).stdout)["plugins"]
    rows = {row["name"]: row for row in listed}
    for name, reason in REASONS.items():
        assert (rows[name]["status"], reason in rows[name]["reason"]) == ("broken", True), rows[name]
        told = environment.agentrelay("plugins", "check", name, env=variables, expect=5).stdout
        assert reason in told
        assert "mend: " in told
    assert {rows[name]["status"] for name in ("agentrelay-twin", "agentrelay-scribe")} == {"active"}
    assert "did you mean agentrelay_frameworks?" in rows["agentrelay-misspelt"]["reason"]
    doctor = environment.agentrelay("plugins", "doctor", env=variables, expect=5).stdout
    assert all(reason in doctor for reason in REASONS.values())
    refused = environment.agentrelay("plugins", "check", "scribe", env=variables, expect=2).stderr
    assert "5 plugins have an entry point 'scribe'" in refused
    assert graph("process", **variables)[1] == "fine, launched by agentrelay-scribe\n"


def test_the_environment_is_not_this_tree(environment, tmp_path):
    """What these tests judge is what pip installed, not the tree that they stand in."""
    code = "import agentrelay_core, agentrelay_scribe; print(agentrelay_core.__file__, agentrelay_scribe.__file__)"
    places = environment.python("-c", code, cwd=tmp_path).stdout.split()
    assert all(environment.bin.parent in Path(place).parents for place in places), places
