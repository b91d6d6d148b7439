"""The page of the compliance checks is made of the classes themselves."""

import re

from compliance_page import PAGE, with_table
from pages import rows, section
from pytest_agentrelay.compliance.base import Compliance
from pytest_agentrelay.compliance.capabilities import CAPABILITIES


def test_the_table_is_that_of_the_classes():
    """Every check of every class stands there with its docstring's first sentence, and no other does."""
    page = PAGE.read_text()
    assert with_table(page) == page, "run `python tests/support/compliance_page.py --write`"
    assert page.count("| `test_") > 50
    assert "|  |" not in page


def test_capabilities_are_documented():
    """The page lists exactly the capabilities that may be declared."""
    assert [row[0].strip("`") for row in rows(section("docs/compliance.md", "Capabilities"))] == list(CAPABILITIES)


def test_attributes_are_documented():
    """Every attribute that a class may set has a word on the page, and none is made up."""
    listed = {name for row in rows(section("docs/compliance.md", "What a class says")) for name in _names(row[0])}
    assert listed == {name for name in Compliance.__annotations__ if name != "place"}


def _names(cell):
    return re.findall(r"`(\w+)`", cell)
