"""What may go wrong with a pull request on GitHub: a table of scenarios, each with as many interleavings as are drawn.

A scenario scripts faults of the server, or what other people and machines do, at moments that are drawn from a seed.
"""

from collections.abc import Callable
from typing import Final

import attrs
import matrix_answers as answers
import matrix_crashes as crashes
import matrix_limits as limits
import matrix_people as people
import matrix_rules as rules
from agentrelay_git_gh.failpoints import PLACES
from matrix_lives import Life
from matrix_moments import MERGING, OPENING, Arrange
from pytest_agentrelay.github import denying_the_merge, pretending_to_merge


@attrs.frozen(kw_only=True)
class Scenario:
    """Something that goes wrong.

    Args:
        name: What, in words.
        rows: Rows of the table of faults.
        arrange: Scripts it.
        ends: How the first session may end.
        says: A regular expression for what a session says that does not end well.
        mend: What a person does then; the next session must end well. Without it the life is over.
    """

    name: str
    rows: tuple[str, ...]
    arrange: Arrange
    ends: tuple[str, ...] = ("done",)
    says: str = ""
    mend: Callable[[Life], None] | None = None


def leave(_: Life) -> None:
    """What a person does where time alone mends it."""


_BOTH: Final = ("done", "Parked")
_TYPES: Final = "agentrelay run"

SCENARIOS: Final = tuple(
    Scenario(name=name, rows=tuple(rows.split()), arrange=arrange, **more)
    for name, rows, arrange, more in (
        ("502 before opening", "G14", answers.bad_gateway(OPENING, effect=False), {}),
        ("502 after opening", "G14", answers.bad_gateway(OPENING, effect=True), {}),
        ("502 before merging", "G14", answers.bad_gateway(MERGING, effect=False), {}),
        ("502 after merging", "G14", answers.bad_gateway(MERGING, effect=True), {}),
        ("connection reset at the opening", "G14", answers.reset(OPENING), {}),
        ("connection reset at the merge", "G14", answers.reset(MERGING), {}),
        ("no answer in time at the opening", "G14", answers.late(OPENING), {}),
        ("no answer in time at the merge", "G14", answers.late(MERGING), {}),
        ("git's server fails for a while", "G14 G19", answers.git_fails, {}),
        ("reading fails for a while", "G14", answers.unread, {}),
        ("GitHub is down", "G14", answers.down, {"ends": _BOTH, "says": "not answered since", "mend": answers.is_up}),
        ("says merged, and is not", "G14", answers.lying(pretending_to_merge, 2), {}),
        ("says not merged, and is", "G14", answers.lying(denying_the_merge, 1), {}),
        ("missing in lists after opening", "G14 G11", answers.hidden, {}),
        ("the agent's own, missing in lists", "G11", answers.hidden_agents, {}),
        ("base modified once", "G18", answers.modified(1), {}),
        ("base modified five times", "G18", answers.modified(5), {"ends": ("Parked",), "mend": leave}),
        (
            "head moved by a person",
            "G13",
            people.head_moves,
            {"ends": (*_BOTH, "AgentFailure"), "says": "[0-9a-f]{40}"},
        ),
        ("head moved at the merge", "G13", people.head_moves_at_merge, {}),
        ("head moved by the agent", "G13", people.agent_goes_on, {}),
        ("merged by a person", "G10", people.person_merges, {}),
        ("merged into another base", "G12", people.elsewhere, {"ends": _BOTH, "says": "into elsewhere"}),
        ("closed by a person", "G12", people.closes, {"ends": _BOTH, "says": "gh pr reopen", "mend": people.reopens}),
        (
            "closed and reopened",
            "G12",
            people.closes_and_reopens,
            {"ends": _BOTH, "says": "gh pr reopen", "mend": people.reopens},
        ),
        (
            "URL of another repository",
            "G11",
            people.of_another_repository,
            {"ends": ("ProtocolViolation",), "says": "it is in"},
        ),
        ("URL of a fork", "G11", people.of_a_fork, {"ends": ("ProtocolViolation",), "says": "from the fork"}),
        (
            "URL of another pull request",
            "G11",
            people.of_another,
            {"ends": ("ProtocolViolation",), "says": "comes from other"},
        ),
        ("two pull requests for one head", "G20", people.two_targets, {}),
        ("check absent", "G17", rules.requiring(""), {"ends": ("Parked",), "says": "build", "mend": rules.turns_green}),
        ("check pending, then green", "G17", rules.requiring("in_progress", "success", patience=60.0), {}),
        (
            "check red",
            "G17",
            rules.requiring("failure"),
            {"ends": ("AgentFailure",), "says": "(?s)build.*the last line"},
        ),
        (
            "check skipped",
            "G17",
            rules.requiring("skipped"),
            {"ends": ("Parked",), "says": "build", "mend": rules.turns_green},
        ),
        (
            "check renamed",
            "G17",
            rules.requiring("renamed"),
            {"ends": ("Parked",), "says": "build", "mend": rules.turns_green},
        ),
        (
            "check green on an older commit",
            "G17",
            rules.requiring("", older=True),
            {"ends": ("Parked",), "says": "build", "mend": rules.turns_green},
        ),
        ("branch must be up to date", "G17", rules.up_to_date, {}),
        (
            "merge method forbidden",
            "G17",
            rules.other_methods,
            {"ends": _BOTH, "says": "not allowed", "mend": rules.all_methods},
        ),
        (
            "repository archived",
            "G16",
            rules.archived,
            {"ends": _BOTH, "says": "archived", "mend": rules.is_not_archived},
        ),
        ("review missing, then approved", "G17", rules.reviewed, {}),
        ("draft, then ready", "G17", rules.draft, {}),
        ("merge queue lets it go", "G17", rules.queue, {}),
        ("merge queue throws it out", "G17", rules.thrown_out, {}),
        ("primary limit", "G15", limits.spent("core"), {}),
        ("GraphQL RATE_LIMITED", "G15", limits.spent("graphql"), {}),
        ("secondary limit at the opening", "G15", limits.slowed(OPENING), {}),
        ("secondary limit while waiting", "G15", limits.slowed("^graphql"), {}),
        ("secondary limit at the merge", "G15", limits.slowed(MERGING), {}),
        ("login expired", "G16", limits.expired, {"ends": _BOTH, "says": "gh auth login", "mend": limits.logs_in}),
        (
            "single sign-on",
            "G16",
            limits.single_sign_on,
            {"ends": _BOTH, "says": "sso|gh auth", "mend": limits.authorizes},
        ),
        ("scope missing", "G16", limits.lacks_scope, {"ends": _BOTH, "says": "gh auth", "mend": limits.logs_in}),
        ("right missing", "G16", limits.lacks_right, {"ends": _BOTH, "says": "gh auth", "mend": limits.is_allowed}),
        (
            "branch is there, and not ours",
            "G19",
            people.not_ours,
            {"ends": ("Parked", "AgentFailure"), "says": "not ours|push the branch", "mend": people.deletes_branch},
        ),
        (
            "push refused by a rule",
            "G19",
            rules.takes_no_push,
            {"ends": ("Parked",), "says": "refuses the push", "mend": rules.takes_pushes},
        ),
        (
            "branch deleted by a person",
            "G19",
            people.branch_is_deleted,
            {"ends": _BOTH, "says": _TYPES, "mend": people.restores},
        ),
        (
            "lane deleted by a person",
            "G19",
            people.lane_is_deleted,
            {"ends": _BOTH, "says": _TYPES, "mend": people.restores},
        ),
        ("lane moved by a person", "G19", people.lane_moves, {"ends": _BOTH, "says": _TYPES, "mend": leave}),
        (
            "lane rewritten by a person",
            "G19",
            people.lane_is_rewritten,
            {"ends": (*_BOTH, "MergeConflict"), "says": "rewritten|conflicts", "mend": people.restores_lane},
        ),
        *((f"killed: {place}", "G14", crashes.killed(place), {"ends": ("killed",), "mend": leave}) for place in PLACES),
        (
            "killed while it is opened",
            "G14",
            crashes.killed_at(OPENING),
            {"ends": ("killed",), "mend": crashes.lets_go},
        ),
        (
            "killed while it is merged",
            "G14",
            crashes.killed_at(MERGING),
            {"ends": ("killed",), "mend": crashes.lets_go},
        ),
    )
)
