"""The text of a graph file: read within limits, decoded strictly, and able to show any of its lines."""

import re
from pathlib import Path
from typing import Protocol

import attrs

from agentrelay_core.graph import codes
from agentrelay_core.graph.diagnostics import Diagnostic, Severity

LARGEST_FILE = 16 * 1024 * 1024
MOST_DIAGNOSTICS = 1000

# What YAML counts as the end of a line; marks are counted in the same way.
_LINE_END = "\r\n|[\r\n\x85\u2028\u2029]"
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Mark(Protocol):
    """A place in the text, both numbers from 0."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The character of the line."""


class Marked(Protocol):
    """Anything that knows from where to where in the text it stands."""

    @property
    def start_mark(self) -> Mark:
        """Where it begins."""

    @property
    def end_mark(self) -> Mark:
        """Where it ends."""


@attrs.frozen
class Place:
    """A place that no YAML event stands for."""

    line: int
    column: int

    @property
    def start_mark(self) -> "Place":
        """The place itself."""
        return self

    @property
    def end_mark(self) -> "Place":
        """The place itself."""
        return self


class Unusable(Exception):
    """The file cannot be read as text at all.

    Args:
        diagnostic: What is wrong with it.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def read_text(path: Path) -> str:
    """Read and decode a graph file.

    Raises:
        Unusable: The file cannot be read, is too large, or is not UTF-8.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"cannot read the file: {reason}"
        raise Unusable(Diagnostic(severity="error", code=codes.UNREADABLE_FILE, message=message, path=name)) from error
    if len(content) > LARGEST_FILE:
        raise Unusable(_too_large(name))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = content[: error.start].decode("utf-8-sig", "replace")
        lines = re.split(_LINE_END, readable)
        diagnostic = Diagnostic(
            severity="error",
            code=codes.NOT_UTF8,
            message=f"the file is not UTF-8: byte 0x{content[error.start]:02x} cannot be decoded",
            hint="save the file as UTF-8",
            path=name,
            line=len(lines),
            column=len(lines[-1]) + 1,
            end_column=len(lines[-1]) + 2,
            source=lines[-1],
        )
        raise Unusable(diagnostic) from None


def check_text(name: str, text: str) -> None:
    """See that a text is of sensible size and holds no control characters.

    Raises:
        Unusable: It is too large, or holds a character that YAML does not allow.
    """
    if len(text) > LARGEST_FILE:
        raise Unusable(_too_large(name))
    found = _NOT_ALLOWED.search(text)
    if found is not None:
        lines = re.split(_LINE_END, text[: found.start()])
        character = text[found.start()].encode("unicode_escape").decode()
        place = Place(len(lines) - 1, len(lines[-1]))
        findings = Findings(name, text)
        findings.error(codes.CONTROL_CHARACTER, f"the character {character} is not allowed", place, "take it out")
        raise Unusable(findings.diagnostics()[0])


def _too_large(name: str) -> Diagnostic:
    message = f"the file is larger than {LARGEST_FILE // 1024 // 1024} MiB"
    return Diagnostic(severity="error", code=codes.FILE_TOO_LARGE, message=message, path=name)


class Findings:
    """Collects what is found in one text; the same finding at the same place counts once.

    Args:
        name: The file's name for messages.
        text: The whole text.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text
        self._found: dict[tuple[int, int, str], tuple[Severity, str, str | None, Marked]] = {}
        self._places: set[tuple[int, int]] = set()
        self._left_out = 0

    def error(self, code: str, message: str, at: Marked, hint: str | None = None) -> None:
        """Note an error."""
        self._note("error", code, message, at, hint)

    def warning(self, code: str, message: str, at: Marked, hint: str | None = None) -> None:
        """Note a warning."""
        self._note("warning", code, message, at, hint)

    def has_error_at(self, at: Marked) -> bool:
        """Whether an error was noted at that place."""
        return (at.start_mark.line, at.start_mark.column) in self._places

    @property
    def has_errors(self) -> bool:
        """Whether any error was noted."""
        return bool(self._places)

    @property
    def is_full(self) -> bool:
        """Whether so much was noted that nothing more will be shown."""
        return len(self._found) >= MOST_DIAGNOSTICS

    def _note(self, severity: Severity, code: str, message: str, at: Marked, hint: str | None) -> None:
        place = (at.start_mark.line, at.start_mark.column)
        if severity == "error":
            self._places.add(place)
        if not self.is_full:
            self._found.setdefault((*place, code), (severity, message, hint, at))
        elif (*place, code) not in self._found:
            self._left_out += 1

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was noted, in the order of the text; of very many the first ones and how many are left out."""
        if not self._found:
            return ()
        lines = re.split(_LINE_END, self._text)
        diagnostics = []
        for (line, column, code), (severity, message, hint, at) in sorted(self._found.items(), key=_by_place):
            source = lines[line] if line < len(lines) else ""
            end = at.end_mark.column if at.end_mark.line == line else len(source)
            end = max(column + 1, end)
            diagnostics.append(
                Diagnostic(
                    severity=severity,
                    code=code,
                    message=message,
                    hint=hint,
                    path=self.name,
                    line=line + 1,
                    column=column + 1,
                    end_column=end + 1,
                    source=source,
                )
            )
        if self._left_out:
            message = f"{self._left_out} more problems are not shown"
            diagnostics.append(Diagnostic(severity="error", code=codes.MORE_PROBLEMS, message=message, path=self.name))
        return tuple(diagnostics)


def _by_place(item: tuple[tuple[int, int, str], object]) -> tuple[int, int, str]:
    return item[0]
