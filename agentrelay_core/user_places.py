"""The user's own directories for configuration and state.

On Linux two variables tell them. platformdirs, which knows the rules of the others, takes longer to import than most
commands take for the rest of their work.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "agentrelay"


def user_configuration(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of the user's configuration; it need not exist.

    Args:
        environ: Where ``XDG_CONFIG_HOME`` is looked up.
    """
    if sys.platform == "linux":
        return _base(environ.get("XDG_CONFIG_HOME"), "~/.config") / _NAME
    from platformdirs import user_config_path

    return user_config_path(_NAME, appauthor=False)


def user_state(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory for what must outlive a command; it need not exist.

    Args:
        environ: Where ``XDG_STATE_HOME`` is looked up.
    """
    if sys.platform == "linux":
        return _base(environ.get("XDG_STATE_HOME"), "~/.local/state") / _NAME
    from platformdirs import user_state_path

    return user_state_path(_NAME, appauthor=False)


def _base(given: str | None, usual: str) -> Path:
    """The directory that a variable names; one that is empty names none."""
    return Path((given or "").strip() or usual).expanduser()
