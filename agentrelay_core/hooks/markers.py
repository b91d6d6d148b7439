"""The two markers of our hooks, and the name that ties them together."""

from typing import Final

import pluggy

PROJECT: Final = "agentrelay"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
