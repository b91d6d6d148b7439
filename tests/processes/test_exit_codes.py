"""Exit codes as people see them."""

import pytest

from agentrelay_core.processes import describe_exit, shown_exit_code


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (3, 3), (-9, 137), (-15, 143)])
def test_signals_are_shown_as_shells_do(code: int, shown: int) -> None:
    """A signal's number becomes 128 plus that number; everything else stays."""
    assert shown_exit_code(code) == shown


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exited 0"),
        (-9, "was ended by SIGKILL (exit 137)"),
        (-200, "was ended by signal 200 (exit 328)"),
        (None, "ended, its exit code is not known"),
    ],
)
def test_ends_are_told_in_words(code: int | None, text: str) -> None:
    """How a program ended reads as part of a sentence."""
    assert describe_exit(code) == text
