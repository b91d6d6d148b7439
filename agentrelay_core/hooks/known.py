"""Which distribution adds what a graph names and nothing installed here provides: names for advice, no imports."""

from typing import Final

CORE: Final = "agentrelay-core"
GIT: Final = "agentrelay-git-gh"
TMUX: Final = "agentrelay-tmux-claude"

STEPS: Final = {
    "task_preparer": GIT,
    "task_launcher": CORE,
    "task_kickoff": CORE,
    "task_completion_checker": CORE,
    "task_merger": GIT,
    "task_teardown": GIT,
}
FRAMEWORKS: Final = {"command": CORE, "claude_code": TMUX}
ENVIRONMENTS: Final = {"process": CORE, "tmux": TMUX}


def advice(distribution: str | None, installed: dict[str, str]) -> str:
    """The sentence that says what to do about something missing.

    Args:
        distribution: The distribution that adds it, `None` when it is not known.
        installed: Status of each installed plugin, by name.
    """
    if distribution is None:
        return "Install a plugin that provides it."
    status = installed.get(distribution)
    if status == "disabled":
        return f'{distribution} provides it: take "{distribution}" out of [plugins] disable.'
    if status is not None and status != "active":
        return f"{distribution} provides it but is {status}: run `agentrelay plugins doctor`."
    if status == "active":
        return "Install a plugin that provides it, or run `agentrelay plugins list`."
    return f"{distribution} provides it: run `pip install {distribution}`."
