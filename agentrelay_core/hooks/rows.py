"""What is installed, as the lines of ``plugins list``."""

from collections.abc import Iterable, Sequence

import attrs

from agentrelay_core.hooks.catalog import Catalog


@attrs.frozen(kw_only=True)
class PluginRow:
    """A line of ``plugins list``; the texts are as they are shown."""

    name: str
    version: str
    status: str
    entry_point: str
    provides: str
    reason: str


def plugin_rows(catalog: Catalog) -> tuple[PluginRow, ...]:
    """The rows of ``plugins list``, sorted by name."""
    return tuple(
        PluginRow(
            name=report.name,
            version=report.version,
            status=report.status,
            entry_point=report.entry_point,
            provides=", ".join(report.provides),
            reason=report.clause,
        )
        for report in catalog.plugins
    )


def table_text(rows: Iterable[PluginRow]) -> str:
    """Rows as an aligned table of plain text; what a plugin provides, or why not, stands last and is never cut."""
    cells = [("PLUGIN", "VERSION", "STATUS", "PROVIDES")]
    cells += [(row.name, row.version or "-", row.status, row.provides or row.reason or "-") for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    return "\n".join(_line(line, widths) for line in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join((*padded, cells[-1]))
