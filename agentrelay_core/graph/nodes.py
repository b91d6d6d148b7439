"""YAML text as a tree that remembers where everything stands, built straight from the parser's events.

A node is the parser's own event, for nothing is gained by copying it: it has the marks, a scalar's text and style. A
mapping or a list is the event that opened it, with the nodes inside as its ``parts`` (of a mapping, keys and values
in turn) and the end of the event that closed it. Anchors, aliases and tags are refused here, and so is what would take
too much room or too many levels.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from agentrelay_core.graph import codes
from agentrelay_core.graph.source import Findings, Place

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

DEEPEST = 50
MOST_NODES = 2_000_000

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
# JSON writes a character beyond the first plane as two escapes, which YAML does not know.
_ESCAPED_PAIR = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"

_HINTS = {
    "found character that cannot start any token": "indent with spaces, and put text that starts with "
    "a special character into quotes",
    "mapping values are not allowed": "put text that holds ': ' into quotes, and look at the indentation",
    "could not find expected ':'": "a key is followed by ': '",
    "did not find expected key": "look at the indentation of this line and the one above",
    "did not find expected '-' indicator": "look at the indentation of this line and the one above",
    "found unexpected end of stream": "a quote or bracket is not closed",
    "did not find expected ',' or ']'": "a bracket is not closed, or a comma is missing",
    "did not find expected ',' or '}'": "a brace is not closed, or a comma is missing",
}

Scalar: Any = ScalarEvent
Mapping: Any = MappingStartEvent
Sequence: Any = SequenceStartEvent
Refused: Any = AliasEvent  # stands where something was refused already; whatever reads it says nothing more


Node = Any  # Scalar | Mapping | Sequence | Refused; the parser's events are untyped


def pairs_of(mapping: Node) -> Iterator[tuple[Node, Node]]:
    """Keys and values, in the order of the text; duplicate keys are kept, for whoever reads them to refuse."""
    parts = iter(mapping.parts)
    return zip(parts, parts, strict=False)


def value_of(mapping: Node, name: str) -> Node:
    """The value of a key, or `None`."""
    for key, value in pairs_of(mapping):
        if key.__class__ is Scalar and key.value == name:
            return value
    return None


def is_null(node: Node) -> bool:
    """Whether a key has no value: nothing after the colon, or ``null``."""
    return node.__class__ is Scalar and node.value in _NULL and not node.style


def compose(text: str, findings: Findings) -> Node | None:
    """Read YAML, or JSON, into a tree.

    Args:
        text: The text, free of control characters.
        findings: Takes what is wrong.

    Returns:
        The root, or `None` where nothing can be made of the text (said in ``findings``).
    """
    if text.lstrip()[:1] == "{" and "\\u" in text:
        text = re.sub(_ESCAPED_PAIR, _joined, text)
    try:
        return _compose(text, findings)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        problem = error.problem or "this cannot be read"
        if "nesting depth" in problem:  # a limit of libyaml's own, far beyond ours, that looks ahead
            findings.error(codes.TOO_DEEP, _too_deep(), Place(mark.line, mark.column))
            return None
        message = f"{error.context}: {problem}" if error.context else problem
        hint = next((hint for start, hint in _HINTS.items() if problem.startswith(start)), None)
        findings.error(codes.YAML_SYNTAX, f"not YAML: {message}", Place(mark.line, mark.column), hint)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the Python parser lets a few through
        findings.error(codes.YAML_SYNTAX, f"not YAML: {error}", Place(0, 0))
    return None


def _too_deep() -> str:
    return f"nested more than {DEEPEST} levels deep"


def _joined(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _compose(text: str, findings: Findings) -> Node | None:
    roots: list[Node] = []
    append = roots.append
    outer: list[tuple[Any, Node]] = []  # what each open mapping or list is a part of, and itself
    anchors: set[str] = set()
    documents = 0
    next_event = _Parser(text).get_event
    for _ in range(MOST_NODES):
        event: Any = next_event()
        kind = event.__class__
        if kind is Scalar:
            if event.anchor is not None or event.tag is not None:
                _refuse(event, anchors, findings)
            append(event)
        elif kind is Mapping or kind is Sequence:
            if event.anchor is not None or event.tag is not None:
                _refuse(event, anchors, findings)
            append(event)
            outer.append((append, event))
            event.parts = []
            append = event.parts.append
            if len(outer) > DEEPEST:
                findings.error(codes.TOO_DEEP, _too_deep(), event)
                return None
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            append, opened = outer.pop()
            opened.end_mark = event.end_mark
        elif kind is Refused:
            if event.anchor not in anchors:
                findings.error(codes.ALIAS, f"the anchor '{event.anchor}' is not defined", event, _INSTEAD)
            append(event)
        elif kind is DocumentStartEvent:
            documents += 1
            if documents > 1:
                findings.error(codes.SECOND_DOCUMENT, "a second document starts here", event, "one graph is one file")
                break
        elif kind is StreamEndEvent:
            break
    else:
        findings.error(codes.TOO_MANY, f"more than {MOST_NODES:,} values", event, "split the graph")
        return None
    if not roots or is_null(roots[0]):
        findings.error(codes.EMPTY_FILE, "the file is empty", Place(0, 0), "a graph has a 'name' and 'tasks'")
        return None
    return roots[0]


_INSTEAD = "anchors and aliases are not supported; share values by 'defaults' and named 'agents'"


def _refuse(event: Any, anchors: set[str], findings: Findings) -> None:
    event = copy.copy(event)  # of a mapping or a list the beginning is meant; its end moves once it is closed
    if event.anchor is not None:
        anchors.add(event.anchor)
        findings.error(codes.ALIAS, f"the anchor '&{event.anchor}' is refused", event, _INSTEAD)
    if event.tag is not None:
        findings.error(codes.TAG, f"the tag '{event.tag}' is refused", event, "a key's type is known without a tag")
