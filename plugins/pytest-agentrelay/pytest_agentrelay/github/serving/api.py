"""A call of either API: who asks, what it costs, what is answered, and the headers that GitHub puts on everything."""

from __future__ import annotations

import re
from typing import Any, Final

import attrs
from graphql import GraphQLError

from pytest_agentrelay.github.graphql.execution import refused as refused_graphql
from pytest_agentrelay.github.graphql.execution import run
from pytest_agentrelay.github.graphql.reading import Operation, read
from pytest_agentrelay.github.rest import commit_routes, pull_routes, repository_routes
from pytest_agentrelay.github.rest.routing import find
from pytest_agentrelay.github.serving.login import token_of
from pytest_agentrelay.github.state.accounts import Account
from pytest_agentrelay.github.state.asking import Asking
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.quota import Resource
from pytest_agentrelay.github.state.refusals import Refused
from pytest_agentrelay.github.wire import Answer, Incoming

_ROUTES: Final = [*pull_routes.ROUTES, *repository_routes.ROUTES, *commit_routes.ROUTES]
_FREE: Final = ("/rate_limit", "/")
_LOG: Final = re.compile(r"/_logs/(\d+)/(\d+)")


@attrs.frozen(kw_only=True)
class Outcome:
    """An answered call.

    Args:
        answer: The answer.
        who: The login, "" without one.
        cost: What it took from the quota.
        resource: The quota that it took it from.
    """

    answer: Answer
    who: str = ""
    cost: int = 0
    resource: Resource = "core"


def operation_of(incoming: Incoming) -> Operation | None:
    """The GraphQL operation in a request; None where it is none, or none that can be read."""
    if not incoming.path.endswith("/graphql") or incoming.method != "POST":
        return None
    try:
        return read(incoming.json())
    except (GraphQLError, ValueError):
        return None


def call(hub: Hub, incoming: Incoming, operation: Operation | None) -> Outcome:
    """Answer a call. Whoever calls holds the hub's lock."""
    logs = _LOG.fullmatch(incoming.path)
    if logs is not None:
        return Outcome(answer=_log(hub, int(logs[1]), int(logs[2])))
    resource: Resource = "graphql" if incoming.path.endswith("/graphql") else "core"
    account: Account | None = None
    cost = 0
    try:
        account = _account(hub, incoming)
        wanted = operation.cost if operation else 0 if incoming.path in _FREE else 1
        hub.quota.take(resource, wanted)
        cost = wanted
        asking = Asking(hub=hub, account=account, request=hub.next_number())
        answer = _graphql(asking, operation) if resource == "graphql" else _rest(asking, incoming)
    except Refused as refusal:
        body = refused_graphql(refusal) if resource == "graphql" else _told(refusal)
        answer = Answer(status=refusal.status, body=body, headers=refusal.headers)
    if incoming.method == "GET" and answer.status == 200:
        answer = attrs.evolve(answer, headers={**answer.headers, "ETag": answer.etag()})
        if incoming.headers.get("if-none-match") == answer.etag():
            hub.quota.give_back(resource, cost)
            cost, answer = 0, Answer(status=304, headers=answer.headers)
    headers = {**_common(hub, account, resource), **answer.headers}
    who = account.login if account else ""
    return Outcome(answer=attrs.evolve(answer, headers=headers), who=who, cost=cost, resource=resource)


def _account(hub: Hub, incoming: Incoming) -> Account:
    token = token_of(incoming)
    if token is None:
        raise Refused("Requires authentication", status=401, kind="UNAUTHORIZED")
    return hub.accounts.known(token)


def _graphql(asking: Asking, operation: Operation | None) -> Answer:
    if operation is None:
        return Answer(body={"errors": [{"message": "A query attribute must be specified and must be a string."}]})
    body, headers = run(asking, operation)
    return Answer(body=body, headers=headers)


def _rest(asking: Asking, incoming: Incoming) -> Answer:
    if incoming.path == "/":
        return Answer(body={"current_user_url": f"{asking.hub.api}/user"})
    return find(_ROUTES, asking, incoming)


def _told(refusal: Refused) -> dict[str, Any]:
    body: dict[str, Any] = {
        "message": refusal.plain,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(refusal.status),
    }
    return {**body, "errors": list(refusal.errors)} if refusal.errors else body


def _log(hub: Hub, repository: int, number: int) -> Answer:
    for one in hub.repositories.values():
        found = one.checks.find(number) if one.number == repository else None
        if found is not None:
            return Answer(body=found[1].log.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    return Answer(status=404, body=b"")


def _common(hub: Hub, account: Account | None, resource: Resource) -> dict[str, str]:
    number = hub.next_number()
    headers = {
        "X-GitHub-Request-Id": f"{number:04X}:{number * 7919:06X}:{number * 104729:08X}",
        "X-GitHub-Media-Type": "github.v3; format=json",
        **hub.quota.headers(resource),
    }
    if account is not None:
        headers["X-OAuth-Scopes"] = ", ".join(account.scopes)
        headers["X-Accepted-OAuth-Scopes"] = "repo"
    return headers
