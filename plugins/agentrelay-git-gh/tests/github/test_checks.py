"""What counts as a pass of a check, and what never does."""

import pytest
from agentrelay_git_gh.github.checks import Check, Requirement, instead, judge

HEAD = "a" * 40
OTHER = "b" * 40


def run(name: str, conclusion: str = "success", **fields: object) -> Check:
    return Check(**{"name": name, "commit": HEAD, "conclusion": conclusion, "app": "ci", "number": 1} | fields)  # type: ignore[arg-type]


def status(name: str, conclusion: str = "success", **fields: object) -> Check:
    return Check(**{"name": name, "commit": HEAD, "conclusion": conclusion} | fields)  # type: ignore[arg-type]


REQUIRED = [Requirement(name="build")]


@pytest.mark.parametrize("policy", ["required", ("build",), "all"])
def test_success_on_the_head_is_a_pass(policy: str | tuple[str, ...]) -> None:
    """A check that ended with success on exactly the verified commit passes under each policy."""
    verdict = judge(policy, HEAD, [run("build")], REQUIRED)
    assert verdict.passed
    assert str(verdict) == ""


@pytest.mark.parametrize("policy", ["required", ("build",), "all"])
@pytest.mark.parametrize(
    "conclusion", ["", "skipped", "neutral", "cancelled", "stale", "action_required", "unheard_of"]
)
def test_anything_but_success_is_waited_for(policy: str | tuple[str, ...], conclusion: str) -> None:
    """What has not ended, or ended without a word for or against the work, is no pass and no failure."""
    verdict = judge(policy, HEAD, [run("build", conclusion)], REQUIRED)
    assert not verdict.passed
    assert [check.name for check in verdict.waiting] == ["build"]
    assert verdict.red == verdict.missing == ()
    assert str(verdict) == f"build {conclusion or 'pending'}"


@pytest.mark.parametrize("policy", ["required", ("build",), "all"])
@pytest.mark.parametrize("conclusion", ["failure", "error", "timed_out", "startup_failure"])
def test_what_speaks_against_the_work_is_red(policy: str | tuple[str, ...], conclusion: str) -> None:
    """A check that failed is red, and nothing passes with it."""
    verdict = judge(policy, HEAD, [run("build", conclusion)], REQUIRED)
    assert not verdict.passed
    assert [check.name for check in verdict.red] == ["build"]


@pytest.mark.parametrize("policy", ["required", ("build",)])
@pytest.mark.parametrize(
    "checks",
    [[], [run("build", commit=OTHER)], [run("Build")], [run("build (3.12)")], [run("build / build")]],
    ids=["absent", "another commit's", "another case", "renamed", "nested"],
)
def test_a_check_that_is_not_there_is_missing(policy: str | tuple[str, ...], checks: list[Check]) -> None:
    """A check that is absent, renamed or ran on another commit is missing, whatever else passed."""
    verdict = judge(policy, HEAD, checks, REQUIRED)
    assert not verdict.passed
    assert verdict.missing == ("build",)
    assert str(verdict) == "build not there"


def test_all_needs_at_least_one() -> None:
    """Under ``all`` nothing at all is no pass, and neither is what ran on another commit."""
    assert not judge("all", HEAD, []).passed
    assert not judge("all", HEAD, [run("build", commit=OTHER)]).passed


def test_all_needs_all() -> None:
    """Under ``all`` one check that is skipped is enough for no pass."""
    verdict = judge("all", HEAD, [run("build"), run("lint", "skipped")])
    assert str(verdict) == "lint skipped"


def test_required_with_nothing_required_waits_for_nothing() -> None:
    """Where the branch asks for no check, red and pending ones do not matter."""
    assert judge("required", HEAD, [run("build", "failure"), run("lint", "")], []).passed


def test_none_waits_for_nothing() -> None:
    """Under ``none`` no check matters."""
    assert judge("none", HEAD, [run("build", "failure")], REQUIRED).passed


@pytest.mark.parametrize(
    ("first", "second", "passed"),
    [("failure", "success", True), ("success", "failure", False), ("success", "", False), ("failure", "", False)],
)
def test_the_newest_of_several_runs_counts(first: str, second: str, passed: bool) -> None:
    """A run of a check takes the place of those before it, also while it has not ended, in whatever order they come."""
    runs = [run("build", first, number=9), run("build", second, number=10)]
    for checks in (runs, runs[::-1]):
        verdict = judge("required", HEAD, checks, REQUIRED)
        assert verdict.passed is passed
        assert bool(verdict.red) is (second == "failure")


def test_another_app_does_not_speak_for_the_required_one() -> None:
    """Where the protection names an app, a check of that name by another app is no pass, and no failure."""
    required = [Requirement(name="build", app_id=7)]
    assert judge("required", HEAD, [run("build", app_id=8)], required).missing == ("build",)
    assert judge("required", HEAD, [run("build", "failure", app_id=8)], required).missing == ("build",)
    both = [run("build", app_id=7), run("build", "failure", app="x", app_id=8, number=2)]
    assert judge("required", HEAD, both, required).passed


def test_checks_of_one_name_by_two_apps_must_both_pass() -> None:
    """Where nobody names an app, a red check is not hidden by another app's of the same name."""
    checks = [run("build", "failure", number=1), run("build", app="x", number=2)]
    assert judge("required", HEAD, checks, REQUIRED).red
    assert judge(("build",), HEAD, checks).red


def test_a_status_counts_for_a_named_app_when_github_says_so() -> None:
    """Who made a status is not told, so GitHub's own word decides whether it is the required one."""
    required = [Requirement(name="build", app_id=7)]
    assert judge("required", HEAD, [status("build", required=True)], required).passed
    assert judge("required", HEAD, [status("build")], required).missing == ("build",)
    assert judge("required", HEAD, [status("build")], REQUIRED).passed


def test_what_is_there_instead_is_told() -> None:
    """For a missing check, the message says what is there and which was likely meant."""
    verdict = judge(("biuld", "lint"), HEAD, [run("build"), run("lint")])
    assert instead(verdict) == "what is there: build, lint (did you mean build?)"
    assert instead(judge(("build",), HEAD, [])) == "no check is there at all"


def test_names_are_shown_as_data() -> None:
    """A check's name that holds control characters cannot act on a terminal."""
    verdict = judge("all", HEAD, [run("bu\x1b[31mild\n", "skip\x07ped")])
    assert str(verdict) == "build skipped"
