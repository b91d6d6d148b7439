"""The checks of a commit, as GraphQL shows them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pytest_agentrelay.github.graphql.connections import connection
from pytest_agentrelay.github.state.asking import Asking, stamp
from pytest_agentrelay.github.state.checks import Check, rollup
from pytest_agentrelay.github.state.repository import RepositoryState


def rollup_view(asking: Asking, repository: RepositoryState, sha: str) -> dict[str, Any] | None:
    """All checks of a commit together; None where there are none. Whoever sees it has looked."""
    checks = repository.checks.look(sha, asking.request)
    if not checks:
        return None
    runs = [check for check in checks if not check.legacy]
    statuses = [check for check in checks if check.legacy]
    return {
        "__typename": "StatusCheckRollup",
        "id": f"SCR_{sha}",
        "state": rollup(checks),
        "contexts": connection(
            lambda: [
                _status(asking, repository, check) if check.legacy else _run(asking, repository, check)
                for check in checks
            ],
            checkRunCount=len(runs),
            statusContextCount=len(statuses),
            checkRunCountsByState=_counted([(check.conclusion or check.status).upper() for check in runs]),
            statusContextCountsByState=_counted([status_state(check).upper() for check in statuses]),
        ),
    }


def _counted(states: list[str]) -> list[dict[str, Any]]:
    return [{"state": state, "count": count} for state, count in sorted(Counter(states).items())]


def status_state(check: Check) -> str:
    """The state of a commit status: ``success``, ``failure``, ``error`` or ``pending``."""
    return check.conclusion or "pending"


def _required(asking: Asking, repository: RepositoryState, check: Check) -> Any:
    def resolve(_: object, *, pullRequestId: str | None = None, pullRequestNumber: int | None = None) -> bool:  # noqa: N803 - the API's names
        if pullRequestId is not None:
            _, pull = asking.hub.by_node_id(pullRequestId)
        else:
            pull = repository.pulls.get(pullRequestNumber or 0)
        return pull is not None and check.name in repository.protection(pull.base).checks

    return resolve


def _run(asking: Asking, repository: RepositoryState, check: Check) -> dict[str, Any]:
    actions = check.app == "github-actions"
    workflow = {"id": "W_1", "databaseId": 1, "name": "CI"}
    run_url = f"{asking.hub.web}/{repository.slug}/actions/runs/{check.run}"
    return {
        "__typename": "CheckRun",
        "id": f"CR_{check.number}",
        "databaseId": check.number,
        "name": check.name,
        "status": check.status.upper(),
        "conclusion": check.conclusion and check.conclusion.upper(),
        "startedAt": stamp(check.started_at),
        "completedAt": stamp(check.completed_at),
        "detailsUrl": check.details_url,
        "externalId": check.external_id,
        "title": check.name,
        "summary": check.summary,
        "text": "",
        "url": f"{asking.hub.web}/{repository.slug}/runs/{check.number}",
        "permalink": f"{asking.hub.web}/{repository.slug}/runs/{check.number}",
        "isRequired": _required(asking, repository, check),
        "checkSuite": {
            "id": f"CS_{check.run}",
            "databaseId": check.run,
            "app": {"id": f"A_{check.app}", "databaseId": 1, "name": check.app, "slug": check.app},
            "workflowRun": {
                "id": f"WFR_{check.run}",
                "databaseId": check.run,
                "event": "pull_request",
                "runNumber": check.run,
                "url": run_url,
                "workflow": workflow,
            }
            if actions
            else None,
        },
    }


def _status(asking: Asking, repository: RepositoryState, check: Check) -> dict[str, Any]:
    return {
        "__typename": "StatusContext",
        "id": f"SC_{check.number}",
        "context": check.name,
        "state": status_state(check).upper(),
        "targetUrl": check.details_url,
        "description": check.summary,
        "createdAt": stamp(check.started_at),
        "isRequired": _required(asking, repository, check),
    }
