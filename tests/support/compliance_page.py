"""The table of the compliance checks, made of the classes' docstrings.

``python tests/support/compliance_page.py --write`` puts it into ``docs/compliance.md``.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_agentrelay import compliance
from pytest_agentrelay.compliance.base import Compliance

PAGE = Path(__file__).parents[2] / "docs" / "compliance.md"
BEGIN, END = "<!-- checks: begin -->\n", "<!-- checks: end -->\n"


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def table() -> str:
    """The checks of every class, those of all classes first."""
    parts = [_part("All of them", "What every class checks.", _checks(Compliance))]
    everywhere = set(_checks(Compliance))
    for name in sorted(compliance.__all__):
        kind = getattr(compliance, name)
        own = {check: item for check, item in _checks(kind).items() if check not in everywhere}
        parts.append(_part(f"`{name}`", _first_paragraph(kind), own))
    return "\n".join(parts)


def _part(title: str, about: str, checks: dict[str, Any]) -> str:
    lines = [f"### {title}", "", about, "", "| check | what is true | when |", "|---|---|---|"]
    lines += [f"| `{name}` | {_first_paragraph(check)} | {_when(check)} |" for name, check in checks.items()]
    return "\n".join(lines) + "\n"


def _checks(kind: type) -> dict[str, Any]:
    """A class's checks by name, in the order in which they are written, inherited ones first."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        found |= {name: item for name, item in vars(base).items() if name.startswith("test_")}
    return found


def _first_paragraph(item: Any) -> str:
    text = " ".join((inspect.getdoc(item) or "").partition("\n\n")[0].split())
    return re.sub(r"`+", "`", text).replace("|", "\\|")


def _when(check: Any) -> str:
    """Always, or where a capability is declared."""
    names = list(_capabilities(check))
    return ", ".join(f"`{name}`" for name in names) if names else "always"


def _capabilities(check: Any) -> Iterator[str]:
    while hasattr(check, "__wrapped__"):
        outer = inspect.getclosurevars(check).nonlocals
        if "promise" in outer:
            yield outer["name"]
        check = check.__wrapped__


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(with_table(PAGE.read_text()))
    else:
        print(table())
