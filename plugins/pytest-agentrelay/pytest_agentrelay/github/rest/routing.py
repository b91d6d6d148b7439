"""Which function answers which path, and pages of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import attrs

from pytest_agentrelay.github.state.accounts import Right
from pytest_agentrelay.github.state.asking import Asking
from pytest_agentrelay.github.state.refusals import not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.wire import Answer, Incoming


@attrs.frozen(kw_only=True)
class Call:
    """A call of the REST API.

    Args:
        asking: Who asks.
        incoming: What was sent.
        parts: What the route's path caught, by name.
    """

    asking: Asking
    incoming: Incoming
    parts: Mapping[str, str]

    @property
    def repository(self) -> RepositoryState:
        """The repository in the path."""
        return self.asking.see(f"{self.parts['owner']}/{self.parts['name']}")

    @property
    def number(self) -> int:
        """The number in the path."""
        return int(self.parts["number"])

    @property
    def given(self) -> dict[str, Any]:
        """The body."""
        body = self.incoming.json()
        return body if isinstance(body, dict) else {}

    def parameter(self, name: str, default: str = "") -> str:
        """A parameter of the query string."""
        return parse_qs(self.incoming.query).get(name, [default])[0]

    def writable(self, right: Right, deed: str) -> RepositoryState:
        """The repository in the path, if the user may do something in it.

        Raises:
            Refused: It is not there, or the user may not.
        """
        repository = self.repository
        self.asking.demand(repository, right, deed)
        return repository

    def paged(self, items: list[Any], *, within: str | None = None) -> Answer:
        """A page of a list, with links to the others.

        Args:
            items: The whole list.
            within: The field of an object that the list stands in, if it does.
        """
        size = min(100, max(1, int(self.parameter("per_page", "30") or 30)))
        page = max(1, int(self.parameter("page", "1") or 1))
        last = max(1, -(-len(items) // size))
        shown = items[(page - 1) * size : page * size]
        steps = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [
            name
            for name in steps
            if (name in ("prev", "first") and page > 1) or (name in ("next", "last") and page < last)
        ]
        kept = {key: values[0] for key, values in parse_qs(self.incoming.query).items()}
        base = f"{self.asking.hub.api}{self.incoming.path}"
        links = [f'<{base}?{urlencode({**kept, "page": steps[name]})}>; rel="{name}"' for name in wanted]
        body: Any = shown if within is None else {"total_count": len(items), within: shown}
        return Answer(body=body, headers={"Link": ", ".join(links)} if links else {})


Handler = Callable[[Call], Answer]


@attrs.frozen
class Route:
    """A method, a path and what answers them."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler


def route(method: str, path: str, handler: Handler) -> Route:
    """A route.

    Args:
        method: The HTTP method.
        path: ``{owner}`` stands for one part of a path, ``{branch:path}`` for several.
        handler: What answers.
    """
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", re.sub(r"\{(\w+):path\}", r"(?P<\1>.+)", path))
    return Route(method, re.compile(pattern), handler)


def find(routes: list[Route], asking: Asking, incoming: Incoming) -> Answer:
    """Answer a call by the first route that fits.

    Raises:
        Refused: No route does, or the route's function refuses.
    """
    for one in routes:
        found = one.pattern.fullmatch(incoming.path)
        if found and one.method == incoming.method:
            return one.handler(Call(asking=asking, incoming=incoming, parts=found.groupdict()))
    raise not_found()
