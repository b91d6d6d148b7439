"""An in-process plugin whose six steps live in memory, for graphs without a repository."""

from typing import Any

from memory_steps import Steps

from agentrelay_core import Catalog, Provider, hookimpl


class MemoryPlugin:
    """Provides every step for every key.

    Args:
        steps: The object that does all six steps.
    """

    def __init__(self, steps: Any) -> None:
        self.steps = steps

    def _provide(self) -> list[Provider[Any]]:
        return [Provider(factory=lambda context: self.steps)]

    @hookimpl
    def agentrelay_task_preparer(self):
        return self._provide()

    @hookimpl
    def agentrelay_task_launcher(self):
        return self._provide()

    @hookimpl
    def agentrelay_task_kickoff(self):
        return self._provide()

    @hookimpl
    def agentrelay_task_completion_checker(self):
        return self._provide()

    @hookimpl
    def agentrelay_task_merger(self):
        return self._provide()

    @hookimpl
    def agentrelay_task_teardown(self):
        return self._provide()


def memory_catalog(steps: Any = None) -> Catalog:
    """A catalog that holds the memory plugin alone."""
    catalog = Catalog()
    report = catalog.add(MemoryPlugin(steps or Steps()))
    assert report.status == "active", report.reason
    return catalog
