"""A catalog whose six steps are one object in memory, for graphs without a repository."""

from typing import Any

from memory_steps import Steps
from pytest_agentrelay.fakes import FakeSteps
from pytest_agentrelay.fakes.all_steps import STEPS

from agentrelay_core import Catalog


def memory_plugin(steps: Any = None) -> FakeSteps:
    """A plugin that takes the object's word for all six steps."""
    return FakeSteps(workspace=False, **dict.fromkeys(STEPS, steps or Steps()))


def memory_catalog(steps: Any = None) -> Catalog:
    """A catalog that takes the object's word for all six steps, and holds nothing else."""
    catalog = Catalog()
    report = catalog.add(memory_plugin(steps))
    assert report.status == "active", report.reason
    return catalog
