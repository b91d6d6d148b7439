"""Which known name a misspelt one was meant to be, found cheaply even among thousands of names."""

from collections.abc import Collection, Iterable

MOST_CANDIDATES = 2000
MOST_COMPARISONS = 1_000_000


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely stands for.

    Args:
        name: What was written.
        known: The names that would be right.

    Returns:
        The closest name, or `None` where nothing is close. Of very many names only those that start or end like
        ``name``, and are about as long, are compared.
    """
    import difflib  # needed for a wrong name alone

    if len(name) > 100:
        return None
    folded = name.casefold()
    near = [item for item in known if abs(len(item) - len(name)) <= 3]
    for item in near:
        if item.casefold().replace("-", "_") == folded.replace("-", "_"):
            return item
    if len(near) > 200:
        near = [item for item in near if item[:3] == name[:3] or item[-3:] == name[-3:]]
    found = difflib.get_close_matches(name, near[:MOST_CANDIDATES], n=1, cutoff=0.65)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest of the known names, or `None`."""
    match = closest(name, known)
    return None if match is None else f"did you mean '{match}'?"


class Advisor:
    """Hints for many wrong names among the same known ones; says no more once that has cost enough.

    Args:
        known: The names that would be right.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._left = MOST_COMPARISONS

    def hint(self, name: str) -> str | None:
        """A hint that names the closest of the known names, or `None`."""
        if self._left <= 0:
            return None
        self._left -= len(self._known)
        return did_you_mean(name, self._known)


def listing(names: Iterable[str], most: int = 12) -> str:
    """Names for a message, in quotes: all of a few, the first of many."""
    given = list(names)
    shown = ", ".join(f"'{name}'" for name in given[:most])
    return f"{shown} and {len(given) - most} more" if len(given) > most else shown
