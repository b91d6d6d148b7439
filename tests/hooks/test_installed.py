"""Real distributions on ``sys.path``: which are found, and what becomes of those that cannot be used."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agentrelay_core.hooks import Catalog
from agentrelay_core.hooks.discovery import candidates

GOOD = """
    from agentrelay_core.hooks import Provider, hookimpl

    @hookimpl
    def agentrelay_task_merger():
        yield Provider(framework="{}", factory=print)
"""

BROKEN = {
    "agentrelay-import": ("import surely_not_there", "ModuleNotFoundError: No module named 'surely_not_there'", 1),
    "agentrelay-exit": ("import sys\nsys.exit(3)", "SystemExit: 3", 2),
    "agentrelay-cancelled": ("class Stop(BaseException): pass\nraise Stop()", "Stop", 2),
    "agentrelay-interrupted": ("class Stop(KeyboardInterrupt): pass\nraise Stop()", "Stop", 2),
    "agentrelay-syntax": ("x =", "SyntaxError: invalid syntax", 1),
}


def report(catalog: Catalog, name: str):
    return next(report for report in catalog.plugins if report.name == name)


def test_broken_imports_take_nothing_down(install):
    """Each plugin that cannot be imported is broken with error, file and line; the sound one beside it is active."""
    paths = {name: install(name, source) for name, (source, _, _) in BROKEN.items()}
    install("agentrelay-sound", GOOD.format("sound"))
    catalog = Catalog.discover()
    for name, (_, said, line) in BROKEN.items():
        broken = report(catalog, name)
        assert broken.status == "broken"
        assert broken.entry_point == "it"
        module = name.replace("-", "_")
        assert broken.reason.startswith(f"{name} 1.0: importing {module} raised {said}")
        assert broken.reason.endswith(f" ({paths[name]}:{line})")
    assert report(catalog, "agentrelay-sound").provides == ("task_merger:sound:*",)


def test_a_real_interrupt_at_import_is_the_users(install):
    """Ctrl-C while plugins are imported ends the command."""
    install("agentrelay-ctrl-c", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Catalog.discover()


def test_wrong_hooks_of_a_distribution_name_its_file(install):
    """Wrong hooks of installed plugins are told with distribution, version, file and line."""
    path = install(
        "agentrelay-wrong",
        "from agentrelay_core.hooks import hookimpl\n\n@hookimpl\ndef agentrelay_forges(config):\n    return []\n",
        version="0.3",
    )
    broken = report(Catalog.discover(), "agentrelay-wrong")
    assert broken.reason == (
        f"agentrelay-wrong 0.3: agentrelay_forges takes config ({path}:3), which the hook does not have; "
        "write `def agentrelay_forges()`"
    )


def test_two_distributions_may_share_an_entry_point_name(install):
    """An entry point's name is no identity: both are active."""
    install("agentrelay-one", GOOD.format("one"), point="same")
    install("agentrelay-two", GOOD.format("two"), point="same")
    catalog = Catalog.discover()
    found = {item.name: (item.entry_point, item.provides) for item in catalog.plugins if item.entry_point == "same"}
    assert found == {
        "agentrelay-one": ("same", ("task_merger:one:*",)),
        "agentrelay-two": ("same", ("task_merger:two:*",)),
    }


def test_several_entry_points_are_one_plugin(install, tmp_path):
    """A distribution is one plugin: all of its modules count, or none."""
    install("agentrelay-many", GOOD.format("many"), point="a")
    other = install("agentrelay-many-more", "", group="")
    info = tmp_path / "site" / "agentrelay_many-1.0.dist-info" / "entry_points.txt"
    info.write_text(info.read_text() + "b = agentrelay_many_more\n")
    many = report(Catalog.discover(), "agentrelay-many")
    assert (many.status, many.entry_point) == ("active", "a, b")
    other.write_text("raise ValueError('no')")
    sys.modules.pop("agentrelay_many_more")
    many = report(Catalog.discover(), "agentrelay-many")
    assert (many.status, many.provides) == ("broken", ())


def test_another_version_of_the_contract_is_incompatible(install):
    """Other ``agentrelay.*`` groups are reported, and nothing of them is imported."""
    install("agentrelay-next", "raise ValueError('imported')", group="agentrelay.v2")
    found = report(Catalog.discover(), "agentrelay-next")
    assert found.status == "incompatible"
    assert found.reason == (
        "agentrelay-next 1.0: it is made for another version of the contract: its entry points are in agentrelay.v2; "
        "due is agentrelay.v1"
    )


def test_a_plugin_that_requires_a_newer_core_is_incompatible(install):
    """The lower bound of its requirement is read; it is not imported."""
    install("agentrelay-newer", "raise ValueError('imported')", requires="agentrelay-core (>=99.1,<100)")
    found = report(Catalog.discover(), "agentrelay-newer")
    assert found.status == "incompatible"
    assert "it requires agentrelay-core 99.1 or newer; this is " in found.reason
    assert found.mend == "pip install --upgrade agentrelay-core"


def test_a_plugin_that_imports_what_the_core_does_not_have_is_incompatible(install):
    """A name missing in agentrelay_core means another version of it, not a broken plugin."""
    install("agentrelay-names", "from agentrelay_core.hooks import hookimpl, Teleport")
    found = report(Catalog.discover(), "agentrelay-names")
    assert found.status == "incompatible"
    assert "cannot import name 'Teleport' from 'agentrelay_core.hooks'" in found.reason


def test_a_disabled_plugin_is_not_imported(install):
    """Names are compared as package indexes do; the report says how to use it again."""
    install("agentrelay-quiet", "raise ValueError('imported')")
    found = report(Catalog.discover(disable=["Agentrelay_Quiet"]), "agentrelay-quiet")
    assert (found.status, found.reason) == ("disabled", "disabled by the configuration: [plugins] disable")
    assert found.mend.startswith('To use it, take "agentrelay-quiet" out of [plugins] disable, or run `')
    assert found.mend.endswith("`agentrelay plugins enable agentrelay-quiet`")


def test_the_first_on_the_path_counts(install, tmp_path, monkeypatch):
    """A distribution shadows another of the same name, whether or not it has a plugin itself."""
    install("agentrelay-twice", GOOD.format("far"), version="1.0")
    install("agentrelay-gone", GOOD.format("gone"), version="1.0")
    near = tmp_path / "near"
    near.mkdir()
    monkeypatch.syspath_prepend(str(near))
    install("agentrelay-twice", GOOD.format("near"), version="2.0", into=near)
    install("agentrelay-gone", "", version="2.0", group="other", into=near)
    found = {candidate.name: candidate.version for candidate in candidates()}
    assert found["agentrelay-twice"] == "2.0"
    assert "agentrelay-gone" not in found


def test_damaged_metadata_is_one_plugins_problem(install, tmp_path):
    """Undecodable entry points are nobody's plugin; a missing name is a broken one."""
    install("agentrelay-bytes", "")
    (tmp_path / "site" / "agentrelay_bytes-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[agentrelay.v1]\n\xff\xfe"
    )
    install("agentrelay-nameless", "")
    (tmp_path / "site" / "agentrelay_nameless-1.0.dist-info" / "METADATA").write_text("Version: 1.0\n")
    found = {candidate.name: candidate.problem for candidate in candidates() if candidate.problem}
    assert list(found.values()) == ["its METADATA has no Name"]


def test_leftovers_of_a_failed_removal_are_no_second_plugin(install, tmp_path):
    """Pip moves what it removes to a name with a tilde; where that stays, the distribution itself counts."""
    install("agentrelay-kept", GOOD.format("kept"), version="2.0")
    site = tmp_path / "site"
    left = site / "~gentrelay_kept-1.0.dist-info"
    shutil.copytree(site / "agentrelay_kept-2.0.dist-info", left)
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: agentrelay-kept\nVersion: 1.0\n")
    found = [candidate.version for candidate in candidates() if candidate.name == "agentrelay-kept"]
    assert found == ["2.0"]


def test_a_distribution_in_an_archive_counts(install, tmp_path, monkeypatch):
    """A zip file on the path is looked into as a directory is, in its place of the order."""
    install("agentrelay-packed", GOOD.format("packed"))
    install("agentrelay-both", GOOD.format("both"), version="2.0")
    site = tmp_path / "site"
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", site)
    shutil.rmtree(site)
    site.mkdir()
    install("agentrelay-both", GOOD.format("both"), version="1.0")
    monkeypatch.syspath_prepend(archive)
    found = {candidate.name: candidate.version for candidate in candidates()}
    assert (found["agentrelay-packed"], found["agentrelay-both"]) == ("1.0", "2.0")
    assert report(Catalog.discover(), "agentrelay-packed").provides == ("task_merger:packed:*",)


def test_importing_the_room_is_light():
    """A plugin's module needs the hooks alone: no entry points, no structuring, no event loop come with them."""
    heavy = "{'importlib_metadata', 'importlib.metadata', 'cattrs', 'asyncio', 'rich', 'click', 'yaml', 'sqlite3'}"
    code = f"import sys, agentrelay_core.hooks; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert ran.stdout.strip() == "[]"


def test_one_module_reads_entry_points():
    """``importlib_metadata`` and its like occur in hooks/discovery.py alone."""
    package = Path(sys.modules["agentrelay_core"].__file__).parent
    readers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "importlib_metadata" in (text := path.read_text()) or "importlib.metadata" in text
    }
    assert readers == {"hooks/discovery.py"}
