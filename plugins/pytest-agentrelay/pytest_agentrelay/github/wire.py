"""Requests and answers, apart from how they travel."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Incoming:
    """A request.

    Args:
        method: The HTTP method.
        host: The host that it is for.
        path: The path, decoded.
        query: The query string as it came.
        headers: Headers, their names in small letters.
        body: The body as it came.
    """

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON; an empty object if there is none."""
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(body) if body.strip() else {}


@attrs.frozen(kw_only=True)
class Answer:
    """An answer.

    Args:
        status: The HTTP status.
        body: JSON if it is neither bytes nor None.
        headers: Headers beside those that every answer has.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def encoded(self) -> bytes:
        """The body as it travels."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()

    def etag(self) -> str:
        """What tells two bodies apart."""
        return f'W/"{hashlib.sha256(self.encoded()).hexdigest()}"'


class DroppedError(Exception):
    """The connection ends here, without an answer."""
