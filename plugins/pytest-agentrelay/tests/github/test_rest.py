"""The REST API, asked directly: statuses, bodies, headers and pages are GitHub's."""

import pytest

PULLS = "/repos/o/r/pulls"
NEW = {"title": "Write one", "head": "one", "base": "main", "body": "As said."}


def test_opening(ask, hosted):
    """A pull request is opened once; what is wrong with a second one, or with its branches, is told by 422."""
    made = ask("POST", PULLS, NEW)
    assert made.status == 201
    told = {key: made.body[key] for key in ("number", "state", "draft", "merged", "mergeable", "mergeable_state")}
    assert told == {
        "number": 1,
        "state": "open",
        "draft": False,
        "merged": False,
        "mergeable": True,
        "mergeable_state": "clean",
    }
    assert (made.body["head"]["sha"], made.body["base"]["ref"]) == (hosted.tip("one"), "main")
    again = ask("POST", PULLS, NEW)
    assert (again.status, again.body["message"]) == (422, "Validation Failed")
    assert again.body["errors"][0]["message"] == "A pull request already exists for o:one."
    nothing = ask("POST", PULLS, {**NEW, "head": "main", "base": "one"})
    assert nothing.body["errors"][0]["message"] == "No commits between one and main"
    assert ask("POST", PULLS, {**NEW, "head": "nowhere"}).body["errors"][0]["field"] == "head"
    assert ask("POST", PULLS, {**NEW, "base": "nowhere"}).body["errors"][0]["field"] == "base"
    assert [pull.number for pull in hosted.pulls] == [1]


def test_lists_by_head_base_and_state(ask, hosted):
    """A list is filtered by owner and branch of the head, by base and by state."""
    for head in ("one", "two"):
        ask("POST", PULLS, {**NEW, "head": head})
    hosted.close(1)

    def numbers(query):
        return [pull["number"] for pull in ask("GET", f"{PULLS}?{query}").body]

    assert numbers("") == [2]
    assert numbers("state=all") == [2, 1]
    assert numbers("state=closed") == [1]
    assert numbers("state=all&head=o:one&base=main") == [1]
    assert numbers("state=all&head=o:one&base=other") == []
    assert numbers("state=all&head=stranger:one") == []


def test_pages(ask, hosted):
    """A list comes in pages, with links that lead through all of it."""
    sha = hosted.tip("one")
    for number in range(5):
        hosted.set_check(sha, f"check {number}")
    path, seen = f"/repos/o/r/commits/{sha}/check-runs?per_page=2", []
    while path:
        page = ask("GET", path)
        assert page.body["total_count"] == 5
        seen += [run["name"] for run in page.body["check_runs"]]
        links = dict(reversed(part.split("; ")) for part in page.headers.get("link", "").split(", ") if part)
        path = links.get('rel="next"', "").strip("<>").removeprefix("http://api.github.localhost")
    assert seen == [f"check {number}" for number in range(5)]
    assert len(page.body["check_runs"]) == 1


def test_not_modified(ask, emulated_github, hosted, pull):
    """What has not changed is told by 304, for nothing; what has is told anew."""
    first = ask("GET", f"{PULLS}/1")
    used = emulated_github.quota.budget("core").used
    same = ask("GET", f"{PULLS}/1", If_None_Match=first.headers["etag"])
    assert (same.status, same.body) == (304, "")
    assert emulated_github.quota.budget("core").used == used
    hosted.push("one", {"more.txt": "more\n"})
    changed = ask("GET", f"{PULLS}/1", If_None_Match=first.headers["etag"])
    assert (changed.status, changed.body["head"]["sha"]) == (200, hosted.tip("one"))
    assert emulated_github.quota.budget("core").used == used + 1


def test_a_pinned_merge(ask, emulated_github, hosted, pull):
    """A merge pinned to another head is refused by 409; pinned to the head, it is made once, as it was asked."""
    order = {"merge_method": "squash", "sha": "0" * 40, "commit_title": "A title", "commit_message": "A message"}
    stale = ask("PUT", f"{PULLS}/1/merge", order)
    assert (stale.status, stale.body["message"]) == (409, "Head branch was modified. Review and try the merge again.")
    merged = ask("PUT", f"{PULLS}/1/merge", {**order, "sha": hosted.tip("one")})
    assert (merged.status, merged.body["merged"], merged.body["sha"]) == (200, True, hosted.tip("main"))
    assert hosted.git("log", "-1", "--format=%B", "main") == "A title\n\nA message"
    assert ask("PUT", f"{PULLS}/1/merge", order).status == 405
    shown = ask("GET", f"{PULLS}/1").body
    assert (shown["state"], shown["merged"], shown["merge_commit_sha"]) == ("closed", True, merged.body["sha"])
    assert len(emulated_github.happened("merged")) == 1


def test_merges_that_are_refused(ask, emulated_github, hosted, pull):
    """A draft, a method that is not allowed, a conflict and a closed pull request are refused by 405."""

    def refused(**order):
        answer = ask("PUT", f"{PULLS}/1/merge", order)
        assert answer.status == 405
        return answer.body["message"]

    hosted.set_draft(1, draft=True)
    assert refused() == "Pull Request is still a draft"
    hosted.set_draft(1, draft=False)
    hosted.set(methods=("squash",))
    assert refused(merge_method="merge") == "Merge commits are not allowed on this repository."
    hosted.push("main", {"one.txt": "another one\n"})
    assert refused(merge_method="squash") == "Pull Request is not mergeable"
    hosted.close(1)
    assert refused(merge_method="squash") == "Pull Request is closed"
    assert emulated_github.happened("merged") == []


def test_editing(ask, hosted, pull):
    """A pull request gets another title, is closed and opened again; a merged one stays merged."""
    assert ask("PATCH", f"{PULLS}/1", {"title": "Another"}).body["title"] == "Another"
    assert ask("PATCH", f"{PULLS}/1", {"state": "closed"}).body["state"] == "closed"
    assert ask("PATCH", f"{PULLS}/1", {"state": "open"}).body["state"] == "open"
    hosted.merge(1)
    assert ask("PATCH", f"{PULLS}/1", {"state": "open"}).status == 422


def test_refs(ask, emulated_github, hosted, pull):
    """A branch is made, moved and deleted; a deleted head closes its pull request."""
    first, last = hosted.tip("main"), hosted.tip("one")
    refs = "/repos/o/r/git/refs"
    assert ask("GET", "/repos/o/r/git/ref/heads/new/branch").status == 404
    assert ask("POST", refs, {"ref": "refs/heads/new/branch", "sha": first}).status == 201
    assert (
        ask("POST", refs, {"ref": "refs/heads/new/branch", "sha": first}).body["message"] == "Reference already exists"
    )
    assert ask("PATCH", f"{refs}/heads/new/branch", {"sha": last}).status == 200
    backwards = ask("PATCH", f"{refs}/heads/new/branch", {"sha": first})
    assert (backwards.status, backwards.body["message"]) == (422, "Update is not a fast forward")
    assert ask("GET", "/repos/o/r/git/ref/heads/new/branch").body["object"]["sha"] == last
    assert ask("DELETE", f"{refs}/heads/one").status == 204
    assert hosted.pull(1).state == "closed"
    assert [one.branch for one in emulated_github.happened("deleted")] == ["one"]


def test_what_a_pull_request_holds(ask, hosted, pull):
    """Its files, its commits, its reviews, its comments, and how its branches compare."""
    hosted.review(1, "APPROVED", body="Fine.")
    assert [file["filename"] for file in ask("GET", f"{PULLS}/1/files").body] == ["one.txt"]
    assert [one["commit"]["message"] for one in ask("GET", f"{PULLS}/1/commits").body] == ["Write one"]
    assert [one["state"] for one in ask("GET", f"{PULLS}/1/reviews").body] == ["APPROVED"]
    assert ask("POST", "/repos/o/r/issues/1/comments", {"body": "Hm."}).status == 201
    assert [one["body"] for one in ask("GET", "/repos/o/r/issues/1/comments").body] == ["Hm."]
    compared = ask("GET", "/repos/o/r/compare/two...one").body
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)


def test_a_repository(ask, emulated_github, hosted):
    """A repository tells its default branch, what the user may do, and, to those who may write, how one may merge."""
    told = ask("GET", "/repos/o/r").body
    assert (told["default_branch"], told["permissions"]["push"], told["permissions"]["admin"]) == ("main", True, False)
    assert told["allow_squash_merge"] is True
    hosted.allow(emulated_github.user, "read")
    assert "allow_squash_merge" not in ask("GET", "/repos/o/r").body
    assert ask("GET", "/repos/o/none").status == 404
    assert ask("GET", "/nowhere").body["message"] == "Not Found"


@pytest.mark.parametrize("form", ["classic", "ruleset"])
def test_protection(ask, emulated_github, hosted, pull, form):
    """A protected branch says what it asks, in the form that it has it, and merges what has it."""
    hosted.protect("main", checks=("ci",), reviews=1, form=form)
    branch = ask("GET", "/repos/o/r/branches/main").body
    rules = {rule["type"]: rule["parameters"] for rule in ask("GET", "/repos/o/r/rules/branches/main").body}
    assert branch["protected"]
    if form == "classic":
        assert branch["protection"]["required_status_checks"]["contexts"] == ["ci"]
        assert rules == {}
        assert ask("GET", "/repos/o/r/branches/main/protection").status == 404  # not for those who only write
        hosted.allow(emulated_github.user, "admin")
        told = ask("GET", "/repos/o/r/branches/main/protection").body
        assert told["required_pull_request_reviews"] == {"required_approving_review_count": 1}
    else:
        assert branch["protection"]["required_status_checks"]["contexts"] == []
        assert rules["required_status_checks"]["required_status_checks"] == [{"context": "ci"}]
        assert rules["pull_request"]["required_approving_review_count"] == 1
    refused = ask("PUT", f"{PULLS}/1/merge", {})
    assert 'Required status check "ci" is expected.' in refused.body["message"]
    assert "At least 1 approving review is required" in refused.body["message"]
    hosted.set_check(hosted.tip("one"), "ci")
    hosted.review(1)
    assert ask("GET", f"{PULLS}/1").body["mergeable_state"] == "clean"
    assert ask("PUT", f"{PULLS}/1/merge", {}).status == 200


def test_a_strict_branch(ask, hosted, pull):
    """A branch that wants heads up to date refuses one that is behind, until it is not."""
    hosted.protect("main", strict=True)
    moved = hosted.push("main", {"other.txt": "other\n"})
    assert ask("GET", f"{PULLS}/1").body["mergeable_state"] == "behind"
    assert ask("PUT", f"{PULLS}/1/merge", {}).status == 405
    hosted.push("one", {"one.txt": "one\n"}, onto=moved)
    assert ask("PUT", f"{PULLS}/1/merge", {}).status == 200


def test_a_branch_that_is_brought_up_to_date(ask, hosted, pull):
    """The base is merged into the head that was named, once there is something new on it and nothing conflicts."""
    head = hosted.tip("one")
    path, named = f"{PULLS}/1/update-branch", {"expected_head_sha": head}
    nothing = ask("PUT", path, named)
    assert (nothing.status, nothing.body["message"]) == (422, "There are no new commits on the base branch.")
    base = hosted.push("main", {"new.txt": "new\n"})
    stale = ask("PUT", path, {"expected_head_sha": "0" * 40})
    assert (stale.status, stale.body["message"].split()[0]) == (422, "expected")
    assert hosted.tip("one") == head
    assert ask("PUT", path, named).status == 202
    assert hosted.git("rev-list", "--parents", "-1", "one").split() == [hosted.tip("one"), head, base]
    assert ask("GET", f"{PULLS}/1").body["head"]["sha"] == hosted.tip("one")
    hosted.push("main", {"new.txt": "theirs\n"})
    hosted.push("one", {"new.txt": "ours\n"})
    assert ask("PUT", path).body["message"] == "merge conflict between base and head"


def test_a_branch_with_a_queue(ask, hosted, pull):
    """A branch with a merge queue tells so by a rule, and merges through the queue alone."""
    hosted.use_queue("main")
    assert [rule["type"] for rule in ask("GET", "/repos/o/r/rules/branches/main").body] == ["merge_queue"]
    refused = ask("PUT", f"{PULLS}/1/merge", {})
    assert (refused.status, hosted.pull(1).state) == (405, "open")
    assert "merge queue" in refused.body["message"]


def test_checks_and_statuses(ask, hosted, pull):
    """Check runs and commit statuses are told apart, each with what it is."""
    sha = hosted.tip("one")
    number = hosted.set_check(sha, "ci", "timed_out", app="ci-app", details_url="http://ci/1", external_id="x1")
    assert ask("POST", f"/repos/o/r/statuses/{sha}", {"state": "pending", "context": "licence"}).status == 201
    [run] = ask("GET", f"/repos/o/r/commits/{sha}/check-runs").body["check_runs"]
    told = (run["id"], run["status"], run["conclusion"], run["app"]["slug"], run["details_url"], run["external_id"])
    assert told == (number, "completed", "timed_out", "ci-app", "http://ci/1", "x1")
    combined = ask("GET", f"/repos/o/r/commits/{sha}/status").body
    assert combined["state"] == "pending"
    assert [one["context"] for one in combined["statuses"]] == ["licence"]
    assert ask("GET", f"/repos/o/r/check-runs/{number}").body["name"] == "ci"
    with pytest.raises(ValueError, match="'fine' is no conclusion"):
        hosted.set_check(sha, "ci", "fine")


def test_checks_by_looks(ask, hosted):
    """A late check is there at the third look after it was promised, and another changes its name at the second."""
    sha = hosted.tip("one")
    hosted.set_check(sha, "late", after_looks=2)
    hosted.set_check(sha, "old name")
    hosted.rename_check(sha, "old name", "new name", after_looks=1)
    looks = [ask("GET", f"/repos/o/r/commits/{sha}/check-runs").body["check_runs"] for _ in range(3)]
    names = [[run["name"] for run in look] for look in looks]
    assert names == [["old name"], ["new name"], ["late", "new name"]]


def test_checks_of_one_name(ask, hosted, pull):
    """A check that is run again replaces itself; one of that name by another app must pass as well."""
    hosted.protect("main", checks=("ci",))
    sha = hosted.tip("one")
    hosted.set_check(sha, "ci", "failure")
    hosted.set_check(sha, "ci")
    hosted.set_check(sha, "ci", "failure", app="stranger")
    runs = ask("GET", f"/repos/o/r/commits/{sha}/check-runs").body["check_runs"]
    assert [(run["app"]["slug"], run["conclusion"]) for run in runs] == [
        ("github-actions", "success"),
        ("stranger", "failure"),
    ]
    assert ask("PUT", f"{PULLS}/1/merge", {}).status == 405


def test_logs(ask, hosted):
    """The log of a job lies elsewhere, where it is told without a token."""
    job = hosted.set_check(hosted.tip("one"), "ci", "failure", log="boom\n")
    sent = ask("GET", f"/repos/o/r/actions/jobs/{job}/logs")
    assert sent.status == 302
    place = sent.headers["location"].removeprefix("http://api.github.localhost")
    assert ask("GET", place, token="").body == "boom\n"


def test_a_new_pull_request_that_is_late(ask, emulated_github, hosted):
    """A list may miss a new pull request for some looks, while it is there by its number."""
    hosted.hide_next_pull(2)
    assert ask("POST", PULLS, NEW).status == 201
    assert ask("GET", f"{PULLS}/1").status == 200
    looks = [len(ask("GET", f"{PULLS}?head=o:one").body) for _ in range(3)]
    assert looks == [0, 0, 1]


def test_forks(ask, emulated_github, hosted):
    """A pull request from a fork says where it comes from, and is merged with the fork's commits."""
    fork = emulated_github.add_fork("o/r", "stranger")
    fork.push("one", {"foreign.txt": "foreign\n"})
    hosted.open("one", "main")
    hosted.open("stranger:one", "main")
    [ours] = ask("GET", f"{PULLS}?head=o:one").body
    [theirs] = ask("GET", f"{PULLS}?head=stranger:one").body
    assert (ours["head"]["repo"]["full_name"], theirs["head"]["repo"]["full_name"]) == ("o/r", "stranger/r")
    assert ask("PUT", f"{PULLS}/{theirs['number']}/merge", {"sha": fork.tip("one")}).status == 200
    assert hosted.git("show", "main:foreign.txt") == "foreign"
