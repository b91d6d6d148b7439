"""The judge of the type checkers tells of each judgement that is not as it should be."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("judge", Path(__file__).with_name("judge.py"))
judge = importlib.util.module_from_spec(spec)
spec.loader.exec_module(judge)


def test_a_type_checker_that_agrees_is_not_complained_of():
    """Nothing said of the right plugin, and something of each marked line, is as it should be."""
    wrong = dict.fromkeys(judge.marked(judge.WRONG), "no")
    assert len(wrong) > 10
    assert judge.complaints("x", lambda path: wrong if path == judge.WRONG else {}) == []


def test_each_difference_is_told():
    """A complaint about what is right, one about a line that is not marked, and a silence are three complaints."""
    marked = judge.marked(judge.WRONG)
    found = dict.fromkeys(marked - {min(marked)}, "no") | {1: "no"}
    told = judge.complaints("x", lambda path: found if path == judge.WRONG else {7: "bad"})
    assert told == [
        "x: right.py:7 is right, and it says: bad",
        "x: wrong.py:1 is not marked as wrong: no",
        f"x: wrong.py:{min(marked)} is wrong, and it says nothing",
    ]


def test_what_authors_get_wrong_is_among_it():
    """A step of another arity and a checker that is not asynchronous are refused, by a marked line each."""
    lines = judge.WRONG.read_text().splitlines()
    wrong = [lines[number - 1] for number in judge.marked(judge.WRONG)]
    assert any("TaskMerger = ShortMerger()" in line for line in wrong)
    assert any("TaskCompletionChecker = SyncChecker()" in line for line in wrong)
