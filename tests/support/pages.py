"""The README and the pages of the documentation, taken apart for the tests that hold them to the code."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts),
]
SNIPPET = re.compile(r"<!-- snippet: ([\w-]+) -->\n```(\w+)\n(.*?)```", re.DOTALL)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def page(name):
    """The text of a page."""
    return (ROOT / name).read_text()


def names(kind):
    """The pages that have snippets of a kind."""
    return [path.relative_to(ROOT).as_posix() for path in PAGES if f"<!-- snippet: {kind} -->" in path.read_text()]


def snippets(name, wanted):
    """The snippets of a kind on a page."""
    return [text for kind, _, text in SNIPPET.findall(page(name)) if kind == wanted]


def snippet(name, wanted):
    """The one snippet of a kind on a page."""
    found = snippets(name, wanted)
    assert len(found) == 1, f"{name} has {len(found)} snippets '{wanted}'"
    return found[0]


def section(name, title):
    """The part of a page below a heading of the second level."""
    return page(name).split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text):
    """The cells of tables, heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    heads = {index - 1 for index, line in enumerate(lines) if line.startswith("|---")}
    return [row for index, row in enumerate(cells) if index not in heads and index - 1 not in heads]


def shown(repository, place):
    """A file's content in a branch of a repository."""
    done = subprocess.run(["git", "show", place], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout
