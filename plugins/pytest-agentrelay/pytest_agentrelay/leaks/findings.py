"""One thing that was left, in words for the test's author: what it is, and how to mend it."""

from collections.abc import Hashable

import attrs


@attrs.frozen(kw_only=True)
class Leak:
    """Something that a test left.

    Args:
        key: What tells it from every other; the same at each look.
        what: What it is, for example ``process 4711 (sleep 600)``.
        remedy: What to do about it.
    """

    key: Hashable
    what: str = attrs.field(eq=False)
    remedy: str = attrs.field(eq=False)

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"
