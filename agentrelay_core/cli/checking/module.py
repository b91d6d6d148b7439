"""The test module that is written for a check: one subclass of a compliance class for each subject."""

from collections.abc import Sequence
from typing import Any, Final

from agentrelay_core.cli.checking.subjects import Subject

CLASS: Final = "TestSubject"
SETTINGS: Final = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


def module_text(subjects: Sequence[Subject]) -> str:
    """The text of the module.

    Args:
        subjects: What is checked; the class of each is ``TestSubject`` and its number.
    """
    names = ", ".join(sorted({subject.compliance for subject in subjects}))
    lines = [
        '"""Written by `agentrelay plugins check`; gone when it ends."""',
        "",
        "from importlib import import_module",
        "from operator import attrgetter",
        "",
        f"from pytest_agentrelay.compliance import {names}",
    ]
    for number, subject in enumerate(subjects):
        lines += ["", "", f"class {CLASS}{number}({subject.compliance}):", f"    plugin = {_plugin(subject.plugin)}"]
        lines += [f"    {name} = {_shown(value)}" for name, value in subject.attributes.items()]
    return "\n".join(lines) + "\n"


def _plugin(value: str) -> str:
    """A module by its name, as light imports are checked by it; an attribute of one as the object."""
    module, _, attribute = value.partition("[")[0].partition(":")
    if not attribute.strip():
        return repr(module.strip())
    return f"attrgetter({attribute.strip()!r})(import_module({module.strip()!r}))"


def _shown(value: Any) -> str:
    return f"set({sorted(value)!r})" if isinstance(value, set) else repr(value)
