"""The routes of commits: what they are, how they compare, and what checks say of them."""

from __future__ import annotations

from typing import Any

from pytest_agentrelay.github.rest import views
from pytest_agentrelay.github.rest.routing import Call, Route, route
from pytest_agentrelay.github.state.checks import Check, judged_status, rollup
from pytest_agentrelay.github.state.refusals import Refused, not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.wire import Answer

_REPOSITORY = "/repos/{owner}/{name}"


def _sha(call: Call, repository: RepositoryState, name: str) -> str:
    sha = repository.bare.commit_of(name)
    if sha is None:
        raise Refused(f"No commit found for SHA: {name}", kind="NOT_FOUND")
    return sha


def _commit(call: Call) -> Answer:
    repository = call.repository
    one = repository.bare.commit(_sha(call, repository, call.parts["ref"]))
    return Answer(body=views.commit(call.asking.hub, repository, one))


def _looked(call: Call) -> tuple[RepositoryState, str, list[Check]]:
    repository = call.repository
    sha = _sha(call, repository, call.parts["ref"])
    return repository, sha, repository.checks.look(sha, call.asking.request)


def _check_runs(call: Call) -> Answer:
    repository, sha, checks = _looked(call)
    name, status = call.parameter("check_name"), call.parameter("status")
    shown = [
        views.check_run(call.asking.hub, repository, sha, check)
        for check in checks
        if not check.legacy and (not name or check.name == name) and (not status or check.status == status)
    ]
    return call.paged(shown, within="check_runs")


def _status(call: Call) -> Answer:
    repository, sha, checks = _looked(call)
    statuses = [check for check in checks if check.legacy]
    page = call.paged(
        [views.commit_status(call.asking.hub, repository, check) for check in statuses], within="statuses"
    )
    state = (rollup(statuses) or "PENDING").lower()
    return Answer(body={"state": state, "sha": sha, **page.body}, headers=page.headers)


def _statuses(call: Call) -> Answer:
    repository, _, checks = _looked(call)
    return call.paged([views.commit_status(call.asking.hub, repository, check) for check in checks if check.legacy])


def _add_status(call: Call) -> Answer:
    repository, given, hub = call.writable("write", "CreateStatus"), call.given, call.asking.hub
    sha = _sha(call, repository, call.parts["ref"])
    try:
        status, conclusion = judged_status(str(given.get("state")))
    except ValueError as error:
        raise Refused("Validation Failed", errors=({"field": "state", "message": str(error)},)) from None
    check = Check(
        number=hub.next_number(),
        name=str(given.get("context") or "default"),
        status=status,
        conclusion=conclusion,
        details_url=str(given.get("target_url") or ""),
        summary=str(given.get("description") or ""),
        started_at=hub.clock(),
        legacy=True,
    )
    repository.checks.put(sha, check)
    return Answer(status=201, body=views.commit_status(hub, repository, check))


def _check_run(call: Call) -> Answer:
    repository = call.repository
    sha, check = _found(repository, call.number)
    return Answer(body=views.check_run(call.asking.hub, repository, sha, check))


def _found(repository: RepositoryState, number: int) -> tuple[str, Check]:
    found = repository.checks.find(number)
    if found is None:
        raise not_found()
    return found


def _job(call: Call) -> Answer:
    repository = call.repository
    sha, check = _found(repository, call.number)
    view: dict[str, Any] = views.check_run(call.asking.hub, repository, sha, check)
    return Answer(body={**view, "run_id": check.run, "workflow_name": "CI", "steps": []})


def _job_logs(call: Call) -> Answer:
    repository = call.repository
    _found(repository, call.number)
    # GitHub sends its clients to a store of files, which asks for no token.
    place = f"{call.asking.hub.api}/_logs/{repository.number}/{call.number}"
    return Answer(status=302, headers={"Location": place})


def _compare(call: Call) -> Answer:
    repository = call.repository
    base_name, _, head_name = call.parts["span"].partition("...")
    base, head = _sha(call, repository, base_name), _sha(call, repository, head_name)
    middle = repository.bare.merge_base(base, head)
    if middle is None:
        raise not_found(f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = repository.bare.commits(base, head), repository.bare.commits(head, base)
    words = {(False, False): "identical", (True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    hub = call.asking.hub
    body = {
        "status": words[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "merge_base_commit": views.commit(hub, repository, repository.bare.commit(middle)),
        "commits": [views.commit(hub, repository, one) for one in ahead],
        "files": [views.changed_file(change) for change in repository.bare.changes(base, head)],
    }
    return Answer(body=body)


ROUTES: list[Route] = [
    route("GET", _REPOSITORY + "/commits/{ref:path}/check-runs", _check_runs),
    route("GET", _REPOSITORY + "/commits/{ref:path}/status", _status),
    route("GET", _REPOSITORY + "/commits/{ref:path}/statuses", _statuses),
    route("GET", _REPOSITORY + "/commits/{ref:path}", _commit),
    route("POST", _REPOSITORY + "/statuses/{ref}", _add_status),
    route("GET", _REPOSITORY + "/check-runs/{number}", _check_run),
    route("GET", _REPOSITORY + "/actions/jobs/{number}/logs", _job_logs),
    route("GET", _REPOSITORY + "/actions/jobs/{number}", _job),
    route("GET", _REPOSITORY + "/compare/{span:path}", _compare),
]
