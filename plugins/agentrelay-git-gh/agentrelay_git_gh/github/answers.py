"""What GitHub answered, as `gh api --include` prints it: a status line, headers, an empty line, the body."""

import contextlib
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

_STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+ ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_NEXT: Final = re.compile(r'<[^>]*>;\s*rel="next"')


@attrs.frozen(kw_only=True)
class Answer:
    """One answer of GitHub.

    Args:
        status: Its HTTP status.
        headers: Its headers; names in small letters.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    body: bytes = b""

    @property
    def etag(self) -> str | None:
        """What to ask with the next time, so that an answer that is the same costs nothing."""
        return self.headers.get("etag")

    @property
    def has_next_page(self) -> bool:
        """Whether the list that this is a page of goes on."""
        return bool(_NEXT.search(self.headers.get("link", "")))

    @property
    def message(self) -> str:
        """What GitHub says in words, in one line; empty if it says nothing."""
        fields = self.fields()
        words = [str(fields.get("message") or "").strip()]
        errors = fields.get("errors")
        for error in errors if isinstance(errors, list) else ():
            said = error.get("message") if isinstance(error, dict) else error
            if said is None and isinstance(error, dict):
                said = " ".join(str(error[key]) for key in ("field", "code") if key in error)
            words.append(str(said))
        return " ".join("; ".join(dict.fromkeys(word for word in words if word)).split())

    def json(self) -> Any:
        """The body's value; `ValueError` if it is none."""
        return json.loads(self.body)

    def fields(self) -> dict[str, Any]:
        """The body's value if it is a mapping, else an empty one."""
        try:
            value = self.json()
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def seconds_until(self, header: str, now: float) -> float | None:
        """How long until the time that a header names; the answer's own date is now, whatever our clock says.

        Args:
            header: Its name; its value is in seconds since 1970.
            now: Our own time, for an answer without a date.
        """
        value = self.headers.get(header, "")
        if not (value.isascii() and value.isdigit()):
            return None
        with contextlib.suppress(KeyError, ValueError):  # without a date, our own clock has to do
            now = parsedate_to_datetime(self.headers["date"]).timestamp()
        return max(0.0, int(value) - now)


def parse_included(output: bytes) -> Answer | None:
    """Read what `gh api --include` printed; `None` if it begins with no answer."""
    match = _STATUS_LINE.match(output)
    if match is None:
        return None
    head, separator, body = output[match.end() :].partition(b"\r\n\r\n")
    if output[match.end() :].startswith(b"\r\n"):  # not one header
        head, separator, body = b"", b"\r\n", output[match.end() + 2 :]
    if not separator:
        return None
    headers = {}
    for line in head.decode(errors="replace").splitlines():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(status=int(match[1]), headers=headers, body=body)
