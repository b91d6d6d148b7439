"""The plugins as the configuration wants them, inside a repository or outside of any."""

from pathlib import Path

from agentrelay_core.cli.configuration import Configuration, read_configuration
from agentrelay_core.hooks import Catalog
from agentrelay_core.orchestrator.places import repository_root
from agentrelay_core.runtime import UserError


def root_or_none(repository: str) -> Path | None:
    """The root of the repository that a path is in; `None` where there is none, for what works anywhere."""
    try:
        return repository_root(Path(repository))
    except UserError:
        return None


def make_catalog(configuration: Configuration) -> Catalog:
    """Find the plugins.

    Args:
        configuration: Says which are off, and who provides what.
    """
    return Catalog.discover(
        disable=configuration.disable, pins=configuration.pins, plugin_options=configuration.options
    )


def catalog_here(repository: str) -> Catalog:
    """The plugins as they are for a repository, or for the user where the path is in none.

    Args:
        repository: A path.

    Raises:
        ConfigurationError: The configuration is wrong.
    """
    return make_catalog(read_configuration(root_or_none(repository)))
