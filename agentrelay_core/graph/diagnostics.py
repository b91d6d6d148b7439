"""What `check` prints: one finding about a graph file, with its place, shown as text, JSON or for GitHub."""

import json
import unicodedata
from collections.abc import Iterable
from typing import Any, Literal

import attrs

Severity = Literal["error", "warning"]

LONGEST_LINE_SHOWN = 160


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One finding about a graph file.

    Args:
        severity: ``error``, or ``warning`` for what is valid but will not run here.
        code: The kind of finding, for good, for example ``AR201``.
        message: What is wrong.
        hint: What would be right, or `None`.
        path: The file, as it was named.
        line: Line of the offending text, from 1; 0 where the file as a whole is meant.
        column: Column of its first character, from 1.
        end_column: Column after its last character on that line.
        source: The text of that line.
    """

    severity: Severity
    code: str
    message: str
    hint: str | None = None
    path: str
    line: int = 0
    column: int = 0
    end_column: int = 0
    source: str = ""

    def as_text(self) -> str:
        """The finding as people read it: where and what, the line with the text underlined, the hint."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        lines = [f"{printable(place)}: {self.severity}[{self.code}]: {printable(self.message)}"]
        if self.line:
            source, column, end = _window(self.source, self.column - 1, self.end_column - 1)
            before = "".join(_blank(character) for character in source[:column])
            marked = sum(_width(character) for character in source[column:end])
            number = str(self.line)
            lines.append(f"  {number} | {printable(source)}")
            lines.append(f"  {' ' * len(number)} | {before}{'^' * max(1, marked)}")
        if self.hint:
            lines.append(f"  hint: {printable(self.hint)}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return attrs.asdict(self)

    def as_github(self) -> str:
        """The finding as a workflow command, which GitHub shows beside the line."""
        place = f"file={_escaped(self.path, property=True)}"
        if self.line:
            place += f",line={self.line},col={self.column},endColumn={max(self.column, self.end_column - 1)}"
        text = self.message if self.hint is None else f"{self.message}\n{self.hint}"
        return f"::{self.severity} {place},title={self.code}::{_escaped(text)}"


def render_text(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings as text, an empty line between them."""
    return "\n\n".join(diagnostic.as_text() for diagnostic in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings as a JSON array."""
    return json.dumps([diagnostic.as_json() for diagnostic in diagnostics], indent=2, ensure_ascii=False)


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings as GitHub workflow commands, one a line."""
    return "\n".join(diagnostic.as_github() for diagnostic in diagnostics)


def printable(text: str) -> str:
    """The text with control characters made visible, so that none reaches a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\t" else character.encode("unicode_escape").decode()
        for character in text
    )


def _window(source: str, column: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around the marked text."""
    if len(source) <= LONGEST_LINE_SHOWN:
        return source, column, end
    start = max(0, column - LONGEST_LINE_SHOWN // 2)
    part = source[start : start + LONGEST_LINE_SHOWN]
    return part, column - start, min(end - start, len(part))


def _width(character: str) -> int:
    """Columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else len(printable(character))


def _blank(character: str) -> str:
    return "\t" if character == "\t" else " " * _width(character)


def _escaped(text: str, *, property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
