"""What is refused, once for both APIs: each of them tells the same refusal in its own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """GitHub says no.

    Args:
        message: What it says.
        status: The HTTP status in the REST API.
        kind: The error's type in GraphQL.
        errors: The ``errors`` of a REST body.
        plain: What REST says instead, where it is less talkative.
        headers: Headers of the answer, in both APIs.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 422,
        kind: str = "UNPROCESSABLE",
        errors: tuple[Mapping[str, Any], ...] = (),
        plain: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.errors = errors
        self.plain = message if plain is None else plain
        self.headers = dict(headers or {})


def not_found(message: str = "Not Found") -> Refused:
    """What is not there, or may not be seen by whoever asks."""
    resolved = message.startswith("Could not resolve")
    return Refused(message, status=404, kind="NOT_FOUND", plain="Not Found" if resolved else None)


def not_mergeable(message: str = "Pull Request is not mergeable") -> Refused:
    """A merge that cannot be made as things are."""
    return Refused(message, status=405)


def invalid(message: str, resource: str = "PullRequest") -> Refused:
    """Input that fails validation."""
    problem = {"resource": resource, "code": "custom", "message": message}
    return Refused(message, errors=(problem,), plain="Validation Failed")
