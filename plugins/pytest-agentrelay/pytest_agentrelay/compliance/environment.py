"""What every environment's host must do: run exactly this program there, and tell the truth about it."""

from pytest_agentrelay.compliance.host_lasting import LastingChecks
from pytest_agentrelay.compliance.host_starting import StartingChecks


class EnvironmentCompliance(StartingChecks, LastingChecks):
    """Checks of an environment's host. The programs that are run are ``sh``, ``sleep``, ``cat`` and ``printf``."""
