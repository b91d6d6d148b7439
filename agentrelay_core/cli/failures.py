"""How errors are told: people's mistakes as a sentence and the next command, ours as the place of a full traceback."""

import os
import sys
import time
from pathlib import Path

import click

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import INTERNAL, exit_code_of
from agentrelay_core.runtime.no_room import no_room
from agentrelay_core.runtime.untrusted_text import plain_text
from agentrelay_core.user_places import user_state


def report(error: Exception, *, debug: bool) -> int:
    """Tell of an error on stderr.

    Args:
        error: What was raised.
        debug: Whether the traceback of an internal error goes to stderr too.

    Returns:
        The exit code.
    """
    error = no_room(error) or error
    code = error.exit_code if isinstance(error, Failure) else exit_code_of(error)
    if code is not None:
        text = plain_text(str(error))
        # Most messages name the next command already.
        advice = "" if "`" in text else "\nsee `agentrelay --help`, or look at `agentrelay doctor`"
        click.echo(f"error: {text}{advice}", err=True)
        return code
    import traceback  # for what nobody foresaw alone; so is what knows of secrets

    from agentrelay_core.runtime.secrets import secrets_among, starred

    secrets = secrets_among(os.environ.items())
    story = starred("".join(traceback.format_exception(error)), secrets)
    typed = starred(f"agentrelay {' '.join(sys.argv[1:])}", secrets)
    where = None if debug else _write(f"{typed}\n\n{story}")
    told = starred(f"{type(error).__name__}: {error}", secrets)
    click.echo(f"internal error: {plain_text(told)}", err=True)
    if where is None:
        click.echo(plain_text(story), err=True)
    else:
        click.echo(f"the whole traceback is in {where}; `agentrelay --debug …` shows it at once", err=True)
    return INTERNAL


def _write(story: str) -> Path | None:
    """Write a traceback where it can be found later; `None` when there is no such place."""
    try:
        given = os.environ.get("AGENTRELAY_STATE_DIR")
        base = Path(given).expanduser() if given else user_state()
        folder = base / "crashes"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
        path.write_text(story, "utf-8", "backslashreplace")
    except OSError:
        return None
    return path
