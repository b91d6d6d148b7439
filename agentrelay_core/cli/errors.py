"""What commands raise when they cannot do what they were asked to do; `failures` tells people of it."""

from agentrelay_core.runtime import UserError


class ConfigurationError(UserError):
    """Something in the configuration is wrong (exit 3)."""


class Failure(Exception):
    """A command cannot do what it was asked to do; no fault of ours.

    Args:
        message: What is wrong and what to type next.
        exit_code: The command's exit code.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
