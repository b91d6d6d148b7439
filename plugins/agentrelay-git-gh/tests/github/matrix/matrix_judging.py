"""What is wrong with a life, read from the server's effects and its bare repository, not from what agentrelay says."""

import re
from collections import Counter

from matrix_lives import BRANCH, LANE, SLUG, Life
from matrix_scenarios import Scenario

# What a person is told that stops a run: where it says so, with a command.
ADVICE = re.compile(r"agentrelay run|run again|type: ")


OURS = ((BRANCH, LANE, SLUG), (LANE, "main", SLUG))


def judge(life: Life, scenario: Scenario) -> list[tuple[str, str]]:
    """What is wrong with a life, by the server's effects and its bare repository."""
    wrong: list[tuple[str, str]] = []
    us, verified, pulls = life.github.user, life.verified, {pull.number: pull for pull in life.hosted.pulls}
    merges = life.github.happened("merged")
    for number, count in Counter(effect.number for effect in merges).items():
        if count > 1:
            wrong.append(("double", f"#{number} was merged {count} times"))
    for branch in (LANE, "main"):
        if life.hosted.git("for-each-ref", f"refs/heads/{branch}").strip():
            brought = life.hosted.git("log", "--no-merges", "--format=%H", branch, "--", "one.txt").split()
            if len(brought) > 1:
                wrong.append(("double", f"the work is in {branch} as {brought}"))
    for effect in merges:
        pull = pulls[effect.number or 0]
        if effect.actor == us:
            pair = (pull.head, pull.base, pull.head_repository)
            # GitHub pins a merge to a commit, not to a target: what is retargeted after the last look goes elsewhere.
            believed = (pull.head, life.believed.get(pull.number), pull.head_repository)
            late = believed in OURS and life.ends[-1].kind != "done"
            if pair not in OURS and not late:
                wrong.append(("foreign", f"#{pull.number} of {pair} was merged by us"))
            elif pull.head == BRANCH and pull.head_sha != verified:
                wrong.append(("foreign", f"#{pull.number} was merged at {pull.head_sha}, verified is {verified}"))
            asked = life.plan.required
            known = life.at_merge[-1] if life.at_merge else {}
            lacking = [name for name in asked if pull.base == LANE and known.get((pull.head_sha, name)) != "success"]
            if lacking:
                wrong.append(("unchecked", f"#{pull.number} was merged without {lacking}, with {known}"))
    ours = [pulls[effect.number or 0] for effect in life.github.happened("opened") if effect.actor == us]
    opened = Counter((pull.head, pull.base) for pull in ours)
    wrong += [("second", f"{count} pull requests of {pair}") for pair, count in opened.items() if count > 1]
    for ended in life.ends:
        if ended.kind == "Parked" and not ADVICE.search(ended.message):
            wrong.append(("silent", ended.message))
        if ended.kind != "done" and not re.search(scenario.says, ended.message):
            wrong.append(("silent", f"{scenario.says!r} is not in: {ended.message}"))
    if life.ends[-1].kind == "done":
        wrong += [("apart", sentence) for sentence in _apart(life, len(merges))]
    return wrong


def _apart(life: Life, merges: int) -> list[str]:
    """What differs on the two sides; a branch that GitHub deletes after its merge is here alone."""
    targets = (LANE, "main") if life.plan.integrates else (LANE,)
    there = {branch: life.hosted.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()
             for branch in targets}  # fmt: skip
    here, is_deleted = life.git("rev-parse", LANE), not there[LANE] and life.plan.deletes and life.plan.integrates
    said = [] if here == there[LANE] or is_deleted else [f"{LANE} is at {here} here and at {there[LANE]} there"]
    for branch, tip in there.items():
        if tip and "one.txt" not in life.hosted.git("ls-tree", "--name-only", tip).split():
            said.append(f"the work is not in {branch}")
    if not list(life.user.glob(".workflow/g/signals/one/*/.merged")):
        said.append("nothing says in the task's directory that it is merged")
    if not [one for one in life.github.happened("pushed") if one.actor != life.github.user]:
        trees = {life.git("rev-parse", f"{LANE}^{{tree}}"), life.git("rev-parse", f"{life.verified}^{{tree}}")}
        said += [] if len(trees) == 1 else [f"the trees of what was verified and of {LANE} differ: {trees}"]
    expected = 2 if life.plan.integrates else 1
    return said if merges == expected else [*said, f"{merges} merges instead of {expected}"]
