"""The checks are proven by mutants: the reference passes all of them, each mutant fails its own and no other."""

from importlib import import_module
from pathlib import Path

import pytest
from judging import judge

MUTANTS = Path(__file__).parent / "mutants"
# Those that take longest come first.
KINDS = (
    "checkers",
    "hosts_of_plain",
    "kickoffs",
    "launchers",
    "preparers",
    "mergers",
    "forges",
    "teardowns",
    "frameworks",
)
# Imports are judged in a fresh interpreter, for modules on disk: see test_wrong_plugins.py.
ELSEWHERE = {"test_importing_the_plugin_is_light"}


def _failed(verdicts):
    return {check for check, verdict in verdicts.items() if verdict.outcome == "failed"}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_checks_and_mutants_is_diagonal(kind, tmp_path):
    """References pass every check, each mutant fails exactly its own, and every check catches a mutant."""
    table = judge(MUTANTS / f"{kind}.py", tmp_path)
    module = import_module(kind)
    due = {f"Test{mutant.__name__}": {mutant.caught_by} for mutant in module.MUTANTS}
    found = {name: _failed(verdicts) for name, verdicts in table.items()}
    wrong = {
        name: (sorted(failed), sorted(due.get(name, ())), [table[name][check].text for check in sorted(failed)])
        for name, failed in found.items()
        if failed != due.get(name, set())
    }
    assert not wrong
    assert set(due) <= set(found)
    references = [name for name in found if name not in due]
    checks = {name for name in dir(module.COMPLIANCE) if name.startswith("test_")} - ELSEWHERE
    assert checks == {check for caught in due.values() for check in caught}
    passed = {check for name in references for check, verdict in table[name].items() if verdict.outcome == "passed"}
    assert checks == passed
