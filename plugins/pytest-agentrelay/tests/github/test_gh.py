"""The real gh, an old one and a current one, does its work and tells of it in its own words."""

import json

import pytest
from pytest_agentrelay.github import (
    answering,
    dropping,
    graphql_error,
    meanwhile,
)

CREATE = ("pr", "create", "-R", "o/r", "--head", "one", "--base", "main", "--title", "Write one", "--body", "As said.")
# All fields of `gh pr view --json` that both programs know.
FIELDS = (
    "additions,assignees,author,baseRefName,body,changedFiles,closed,closedAt,comments,commits,createdAt,deletions,files,"
    "headRefName,headRefOid,headRepository,headRepositoryOwner,id,isCrossRepository,isDraft,labels,latestReviews,"
    "maintainerCanModify,mergeCommit,mergeStateStatus,mergeable,mergedAt,mergedBy,milestone,number,potentialMergeCommit,"
    "reactionGroups,reviewDecision,reviewRequests,reviews,state,statusCheckRollup,title,updatedAt,url"
)


def _merge(*options):
    return ("pr", "merge", "1", "-R", "o/r", *options)


def test_create_view_and_list(gh, emulated_github, hosted):
    """A pull request is opened once, and is shown as what it is; a second one for that head and base is refused."""
    created = gh(*CREATE)
    assert (created.returncode, created.stdout) == (0, "http://github.localhost/o/r/pull/1\n"), created.stderr
    again = gh(*CREATE)
    assert again.returncode == 1
    assert 'a pull request for branch "one" into branch "main" already exists' in again.stderr
    viewed = gh("pr", "view", "1", "-R", "o/r", "--json", FIELDS)
    assert viewed.returncode == 0, viewed.stderr
    told = json.loads(viewed.stdout)
    assert (told["number"], told["state"], told["body"]) == (1, "OPEN", "As said.")
    assert told["headRefOid"] == hosted.tip("one")
    assert [file["path"] for file in told["files"]] == ["one.txt"]
    assert [commit["messageHeadline"] for commit in told["commits"]] == ["Write one"]
    assert gh("pr", "view", "1", "-R", "o/r").stdout.startswith("title:\tWrite one\n")
    listed = gh("pr", "list", "-R", "o/r", "--head", "one", "--json", "number,baseRefName,mergeStateStatus")
    assert json.loads(listed.stdout) == [{"number": 1, "baseRefName": "main", "mergeStateStatus": "CLEAN"}]
    assert len(emulated_github.happened("opened")) == 1


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_each_way_to_merge(gh, emulated_github, hosted, pull, method):
    """The base has the change once, by the commits that the method makes; to merge again is no error and no merge."""
    hosted.push("main", {"other.txt": "other\n"})
    base = hosted.tip("main")
    done = gh(*_merge(f"--{method}", "--match-head-commit", hosted.tip("one")))
    assert done.returncode == 0, done.stderr
    again = gh(*_merge(f"--{method}"))
    assert again.returncode == 0
    assert "was already merged" in again.stderr
    [effect] = emulated_github.happened("merged")
    assert (effect.number, effect.method, effect.sha) == (1, method, hosted.tip("main"))
    parents = hosted.git("log", "-1", "--format=%P", "main").split()
    assert parents == [base, hosted.tip("one")] if method == "merge" else [base]
    assert hosted.git("ls-tree", "-r", "--name-only", "main").split() == ["README", "one.txt", "other.txt"]
    assert hosted.git("show", "main:one.txt") == "one"


def test_what_stands_against_a_merge(gh, emulated_github, hosted, pull):
    """A draft, a conflict, a missing check and a head that moved are each told in gh's words, and nothing is merged."""
    hosted.set_draft(pull, draft=True)
    assert "still a draft" in gh(*_merge("--squash")).stderr
    hosted.set_draft(pull, draft=False)
    stale = hosted.tip("one")
    hosted.push("one", {"more.txt": "more\n"})
    assert "Head branch was modified" in gh(*_merge("--squash", "--match-head-commit", stale)).stderr
    hosted.protect("main", checks=("ci",))
    assert "the base branch policy prohibits the merge" in gh(*_merge("--squash")).stderr
    hosted.unprotect("main")
    hosted.push("main", {"one.txt": "another one\n"})
    assert "the merge commit cannot be cleanly created" in gh(*_merge("--squash")).stderr
    assert emulated_github.happened("merged") == []


def test_checks(gh, hosted, pull):
    """Checks are absent, pending, red and green, and gh's exit code says so."""
    sha, checks = hosted.tip("one"), ("pr", "checks", "1", "-R", "o/r")
    assert "no checks reported on the 'one' branch" in gh(*checks).stderr
    hosted.set_check(sha, "ci", "in_progress")
    pending = gh(*checks)
    assert pending.returncode in (1, 8)  # the old one and the new one
    assert pending.stdout.startswith("ci\tpending\t")
    hosted.set_check(sha, "ci", "failure")
    assert gh(*checks).returncode == 1
    hosted.set_check(sha, "ci")
    hosted.set_status(sha, "licence")
    green = gh(*checks)
    assert green.returncode == 0, green.stderr
    assert {line.split("\t")[0] for line in green.stdout.splitlines()} == {"ci", "licence"}
    assert "no required checks" in gh(*checks, "--required").stderr
    hosted.protect("main", checks=("ci",))
    assert gh(*checks, "--required").stdout.startswith("ci\tpass\t")


def test_close_reopen_and_ready(gh, emulated_github, hosted, pull):
    """A pull request is closed, opened again, made a draft and made ready."""
    steps = (("close", "1"), ("reopen", "1"), ("ready", "1", "--undo"), ("ready", "1"))
    for step in steps:
        done = gh("pr", *step, "-R", "o/r")
        assert done.returncode == 0, done.stderr
    kinds = [effect.kind for effect in emulated_github.effects if effect.number == 1]
    assert kinds == ["opened", "closed", "reopened", "draft", "ready"]
    assert hosted.pull(1).reopened == 1


def test_auto_merge_and_the_queue(gh, emulated_github, hosted, pull):
    """What must wait is merged when its check has passed, or when the queue is let go, and not before."""
    hosted.protect("main", checks=("ci",))
    assert gh(*_merge("--auto", "--squash")).returncode == 0
    assert emulated_github.happened("merged") == []
    hosted.set_check(hosted.tip("one"), "ci")
    assert [effect.method for effect in emulated_github.happened("merged")] == ["squash"]
    hosted.open("two", "main")
    hosted.unprotect("main")
    hosted.use_queue("main")
    queued = gh("pr", "merge", "2", "-R", "o/r")
    assert queued.returncode == 0, queued.stderr
    assert (hosted.queued("main"), hosted.pull(2).state) == ([2], "open")
    assert hosted.release_queue("main") == [2]
    assert hosted.pull(2).state == "merged"


def test_the_login(gh, hosted):
    """A user is logged in by its own file or by a token, and gh tells who it is; without either it asks for a login."""
    for login in ("file", "token"):
        assert gh("api", "user", "--jq", ".login", login=login).stdout == "octocat\n"
    status = gh("auth", "status")
    assert status.returncode == 0, status.stderr
    assert "read:org" in status.stdout + status.stderr
    nobody = gh("pr", "list", "-R", "o/r", login="none")
    assert nobody.returncode in (1, 4)
    assert "gh auth login" in nobody.stderr


def test_answers_that_are_wrong(gh, emulated_github, hosted, pull):
    """An error of the server, an error of GraphQL, an end of the connection and a dead token: gh fails in its words."""
    merge = "mergePullRequest"
    emulated_github.script(answering(merge, 502))
    assert "502" in gh(*_merge("--squash")).stderr
    emulated_github.script(graphql_error(merge, "API rate limit exceeded", kind="RATE_LIMITED"))
    assert "API rate limit exceeded" in gh(*_merge("--squash")).stderr
    emulated_github.script(dropping(merge))
    assert "EOF" in gh(*_merge("--squash")).stderr
    assert emulated_github.happened("merged") == []
    emulated_github.accounts.revoke(emulated_github.token)
    dead = gh(*_merge("--squash"))
    assert "401" in dead.stderr
    assert "Try authenticating with:  gh auth " in dead.stderr
    assert emulated_github.happened("merged") == []


def test_failing_after_the_effect(gh, emulated_github, hosted, pull):
    """A merge that gh calls failed was made; somebody else's merge just before ours leaves one merge as well."""
    emulated_github.script(answering("mergePullRequest", 502, after_effect=True))
    assert gh(*_merge("--squash")).returncode == 1
    assert len(emulated_github.happened("merged")) == 1
    number = hosted.open("two", "main").number
    emulated_github.script(meanwhile("mergePullRequest", lambda: hosted.merge(number, "squash", actor="a person")))
    late = gh("pr", "merge", str(number), "-R", "o/r", "--squash")
    assert late.returncode == 1
    assert "already merged" in late.stderr
    assert [effect.actor for effect in emulated_github.happened("merged")] == ["octocat", "a person"]


def test_the_api_by_gh(gh, emulated_github, hosted, pull):
    """`gh api` reads answers, headers and all pages, merges pinned to a head, and follows a log to its text."""
    sha = hosted.tip("one")
    for number in range(3):
        hosted.set_check(sha, f"check {number}")
    job = hosted.set_check(sha, "ci", "failure", log="line 1\nboom\n")
    runs = gh("api", "--paginate", f"repos/o/r/commits/{sha}/check-runs?per_page=2", "--jq", ".check_runs[].name")
    assert runs.stdout.splitlines() == ["check 0", "check 1", "check 2", "ci"], runs.stderr
    assert gh("api", f"repos/o/r/actions/jobs/{job}/logs").stdout == "line 1\nboom\n"
    fields = ("-f", "merge_method=squash", "-f", f"sha={'0' * 40}")
    refused = gh("api", "-i", "-X", "PUT", "repos/o/r/pulls/1/merge", *fields)
    assert refused.returncode == 1
    assert refused.stdout.startswith("HTTP/1.1 409")
    assert "Head branch was modified" in refused.stderr
    merged = gh("api", "-X", "PUT", "repos/o/r/pulls/1/merge", "-f", "merge_method=squash", "-f", f"sha={sha}")
    assert json.loads(merged.stdout)["sha"] == hosted.tip("main")
    assert {request.who for request in emulated_github.requests if request.what.startswith("GET /repos")} == {"octocat"}
