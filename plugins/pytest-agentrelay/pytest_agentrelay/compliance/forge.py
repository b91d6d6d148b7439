"""What every forge must do: each pull request is opened once, found by whoever asks, and merged once, as verified."""

from pytest_agentrelay.compliance.forge_merging import MergingChecks
from pytest_agentrelay.compliance.forge_opening import OpeningChecks


class ForgeCompliance(MergingChecks, OpeningChecks):
    """Checks of a forge. Its branches are in a real repository; for a forge elsewhere, override `offer` and `tip`."""
