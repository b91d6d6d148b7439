"""What an agent of the framework ``fake`` says besides: its script.

What a script may hold is loaded when there is one: whoever only lists plugins reads none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from pytest_agentrelay.fakes.script import Act

DRY_RUN: Final = ("write", "done")


def _script(value: Any) -> tuple[str | dict[str, Any], ...]:
    from pytest_agentrelay.fakes.script import read_script

    return tuple(act.plain() for act in read_script(value))


@attrs.frozen(kw_only=True)
class FakeOptions:
    """Options of the framework ``fake``.

    Args:
        script: What the agent does, one act after the other: a word such as ``done``, or a word with its value such as
            ``{write: notes.txt}``. By default it writes a file that is called after its task, and is done.
    """

    script: tuple[str | dict[str, Any], ...] = attrs.field(
        default=DRY_RUN, converter=_script, hash=False, metadata={"help": "What the agent does, act by act."}
    )

    @property
    def acts(self) -> tuple[Act, ...]:
        """The script as it is played."""
        from pytest_agentrelay.fakes.script import read_script

        return read_script(self.script)
