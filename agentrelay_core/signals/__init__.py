"""The file protocol with agents: what they are given, and how their signals are read safely and noticed at once.

Names are resolved on first use, so that importing this room costs next to nothing.
"""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.runtime.agent_files import write_atomically as write_atomically
    from agentrelay_core.signals.checker import (
        SignalCompletionChecker as SignalCompletionChecker,
    )
    from agentrelay_core.signals.checker import (
        wait_for_signal as wait_for_signal,
    )
    from agentrelay_core.signals.concerns import read_concerns as read_concerns
    from agentrelay_core.signals.layout import signal_directory as signal_directory
    from agentrelay_core.signals.outputs import read_outputs as read_outputs
    from agentrelay_core.signals.protocol_files import write_protocol_files as write_protocol_files
    from agentrelay_core.signals.reading import (
        SignalReader as SignalReader,
    )
    from agentrelay_core.signals.reading import (
        final_look as final_look,
    )
    from agentrelay_core.signals.reading import (
        read_signal as read_signal,
    )

# Public names by the module that defines them.
_MODULES = {
    "agentrelay_core.runtime.agent_files": "write_atomically",
    "agentrelay_core.signals.checker": "SignalCompletionChecker wait_for_signal",
    "agentrelay_core.signals.concerns": "read_concerns",
    "agentrelay_core.signals.layout": "signal_directory",
    "agentrelay_core.signals.outputs": "read_outputs",
    "agentrelay_core.signals.protocol_files": "write_protocol_files",
    "agentrelay_core.signals.reading": "SignalReader final_look read_signal",
}
__getattr__, __all__ = lazy_names(__name__, _MODULES)
