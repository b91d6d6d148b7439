"""Which ids are safe to become branch names, directories and window titles (faults I3)."""

import re

LONGEST_ID = 64

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def id_problem(value: str) -> str | None:
    """Say what is wrong with an id or a graph's name.

    Args:
        value: The id as the user wrote it.

    Returns:
        A clause that completes "'<id>' …", or `None` when the id is good. What passes is also a valid component of a
        git ref (``git check-ref-format``).
    """
    if _ID.fullmatch(value) and "." not in value:  # nearly all
        return None
    if not value:
        return "is empty"
    if len(value) > LONGEST_ID:
        return f"has {len(value)} characters; {LONGEST_ID} are allowed"
    if not _ID.fullmatch(value):
        return "must start with a letter or digit and hold only letters, digits, '.', '_' and '-'"
    if ".." in value:
        return "must not contain '..'"
    if value.endswith("."):
        return "must not end with '.'"
    if value.lower().endswith(".lock"):
        return "must not end with '.lock'"
    return None
