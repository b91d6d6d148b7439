"""Giving up a hook, or an argument of one: its author is warned by pluggy, its user by the doctor, and it goes on."""

import pytest

from agentrelay_core.hooks import Catalog, specs
from agentrelay_core.hooks.deprecation import deprecated
from agentrelay_core.hooks.doctor import doctor_findings
from agentrelay_core.hooks.markers import hookspec

FORGES = """
@hookimpl
def agentrelay_forges({}):
    yield ForgeProvider(name="f", recognises=lambda url: False, factory=dict)
"""


@pytest.fixture
def declare(monkeypatch):
    """Declares the hook of forges anew, for this test."""

    def declare(function, **options):
        function.__name__ = "agentrelay_forges"
        monkeypatch.setattr(specs, "agentrelay_forges", hookspec(**options)(function))

    return declare


def test_a_deprecated_hook_still_counts_and_is_told_of(declare, plugin):
    """The author's tests see pluggy's warning at the hook's line; the plugin is active, and the doctor says it."""
    warning = deprecated("agentrelay_forges", since="0.4", instead="implement agentrelay_code_hosts")
    declare(lambda: (), warn_on_impl=warning)
    catalog = Catalog()
    with pytest.warns(DeprecationWarning, match="agentrelay_forges is deprecated") as warned:
        report = catalog.add(plugin(FORGES.format("")), name="agentrelay-late")
    assert (report.status, report.provides) == ("active", ("forge:f",))
    assert [(each.filename, each.lineno) for each in warned] == [("<agentrelay-test>", 3)]
    (found,) = doctor_findings(catalog)
    assert (found.level, found.subject) == ("note", "agentrelay-late")
    assert found.message == (
        "active: agentrelay_forges is deprecated since agentrelay-core 0.4 and goes with the version after "
        "agentrelay.v1; implement agentrelay_code_hosts"
    )


def test_a_deprecated_argument_concerns_those_who_name_it(declare, plugin):
    """A plugin that takes the argument gets it and is warned; one that does not hears nothing."""
    warning = deprecated("the argument url of agentrelay_forges", since="0.4", instead="leave it out")

    def with_url(url="somewhere"):
        return ()

    declare(with_url, warn_on_impl_args={"url": warning})
    catalog = Catalog()
    assert catalog.add(plugin(FORGES.format("")), name="without").reason == ""
    with pytest.warns(DeprecationWarning, match="the argument url"):
        report = catalog.add(plugin(FORGES.format("url").replace('"f"', "url")), name="with")
    assert (report.status, report.provides) == ("active", ("forge:somewhere",))
    assert report.reason.startswith("the argument url of agentrelay_forges is deprecated since agentrelay-core 0.4")


def test_nothing_is_deprecated_today():
    """No hook that ships carries a warning; when one does, this list and the changelog say so."""
    options = [getattr(specs, hook).agentrelay_spec for hook in specs.RECORDS]
    assert [each["warn_on_impl"] or each["warn_on_impl_args"] for each in options] == [None] * len(options)
