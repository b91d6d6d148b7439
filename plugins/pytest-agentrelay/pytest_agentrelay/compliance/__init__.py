"""Compliance classes: what every plugin of a kind must do, as tests that its author gets by subclassing.

Names are resolved on first use (PEP 562): pytest loads the kit in every project where it is installed.
"""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from pytest_agentrelay.compliance.completion import CompletionCheckerCompliance as CompletionCheckerCompliance
    from pytest_agentrelay.compliance.environment import EnvironmentCompliance as EnvironmentCompliance
    from pytest_agentrelay.compliance.forge import ForgeCompliance as ForgeCompliance
    from pytest_agentrelay.compliance.framework import FrameworkCompliance as FrameworkCompliance
    from pytest_agentrelay.compliance.kickoff import KickoffCompliance as KickoffCompliance
    from pytest_agentrelay.compliance.launcher import LauncherCompliance as LauncherCompliance
    from pytest_agentrelay.compliance.merger import MergerCompliance as MergerCompliance
    from pytest_agentrelay.compliance.preparer import PreparerCompliance as PreparerCompliance
    from pytest_agentrelay.compliance.teardown import TeardownCompliance as TeardownCompliance

_HOMES = {
    "pytest_agentrelay.compliance.completion": "CompletionCheckerCompliance",
    "pytest_agentrelay.compliance.environment": "EnvironmentCompliance",
    "pytest_agentrelay.compliance.forge": "ForgeCompliance",
    "pytest_agentrelay.compliance.framework": "FrameworkCompliance",
    "pytest_agentrelay.compliance.kickoff": "KickoffCompliance",
    "pytest_agentrelay.compliance.launcher": "LauncherCompliance",
    "pytest_agentrelay.compliance.merger": "MergerCompliance",
    "pytest_agentrelay.compliance.preparer": "PreparerCompliance",
    "pytest_agentrelay.compliance.teardown": "TeardownCompliance",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
