"""``agentrelay plugins check``: the card of sound and of faulty plugins, and what is told where there is none."""

import json
import textwrap

import pytest

from agentrelay_core.cli.checking.programs import programs
from agentrelay_core.cli.checking.subjects import Subject, Wishes, subjects_of
from agentrelay_core.hooks import Catalog

FRAMEWORK = """
    from agentrelay_core import AgentCommand, FrameworkType, TaskCompletionSignal, hookimpl

    class Framework:
        def command(self, context):
            return AgentCommand(argv=("surely-an-agent", str(context.runtime.state.signal_dir / "instructions.md")))

        def read_line(self, line):
            return None

        def outcome(self, exit_code, last_lines):
            {outcome}

    @hookimpl
    def agentrelay_frameworks():
        yield FrameworkType(
            name="{name}", cls=Framework, default_environment="process", needs=("surely-an-agent", "git")
        )
"""
RIGHT = 'return TaskCompletionSignal("done") if exit_code == 0 else TaskCompletionSignal("failed", error="no")'
WRONG = 'return TaskCompletionSignal("done")'


@pytest.fixture
def install(shell, tmp_path):
    """Installs distributions of one module, as pip leaves them, where the shell's commands find them."""
    site = tmp_path / "site"
    site.mkdir()
    shell.environment["PYTHONPATH"] = str(site)

    def installed(name, source, *, point="it", value="", group="agentrelay.v1"):
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{point} = {value or module}\n")

    return installed


def _card(done):
    facts = json.loads(done.stdout)
    assert facts["schema"] == 1
    return facts


@pytest.mark.slow
def test_a_sound_framework_is_proven(shell, install):
    """Its own checks and a launch, with a stand-in for the agent that is not there, are proven; exit 0."""
    install("agentrelay-sound", FRAMEWORK.format(outcome=RIGHT, name="sound"), point="sounding")
    facts = _card(shell("plugins", "check", "sounding", "--json"))
    assert (facts["plugin"], facts["version"], facts["status"]) == ("agentrelay-sound", "1.0", "active")
    rows = {row["step"]: row for row in facts["card"]}
    assert rows.keys() == {"framework", "task_launcher"}
    for row in rows.values():
        assert (row["framework"], row["environment"], row["standing"]) == ("sound", "process", "proven")
        assert {check["outcome"] for check in row["checks"]} == {"proven", "skipped"}
        assert sum(check["outcome"] == "proven" for check in row["checks"]) > 5
    assert rows["task_launcher"]["stand_ins"] == ["git", "surely-an-agent"]
    skipped = [check for check in rows["task_launcher"]["checks"] if check["outcome"] == "skipped"]
    assert any("'resumable' is not declared" in check["message"] for check in skipped)
    found = {program["name"]: program for program in facts["programs"]}
    assert "git version " in found["git"]["version"]
    assert found["surely-an-agent"]["path"] is None


@pytest.mark.slow
def test_a_fault_is_told_with_its_remedy(shell, install):
    """A framework that calls every end done fails exactly there: exit 1, and what to do stands in the card."""
    install("agentrelay-wrong", FRAMEWORK.format(outcome=WRONG, name="wrong"))
    done = shell("plugins", "check", "agentrelay_wrong", expect=1)
    assert done.stdout.startswith("agentrelay-wrong 1.0 (entry point it): 1 failed, ")
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  failed "))
    assert "outcome" in lines[at]
    assert "Remedy: " in "\n".join(lines[at : at + 4])
    assert "  surely-an-agent: not on PATH" in lines


@pytest.mark.slow
def test_other_plugins_of_pytest_are_left_out(shell, install):
    """The checks are the kit's alone: what else is installed for pytest, broken or slow, has no part in them."""
    install("agentrelay-sound", FRAMEWORK.format(outcome=RIGHT, name="sound"))
    install("pytest-broken", "raise RuntimeError('broken')", group="pytest11")
    rows = _card(shell("plugins", "check", "agentrelay-sound", "--json"))["card"]
    assert [row["standing"] for row in rows] == ["proven", "proven"]


@pytest.mark.slow
def test_an_attribute_as_entry_point_is_checked(shell, install):
    """An entry point that names an object in a module is put before the checks as that object."""
    source = FRAMEWORK.format(outcome=RIGHT, name="held") + "\n    import sys\n    held = sys.modules[__name__]\n"
    install("agentrelay-held", source, value="agentrelay_held:held")
    rows = _card(shell("plugins", "check", "agentrelay-held", "--json"))["card"]
    assert [row["standing"] for row in rows] == ["proven", "proven"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("import os; os._exit(3)", "it ended pytest itself (exit 3)"),
        ("import time; time.sleep(600)", "it was not over within 20 s, the time for all checks"),
    ],
)
def test_a_check_that_never_ends_is_a_failure(shell, install, outcome, said):
    """What ends pytest or hangs has failed; what was proven before stands, what was to come is skipped; exit 1."""
    install("agentrelay-bad", FRAMEWORK.format(outcome=outcome, name="bad"))
    rows = _card(shell("plugins", "check", "agentrelay-bad", "--timeout", "20", "--json", expect=1))["card"]
    checks = [check for row in rows for check in row["checks"]]
    assert [said in check["message"] for check in checks if check["outcome"] == "failed"] == [True]
    assert any(check["outcome"] == "proven" for check in checks)
    assert any("it was not begun" in check["message"] for check in checks if check["outcome"] == "skipped")


def test_an_unusable_plugin_shows_its_reason(shell, install):
    """A broken plugin is not checked: exit 5 with reason and remedy; `--json` has them too."""
    install("agentrelay-broken", "import surely_not_there")
    done = shell("plugins", "check", "agentrelay-broken", expect=5)
    assert "agentrelay-broken 1.0 is broken: importing agentrelay_broken raised ModuleNotFoundError" in done.stdout
    assert "mend: Repair or upgrade it" in done.stdout
    facts = _card(shell("plugins", "check", "agentrelay-broken", "--json", expect=5))
    assert (facts["status"], facts["card"]) == ("broken", [])


def test_a_name_that_is_not_there_is_told(shell, install):
    """Exit 2 with the nearest name; an entry point's name that two plugins have is answered with both."""
    assert "did you mean 'agentrelay-git-gh'?" in shell("plugins", "check", "agentrelay-git-hg", expect=2).stderr
    for name in ("agentrelay-one", "agentrelay-two"):
        install(name, "", point="same")
    both = shell("plugins", "check", "same", expect=2).stderr
    assert "2 plugins have an entry point 'same': agentrelay-one 1.0 and agentrelay-two 1.0" in both
    assert "`agentrelay plugins check agentrelay-one`" in both


FORGE = """
    import subprocess
    from agentrelay_core import ForgeProvider, hookimpl

    class Forge:
        def __init__(self, run):
            raise RuntimeError("no login")

    @hookimpl
    def agentrelay_forges():
        yield ForgeProvider(name="unready", recognises=lambda url: False, factory=Forge, {more})
"""


@pytest.mark.slow
def test_a_forge_is_checked(shell, install):
    """Each forge that a plugin declares has a row by its name; one that cannot be made fails there, exit 1."""
    install("agentrelay-unready", FORGE.format(more=""))
    row = _card(shell("plugins", "check", "agentrelay-unready", "--json", expect=1))["card"][0]
    assert (row["step"], row["forge"], row["compliance"]) == ("forge", "unready", "ForgeCompliance")
    failed = {check["name"]: check["message"] for check in row["checks"] if check["outcome"] == "failed"}
    assert failed.keys() == {"importing_the_plugin_is_light", "signature"}
    assert "the factory of the forge 'unready' raised RuntimeError: no login" in failed["signature"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("has_server=True", "its pull requests live on a server; subclass ForgeCompliance of pytest-agentrelay"),
        ("needs=('surely-not-there',)", "surely-not-there is not on PATH"),
    ],
)
def test_a_forge_that_cannot_be_checked_is_only_claimed(shell, install, more, why):
    """A forge with a server, or without a program that it needs, is listed, and why it is not checked."""
    install("agentrelay-unready", FORGE.format(more=more))
    done = shell("plugins", "check", "agentrelay-unready")
    assert f"forge unready: only claimed, not checked: {why}" in done.stdout


@pytest.mark.slow
def test_what_no_check_can_judge_is_only_claimed(shell):
    """Workspace, preparer, merger and teardown need their own repository: they are listed, and why."""
    done = shell("plugins", "check", "agentrelay-git-gh")
    assert "task_merger for * in *: only claimed, not checked: it needs a repository" in done.stdout
    assert "subclass MergerCompliance of pytest-agentrelay" in done.stdout
    assert "  git: git version " in done.stdout
    assert "\nforge local: 16 proven\n" in done.stdout
    assert "\nforge github: only claimed, not checked: its pull requests live on a server" in done.stdout


@pytest.mark.parametrize("given", ["name", "=x", "a=["])
def test_a_wrong_option_is_told(shell, given):
    """An option is KEY=VALUE, its value YAML; anything else is exit 2."""
    assert "--option" in shell("plugins", "check", "agentrelay-core", "--option", given, expect=2).stderr


@pytest.mark.slow
def test_a_missing_option_is_named(shell, install):
    """A framework with an option that must be given says so instead of failing; given, it is checked."""
    source = FRAMEWORK.replace("needs=", "options=Options, needs=").replace(
        "    class Framework",
        "    import attrs\n\n    @attrs.frozen\n    class Options:\n        flag: int\n\n    class Framework",
    )
    install("agentrelay-asking", source.format(outcome=RIGHT, name="asking"))
    done = shell("plugins", "check", "agentrelay-asking")
    assert done.stdout.count("only claimed, not checked: its framework needs an option; add `--option flag=VALUE`") == 2
    rows = _card(shell("plugins", "check", "agentrelay-asking", "--option", "flag=1", "--json"))["card"]
    assert [row["standing"] for row in rows] == ["proven", "proven"]


@pytest.mark.slow
def test_a_declared_capability_is_checked(shell, install):
    """Declared for a step, a capability that the built-in launcher has is proven there, and skipped nowhere else."""
    install("agentrelay-sound", FRAMEWORK.format(outcome=RIGHT, name="sound"))
    done = shell("plugins", "check", "agentrelay-sound", "--capability", "task_launcher:adoptable")
    assert (
        "  proven   From `to_json`, by way of JSON, a host that is made anew finds the very agent, alive."
        in done.stdout
    )
    assert "(not declared: resumable)" in done.stdout
    assert "(not declared: adoptable)" not in done.stdout
    assert Wishes(capabilities=frozenset({"a", "x:b", "y:c"})).capabilities_of("x") == {"a", "b"}


def test_versions_are_asked_with_a_deadline(tmp_path, monkeypatch):
    """A program that hangs, fails or is not there has no version; one that answers has its first line with a number."""
    for name, script in {
        "hangs": "sleep 60",
        "fails": "echo 1; exit 1",
        "tells": "echo Tell; echo 'tells 1.2'",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = programs(("hangs", "fails", "tells", "absent"), deadline=1)
    assert [program.version for program in found] == [None, None, "tells 1.2", None]
    assert [program.line.partition(" (")[0] for program in found] == [
        "hangs: says no version",
        "fails: says no version",
        "tells: tells 1.2",
        "absent: not on PATH",
    ]


def test_titles_tell_of_stand_ins():
    """Where something stands in for an agent's program, the card says so."""
    subject = Subject(
        step="task_launcher", framework="a", environment="b", attributes={"stand_ins": {"x": "", "y": ""}}
    )
    assert subject.title == "task_launcher for a in b, with a stand-in for x, y"


def test_options_are_for_the_plugins_own_framework():
    """What is checked with another framework in its place is given none of them."""
    catalog = Catalog.discover()
    report = next(report for report in catalog.plugins if report.name == "pytest-agentrelay")
    subjects = subjects_of(catalog, report, Wishes(options={"script": ["hang"]}))
    given = {
        (subject.framework, "script" in subject.attributes["options"]) for subject in subjects if subject.compliance
    }
    assert given == {("*", False), ("fake", True)}
