"""What goes wrong with tmux itself, and with telling an agent in a terminal what to do."""

from agentrelay_core.processes import ProcessError
from agentrelay_core.runtime import AgentFailure, IntegrationBoundary
from agentrelay_core.runtime.untrusted_text import plain_text

# How much of a screen an error shows, in lines.
SHOWN_LINES = 30


class TmuxError(ProcessError):
    """tmux did not do what it was asked; the text has its words."""


class KickoffError(AgentFailure):
    """An agent in a terminal did not acknowledge what it was told; the text shows what was on its screen.

    Args:
        why: What went wrong, a clause.
        screen: What was on the screen.
    """

    def __init__(self, why: str, screen: str = "") -> None:
        lines = [line.rstrip() for line in plain_text(screen).splitlines()]
        shown = "\n".join(line for line in lines if line).splitlines()[-SHOWN_LINES:]
        told = "; nothing was on its screen" if not shown else ", and on its screen was:\n" + "\n".join(shown)
        super().__init__(f"kickoff failed: {why}{told}", boundary=IntegrationBoundary.AGENT_LAUNCH)
        self.why = why
        self.screen = screen
