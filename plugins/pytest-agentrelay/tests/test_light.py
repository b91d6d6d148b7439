"""What a test run pays for the kit before it uses it, and that it is a plugin like any other."""

import subprocess
import sys

import pytest
import pytest_agentrelay

from agentrelay_core import Catalog

pytest_plugins = ["pytester"]

HEAVY = ("asyncio", "agentrelay_core", "attr", "attrs")


def _imported_by(statement: str) -> set[str]:
    """Modules that a statement imports beside those that pytest itself needs."""
    code = f"import sys, pytest; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] if name.startswith("agentrelay_core") else name for name in done.stdout.split()}


def test_pytest_starts_without_the_kit_s_weight():
    """The module that every pytest run loads imports neither asyncio nor the core."""
    imported = _imported_by("import pytest_agentrelay.plugin")
    assert "pytest_agentrelay.plugin" in imported
    assert not imported & set(HEAVY)


def test_a_test_without_its_fixtures_does_not_load_the_core(pytester):
    """In a whole pytest run that uses nothing of the kit, the core is not there at the end."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "pytest_agentrelay.plugin" in sys.modules
            assert not {name for name in ("agentrelay_core", "asyncio") if name in sys.modules}
        """
    )
    plugins = ("asyncio", "hypothesispytest", "timeout", "xdist", "xdist.looponfail")
    done = pytester.runpytest_subprocess(*(word for name in plugins for word in ("-p", f"no:{name}")))
    done.assert_outcomes(passed=1)


def test_what_declares_the_fakes_loads_no_implementation():
    """Asking the plugin what it provides makes records, and loads neither hosts, threads nor asyncio."""
    statement = "import pytest_agentrelay.fakes as fakes; [*fakes.agentrelay_environments()]; "
    imported = _imported_by(statement + "[*fakes.agentrelay_frameworks()]")
    parts = {
        "host",
        "framework",
        "agent",
        "thread",
        "acts",
        "stage",
        "steps",
        "repository",
        "completion",
        "address",
        "script",
    }
    assert not imported & {f"pytest_agentrelay.fakes.{part}" for part in parts}
    assert "asyncio" not in imported


def test_the_fakes_are_a_plugin_like_any_other():
    """They come through the entry point, are active, and bring a framework and an environment."""
    catalog = Catalog.discover()
    [report] = [report for report in catalog.plugins if report.name == "pytest-agentrelay"]
    assert report.status == "active", report.reason
    assert catalog.frameworks["fake"].default_environment == "in_process"
    assert "in_process" in catalog.environments


def test_the_list_of_plugins_shows_them():
    """``agentrelay plugins list`` names the distribution and says that it is active."""
    command = [sys.executable, "-m", "agentrelay_core.cli", "plugins", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if "pytest-agentrelay" in line]
    assert "active" in line


def test_names_for_annotations_are_there():
    """What fixtures give can be imported from the package, and nothing else is made up."""
    for name in pytest_agentrelay.__all__:
        assert getattr(pytest_agentrelay, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = pytest_agentrelay.Nothing
