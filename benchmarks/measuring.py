"""How things are measured: CPU time beside a floor's, in turns, round by round, and the median of the rounds' ratios.

A ratio of two figures of one round is far steadier than either of them on a machine that others use as well.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

Measure = Callable[[], float]
Rounds = dict[str, list[float]]

TIMES = "\u00d7"


@attrs.frozen(kw_only=True)
class Options:
    """How thoroughly to measure.

    Args:
        rounds: How often everything is measured.
        quick: Whether the longest measurements are made smaller.
    """

    rounds: int = 5
    quick: bool = False


@attrs.frozen(kw_only=True)
class Figure:
    """A row of the table.

    Args:
        what: What was measured.
        value: The figure, `None` where it could not be measured; the note says why.
        unit: How many times the floor, or a unit.
        goal: The limit; `None` for a figure without a goal.
        at_least: Whether the goal is a lower limit.
        floor: What it was measured beside, and how much that was.
        note: What a reader should know of it.
    """

    what: str
    value: float | None
    unit: str = TIMES
    goal: float | None = None
    at_least: bool = False
    floor: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; `None` where there is no goal or no figure."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def cpu(action: Callable[[], object], per: int = 1) -> float:
    """CPU seconds of this process, all its threads included, for an action.

    Args:
        action: What is measured.
        per: Number of things the time is divided by.
    """
    gc.collect()
    began = time.process_time()
    action()
    return (time.process_time() - began) / per


def in_turns(rounds: int, measures: Mapping[str, Measure]) -> Rounds:
    """Measure everything once per round, one after another; the figures by name, in the order of rounds."""
    figures: Rounds = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            figures[name].append(measure())
    return figures


def ratio(figures: Sequence[float], floors: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return statistics.median(figure / floor for figure, floor in zip(figures, floors, strict=True))


def middle(figures: Sequence[float], scale: float = 1.0) -> float:
    """The median, scaled."""
    return statistics.median(figures) * scale


def short(value: float) -> str:
    """A figure with three significant digits and no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.4f}"
