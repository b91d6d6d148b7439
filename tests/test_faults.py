"""The page of faults and the tests agree: what the page says is tried, and nothing is tried that it does not say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PAGE = TOP / "docs" / "faults.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
DUE = {"O": 19, "I": 5, "P": 7, "L": 10, "A": 18, "G": 20, "D": 11, "E": 6}


def rows(page: str) -> dict[str, str]:
    """What agentrelay does, by row."""
    found = ROW.findall(page)
    assert len({row for row, _, _ in found}) == len(found), "a row stands twice"
    return {row: does for row, _, does in found}


def claims(source: str) -> Iterator[str]:
    """The rows that the tests in a file claim to show."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test"):
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
                    assert decorator.args, f"{function.name} claims no row"
                    yield from (ast.literal_eval(row) for row in decorator.args)


def contradictions(page: str, claimed: set[str]) -> list[str]:
    """Where a page and the rows that tests claim do not agree, in sentences."""
    does = rows(page)
    wrong = [f"{row} is claimed by a test, and the page has no such row" for row in claimed - does.keys()]
    for row, words in does.items():
        if words.startswith(("later: ", "not yet")):
            if row in claimed:
                wrong.append(f"{row} is claimed by a test, and the page says {words!r}")
        elif row not in claimed:
            wrong.append(f"{row} has no test")
    return sorted(wrong)


@pytest.fixture(scope="module")
def claimed() -> set[str]:
    """The rows that all tests of the repository claim."""
    files = [*TOP.glob("tests/**/test_*.py"), *TOP.glob("plugins/*/tests/**/test_*.py")]
    return {row for file in files for row in claims(file.read_text(encoding="utf-8"))}


def test_every_row_has_its_test(claimed: set[str]) -> None:
    """Each row has a test or is marked as later or as missing; no test claims another row."""
    assert contradictions(PAGE.read_text(encoding="utf-8"), claimed) == []


def test_the_page_has_all_rows() -> None:
    """No row can go unnoticed: each group is numbered without a gap."""
    assert set(rows(PAGE.read_text(encoding="utf-8"))) == {
        f"{group}{number}" for group, count in DUE.items() for number in range(1, count + 1)
    }


def test_a_row_that_loses_its_test_is_noticed() -> None:
    """Markers are read from the source as it stands, and each kind of disagreement is a sentence."""
    source = '@pytest.mark.fault("X1", "X2")\n@pytest.mark.fault("X9")\nasync def test_it() -> None: ...\n'
    assert set(claims(source)) == {"X1", "X2", "X9"}
    page = "| X1 | a | b |\n| X2 | a | later: tmux |\n| X3 | a | b |\n| X4 | a | not yet: c |\n"
    assert contradictions(page, set(claims(source))) == [
        "X2 is claimed by a test, and the page says 'later: tmux'",
        "X3 has no test",
        "X9 is claimed by a test, and the page has no such row",
    ]
