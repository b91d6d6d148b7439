"""Rescued work for people: what they may call it, and how it is shown."""

import time
from collections.abc import Sequence

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import WRONG_USAGE
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.spec.suggestions import did_you_mean
from agentrelay_core.task_runner.repairs import Rescued


def kept_line(kept: Rescued) -> str:
    """Rescued work as one line: its ref, when it was kept, how much it is, whose it is."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.saved_at))
    count = "1 file" if kept.files == 1 else f"{kept.files} files"
    whose = f"{kept.name} attempt {kept.attempt_num + 1} of {kept.run_id}" if kept.run_id else kept.name
    return f"{plain_line(kept.ref)}  {when}  {count}, {_size(kept.size)}  {plain_line(whose)}"


def find_kept(given: str, kept: Sequence[Rescued]) -> Rescued:
    """The rescued work that is meant.

    Args:
        given: A ref, or the end of one.
        kept: All that is kept.

    Raises:
        Failure: There is no such one, or there are several.
    """
    exact = [each for each in kept if each.ref == given]
    found = exact or [each for each in kept if each.ref.endswith(f"/{given.strip('/')}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise Failure(
            f"'{given}' may mean {' or '.join(each.ref for each in found)}; give more of it, as `agentrelay rescue "
            "list` shows it",
            WRONG_USAGE,
        )
    names = [each.ref for each in kept] + ["/".join(each.ref.split("/")[3:]) for each in kept]
    hint = did_you_mean(given, names) or "see `agentrelay rescue list`"
    raise Failure(f"nothing is kept as '{given}'; {hint}", WRONG_USAGE)


def _size(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size} {unit}"
        size = round(size / 1024)
    return f"{size} GiB"
