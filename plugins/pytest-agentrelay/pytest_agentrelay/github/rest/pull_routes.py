"""The routes of pull requests."""

from __future__ import annotations

from pytest_agentrelay.github.rest import views
from pytest_agentrelay.github.rest.routing import Call, Route, route
from pytest_agentrelay.github.state import pulls
from pytest_agentrelay.github.state.asking import stamp
from pytest_agentrelay.github.state.merging import MergeOrder, merge, update_branch
from pytest_agentrelay.github.state.records import METHODS, PullRequest, Review
from pytest_agentrelay.github.state.refusals import Refused, not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.wire import Answer

_PULLS = "/repos/{owner}/{name}/pulls"
_ONE = _PULLS + "/{number}"
_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def _pull(call: Call, repository: RepositoryState) -> PullRequest:
    if not call.parts["number"].isdigit() or call.number not in repository.pulls:
        raise not_found()
    return repository.pull(call.number)


def _list(call: Call) -> Answer:
    repository = call.repository
    state, base = call.parameter("state", "open"), call.parameter("base")
    owner, _, branch = call.parameter("head").rpartition(":")
    shown = [
        one
        for one in repository.listed()
        if (state == "all" or one.open == (state == "open"))
        and (not base or one.base == base)
        # GitHub takes a head without its owner for no filter at all.
        and (not owner or (one.head == branch and one.head_repository.partition("/")[0].lower() == owner.lower()))
    ]
    if call.parameter("direction", "desc") == "asc":
        shown.reverse()
    return call.paged([views.pull(call.asking, repository, one, alone=False) for one in shown])


def _create(call: Call) -> Answer:
    repository, given = call.writable("read", "CreatePullRequest"), call.given
    for field in ("title", "head", "base"):
        if not given.get(field):
            raise Refused(
                "Validation Failed", errors=({"resource": "PullRequest", "code": "missing_field", "field": field},)
            )
    wanted = pulls.Opening(
        title=given["title"],
        head=given["head"],
        base=given["base"],
        body=given.get("body") or "",
        draft=bool(given.get("draft")),
        head_repository=given.get("head_repo"),
    )
    made = pulls.open_pull(call.asking.hub, repository, call.asking.login, wanted)
    view = views.pull(call.asking, repository, made)
    return Answer(status=201, body=view, headers={"Location": view["url"]})


def _get(call: Call) -> Answer:
    repository = call.repository
    one = _pull(call, repository)
    accepted = call.incoming.headers.get("accept", "")
    if "diff" in accepted or "patch" in accepted:
        base = repository.seen.get(one.base, one.base_sha) if one.open else one.base_sha
        text = repository.bare.git("diff", f"{base}...{one.head_sha}")
        return Answer(body=f"{text}\n".encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    return Answer(body=views.pull(call.asking, repository, one))


def _edit(call: Call) -> Answer:
    repository, given = call.writable("write", "UpdatePullRequest"), call.given
    hub, login, one = call.asking.hub, call.asking.login, _pull(call, repository)
    fields = {name: given[name] for name in ("title", "body", "base") if given.get(name) is not None}
    if fields:
        pulls.edit(hub, repository, one.number, login, **fields)
    if given.get("state") == "closed" and one.open:
        pulls.close(hub, repository, repository.pull(one.number), login)
    elif given.get("state") == "open":
        pulls.reopen(hub, repository, one.number, login)
    return Answer(body=views.pull(call.asking, repository, repository.pull(one.number)))


def _merge(call: Call) -> Answer:
    repository, given = call.writable("write", "MergePullRequest"), call.given
    one = _pull(call, repository)
    method = given.get("merge_method") or "merge"
    if method not in METHODS:
        raise Refused("Invalid merge_method", errors=({"field": "merge_method", "code": "invalid"},))
    order = MergeOrder(
        method=method,
        title=given.get("commit_title"),
        message=given.get("commit_message"),
        expected=given.get("sha"),
    )
    merged = merge(call.asking.hub, repository, one.number, call.asking.login, order)
    body = {"sha": merged.merge_commit, "merged": True, "message": "Pull Request successfully merged"}
    return Answer(body=body)


def _update_branch(call: Call) -> Answer:
    repository, given = call.writable("write", "UpdatePullRequestBranch"), call.given
    one = _pull(call, repository)
    update_branch(call.asking.hub, repository, one.number, call.asking.login, given.get("expected_head_sha"))
    return Answer(status=202, body={"message": "Updating pull request branch."})


def _is_merged(call: Call) -> Answer:
    if _pull(call, call.repository).state != "merged":
        raise not_found()
    return Answer(status=204)


def _files(call: Call) -> Answer:
    repository = call.repository
    one = _pull(call, repository)
    base = repository.seen.get(one.base, one.base_sha) if one.open else one.base_sha
    return call.paged([views.changed_file(change) for change in repository.bare.changes(base, one.head_sha)])


def _commits(call: Call) -> Answer:
    repository = call.repository
    one = _pull(call, repository)
    base = repository.seen.get(one.base, one.base_sha) if one.open else one.base_sha
    made = repository.bare.commits(base, one.head_sha)
    return call.paged([views.commit(call.asking.hub, repository, commit) for commit in made])


def _review(call: Call, one: Review) -> dict[str, object]:
    return {
        "id": one.number,
        "node_id": f"PRR_{one.number}",
        "user": views.user(call.asking.hub, one.author),
        "state": one.state,
        "body": one.body,
        "commit_id": one.sha,
        "submitted_at": stamp(one.at),
    }


def _reviews(call: Call) -> Answer:
    return call.paged([_review(call, one) for one in _pull(call, call.repository).reviews])


def _add_review(call: Call) -> Answer:
    repository, given = call.writable("read", "AddPullRequestReview"), call.given
    state = _EVENTS.get(given.get("event") or "COMMENT", "COMMENTED")
    one = _pull(call, repository)
    made = pulls.review(call.asking.hub, repository, one.number, call.asking.login, state, given.get("body") or "")
    return Answer(body=_review(call, made))


def _comments(call: Call) -> Answer:
    one = _pull(call, call.repository)
    hub = call.asking.hub
    return call.paged(
        [{"id": said.number, "user": views.user(hub, said.author), "body": said.body} for said in one.comments]
    )


def _add_comment(call: Call) -> Answer:
    repository = call.writable("read", "AddComment")
    one = _pull(call, repository)
    made = pulls.comment(call.asking.hub, repository, one.number, call.asking.login, call.given.get("body") or "")
    return Answer(status=201, body={"id": made.number, "body": made.body})


ROUTES: list[Route] = [
    route("GET", _PULLS, _list),
    route("POST", _PULLS, _create),
    route("GET", _ONE, _get),
    route("PATCH", _ONE, _edit),
    route("PUT", _ONE + "/merge", _merge),
    route("PUT", _ONE + "/update-branch", _update_branch),
    route("GET", _ONE + "/merge", _is_merged),
    route("GET", _ONE + "/files", _files),
    route("GET", _ONE + "/commits", _commits),
    route("GET", _ONE + "/reviews", _reviews),
    route("POST", _ONE + "/reviews", _add_review),
    route("GET", "/repos/{owner}/{name}/issues/{number}/comments", _comments),
    route("POST", "/repos/{owner}/{name}/issues/{number}/comments", _add_comment),
]
