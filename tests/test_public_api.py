"""What plugins and hosts rely on changes only when somebody says so."""

import attrs
import pytest
from public_api import FILE, public_api

from agentrelay_core import FrameworkType, TaskMerger
from agentrelay_core.hooks import specs
from agentrelay_core.hooks.markers import hookspec


def test_the_public_api_is_as_announced():
    """Names, signatures, fields, hooks and the entry-point group are those of the committed file."""
    assert public_api() == FILE.read_text(), (
        "the public API has changed: see CONTRIBUTING.md, `The public API`, for what may, then announce it by a "
        "newsfragment and run `python tests/support/public_api.py --write`"
    )


def _another_argument(self, runtime, pr_url, force=False): ...


def _another_hook_argument(settings): ...


@pytest.mark.parametrize(
    ("target", "name", "change"),
    [
        (TaskMerger, "merge_pr", _another_argument),
        (TaskMerger, "squash", _another_argument),
        (specs, "agentrelay_forges", hookspec(_another_hook_argument)),
        (FrameworkType, "__attrs_attrs__", attrs.fields(FrameworkType)[:-1]),
    ],
)
def test_a_change_shows(target, name, change, monkeypatch):
    """An argument more, a method more, a hook's argument and a field less each make another text."""
    monkeypatch.setattr(target, name, change, raising=False)
    assert public_api() != FILE.read_text()
