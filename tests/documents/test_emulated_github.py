"""The page about the emulated GitHub shows tests that pass, with the real gh."""

import re

from pages import ROOT, names, page, snippets
from pytest_agentrelay import github
from pytest_agentrelay.github.programs import real_gh

pytest_plugins = ["pytester"]


def test_documented_tests_pass(pytester, real_program, monkeypatch):
    """The tests on the page pass as they stand, with gh on PATH."""
    program, version = real_gh("old")
    real_program("gh", version)
    programs = pytester.mkdir("programs")
    (programs / "gh").symlink_to(program)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    [name] = names("emulated-github")
    [text] = snippets(name, "emulated-github")
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_every_fault_is_on_the_page():
    """No function that makes a fault goes without a line in the table."""
    source = (ROOT / "plugins/pytest-agentrelay/pytest_agentrelay/github/faults.py").read_text()
    makers = re.findall(r"^def (\w+)\(", source, re.MULTILINE)
    assert set(makers) <= set(github.__all__)
    assert [name for name in makers if f"`{name}(" not in page("docs/emulated-github.md")] == []


def test_every_deed_is_on_the_page():
    """Nothing that a test can do in a repository goes without a word."""
    deeds = [name for name in vars(github.HostedRepository) if not name.startswith("_")]
    told = page("docs/emulated-github.md")
    untold = {name for name in deeds if not re.search(rf"`{name}\b", told)}
    assert untold <= {"slug", "path", "pulls", "tip"}
