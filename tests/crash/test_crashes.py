"""A short crash matrix, with every test run; `matrix.py` runs the long one."""

import pytest
from matrix import matrix


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.fault("O2", "O3")
def test_a_killed_run_comes_to_the_same_end():
    """Killed at named places and at random moments, a run ends with the same tree, and nothing is done twice."""
    figures, wrong = matrix(kills=12, tasks=12, seed=1, per_run=6)
    assert wrong == []
    assert figures.wrong == 0
    assert figures.kills >= 12
