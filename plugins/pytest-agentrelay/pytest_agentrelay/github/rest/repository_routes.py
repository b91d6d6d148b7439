"""The routes of users, repositories, branches and their protection."""

from __future__ import annotations

from typing import Any

from pytest_agentrelay.github.rest import views
from pytest_agentrelay.github.rest.routing import Call, Route, route
from pytest_agentrelay.github.state.bare import HEADS
from pytest_agentrelay.github.state.noticing import notice
from pytest_agentrelay.github.state.quota import Resource
from pytest_agentrelay.github.state.records import Protection
from pytest_agentrelay.github.state.refusals import Refused, not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.wire import Answer

_REPOSITORY = "/repos/{owner}/{name}"


def _user(call: Call) -> Answer:
    return Answer(body=views.user(call.asking.hub, call.asking.login))


def _rate_limit(call: Call) -> Answer:
    def told(resource: Resource) -> dict[str, object]:
        budget = call.asking.hub.quota.budget(resource)
        return {
            "limit": budget.limit,
            "used": budget.used,
            "remaining": budget.remaining,
            "reset": int(budget.resets_at),
            "resource": resource,
        }

    return Answer(body={"resources": {"core": told("core"), "graphql": told("graphql")}, "rate": told("core")})


def _repository(call: Call) -> Answer:
    return Answer(body=views.repository(call.asking, call.repository))


def _branch(call: Call) -> Answer:
    repository, branch = call.repository, call.parts["branch"]
    if branch not in repository.seen:
        raise not_found("Branch not found")
    return Answer(body=_branch_view(call, repository, branch))


def _branch_view(call: Call, repository: RepositoryState, branch: str) -> dict[str, Any]:
    hub, protection = call.asking.hub, repository.protections.get(branch)
    checks: tuple[str, ...] = ()
    if protection is not None and protection.form == "classic":
        checks = protection.checks
    return {
        "name": branch,
        "commit": views.commit(hub, repository, repository.bare.commit(repository.seen[branch])),
        "protected": protection is not None,
        "protection": {
            "enabled": protection is not None and protection.form == "classic",
            "required_status_checks": {
                "enforcement_level": "everyone" if checks else "off",
                "contexts": list(checks),
                "checks": [{"context": name, "app_id": None} for name in checks],
            },
        },
        "protection_url": f"{hub.api}/repos/{repository.slug}/branches/{branch}/protection",
    }


def _protection(call: Call) -> Answer:
    repository, branch = call.repository, call.parts["branch"]
    if call.asking.right(repository) != "admin":
        raise not_found()
    protection = repository.protections.get(branch)
    if protection is None or protection.form != "classic":
        raise not_found("Branch not protected")
    body: dict[str, Any] = {"url": f"{call.asking.hub.api}{call.incoming.path}", "enforce_admins": {"enabled": True}}
    if protection.checks or protection.strict:
        body["required_status_checks"] = {
            "strict": protection.strict,
            "contexts": list(protection.checks),
            "checks": [{"context": name, "app_id": None} for name in protection.checks],
        }
    if protection.reviews:
        body["required_pull_request_reviews"] = {"required_approving_review_count": protection.reviews}
    return Answer(body=body)


def _rules(call: Call) -> Answer:
    repository, branch = call.repository, call.parts["branch"]
    protection = repository.protections.get(branch)
    rules = _rules_of(protection) if protection is not None and protection.form == "ruleset" else []
    if branch in repository.queues:
        rules.append({"type": "merge_queue", "parameters": {"merge_method": "MERGE", "grouping_strategy": "ALLGREEN"}})
    origin = {"ruleset_source_type": "Repository", "ruleset_source": repository.slug, "ruleset_id": 1}
    return call.paged([{**rule, **origin} for rule in rules])


def _rules_of(protection: Protection) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {
            "type": "pull_request",
            "parameters": {
                "required_approving_review_count": protection.reviews,
                "allowed_merge_methods": list(protection.methods),
            },
        }
    ]
    if protection.checks or protection.strict:
        rules.append(
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": protection.strict,
                    "required_status_checks": [{"context": name} for name in protection.checks],
                },
            }
        )
    return rules


def _branches(call: Call) -> Answer:
    repository = call.repository
    listed = [
        {"name": branch, "commit": {"sha": sha}, "protected": branch in repository.protections}
        for branch, sha in sorted(repository.seen.items())
    ]
    return call.paged(listed)


def _ref_view(call: Call, repository: RepositoryState, branch: str) -> dict[str, Any]:
    url = f"{call.asking.hub.api}/repos/{repository.slug}/git"
    sha = repository.seen[branch]
    target = {"sha": sha, "type": "commit", "url": f"{url}/commits/{sha}"}
    return {"ref": HEADS + branch, "node_id": f"REF_{branch}", "url": f"{url}/{HEADS}{branch}", "object": target}


def _ref(call: Call) -> Answer:
    repository, branch = call.repository, call.parts["branch"]
    if branch not in repository.seen:
        raise not_found()
    return Answer(body=_ref_view(call, repository, branch))


def _create_ref(call: Call) -> Answer:
    repository, given = call.writable("write", "CreateRef"), call.given
    branch, sha = str(given.get("ref", "")).removeprefix(HEADS), str(given.get("sha", ""))
    if branch in repository.seen:
        raise Refused("Reference already exists")
    if repository.bare.commit_of(sha) is None or not repository.bare.update(HEADS + branch, sha, "0" * 40):
        raise Refused("Object does not exist")
    return Answer(status=201, body=_moved(call, repository, branch))


def _update_ref(call: Call) -> Answer:
    repository, given, branch = call.writable("write", "UpdateRef"), call.given, call.parts["branch"]
    sha, old = str(given.get("sha", "")), repository.seen.get(branch)
    if old is None:
        raise Refused("Reference does not exist")
    if repository.bare.commit_of(sha) is None:
        raise Refused("Object does not exist")
    if not given.get("force") and not repository.bare.is_ancestor(old, sha):
        raise Refused("Update is not a fast forward")
    repository.bare.update(HEADS + branch, sha)
    return Answer(body=_moved(call, repository, branch))


def _moved(call: Call, repository: RepositoryState, branch: str) -> dict[str, Any]:
    notice(call.asking.hub, repository, actor=call.asking.login)
    return _ref_view(call, repository, branch)


def _delete_ref(call: Call) -> Answer:
    repository, branch = call.writable("write", "DeleteRef"), call.parts["branch"]
    if branch not in repository.seen:
        raise Refused("Reference does not exist")
    repository.bare.delete(HEADS + branch)
    notice(call.asking.hub, repository, actor=call.asking.login)
    return Answer(status=204)


ROUTES: list[Route] = [
    route("GET", "/user", _user),
    route("GET", "/rate_limit", _rate_limit),
    route("GET", _REPOSITORY, _repository),
    route("GET", _REPOSITORY + "/branches", _branches),
    route("GET", _REPOSITORY + "/branches/{branch:path}/protection", _protection),
    route("GET", _REPOSITORY + "/branches/{branch:path}", _branch),
    route("GET", _REPOSITORY + "/rules/branches/{branch:path}", _rules),
    route("GET", _REPOSITORY + "/git/ref/heads/{branch:path}", _ref),
    route("POST", _REPOSITORY + "/git/refs", _create_ref),
    route("PATCH", _REPOSITORY + "/git/refs/heads/{branch:path}", _update_ref),
    route("DELETE", _REPOSITORY + "/git/refs/heads/{branch:path}", _delete_ref),
]
