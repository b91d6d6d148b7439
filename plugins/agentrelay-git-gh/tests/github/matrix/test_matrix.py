"""A short forge matrix, with every test run; `forge_matrix.py` runs the long one."""

import os

import pytest
from forge_matrix import start
from matrix_scenarios import SCENARIOS
from pytest_agentrelay.github.programs import real_gh

# Moments of each scenario; the first with one gh, the second with the other.
INTERLEAVINGS = 2
# Every fourth scenario, and of the others what people meet most: all of them take longer than a run of all tests may.
ALWAYS = (
    "merged by a person",
    "check red",
    "check absent",
    "check pending, then green",
    "two pull requests for one head",
    "login expired",
    "base modified once",
    "branch must be up to date",
)
CHOSEN = [scenario for number, scenario in enumerate(SCENARIOS) if number % 4 == 1 or scenario.name in ALWAYS]


@pytest.fixture(scope="module")
def programs():
    """Both real gh programs."""
    return [real_gh("new"), real_gh("old")]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.fault("G10", "G11", "G12", "G13", "G14", "G15", "G16", "G17", "G18", "G19", "G20")
@pytest.mark.parametrize("name", [scenario.name for scenario in CHOSEN])
def test_whatever_gets_in_the_way_nothing_is_merged_twice_or_wrongly(name, programs, real_program):
    """One merge of what was verified with its checks green, or none and a message that says what to type."""
    for _, version in programs:
        real_program("gh", version)
    figures, wrong = start(name, range(INTERLEAVINGS), [os.fspath(path) for path, _ in programs])
    assert wrong == []
    assert figures.lives == INTERLEAVINGS


def test_every_fault_of_github_is_among_them():
    """No row of the table of faults is left to the long matrix alone."""
    rows = {row for scenario in SCENARIOS for row in scenario.rows}
    assert rows >= {f"G{number}" for number in range(10, 21)}
    assert {row for scenario in CHOSEN for row in scenario.rows} == rows
