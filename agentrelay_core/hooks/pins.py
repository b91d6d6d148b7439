"""How a record is named where someone chooses between two: the keys of ``[plugins.pin]``.

A step's key is ``<step>:<framework>:<environment>``, for example ``task_launcher:aider:tmux``, with ``*`` for any
framework or environment. A name's is ``framework:<name>``, ``environment:<name>`` or ``forge:<name>``; as a run has
one workspace, its key is ``workspace``. The value is the name of the distribution that is to provide it.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import attrs

from agentrelay_core.hooks.plugins import PluginReport, canonical
from agentrelay_core.hooks.records import Provider, WorkspaceProvider
from agentrelay_core.hooks.specs import PREFIX
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import AgentEnvironment
from agentrelay_core.task_runner import ANY

EnvironmentNames: TypeAlias = Mapping[type[AgentEnvironment], str]

NO_NAMES: Final[EnvironmentNames] = MappingProxyType({})


@attrs.frozen
class Offer:
    """A record and the plugin that declared it."""

    plugin: PluginReport
    record: Any


class ProviderConflictError(UserError):
    """Two plugins provide the same thing and nothing chooses. Its text holds the line of configuration that does.

    Args:
        message: The whole text.
        offers: What there is to choose from.
    """

    def __init__(self, message: str, offers: Sequence[Offer] = ()) -> None:
        super().__init__(message)
        self.offers = tuple(offers)


def provider_key(provider: Provider[Any]) -> tuple[str, type[AgentEnvironment]]:
    """The key of a step's provider in a table; a framework given as an enum's member becomes its plain name."""
    framework: Any = provider.framework
    return (str(framework.value) if isinstance(framework, Enum) else framework), provider.environment


def step_key(step: str, framework: str, environment: type[AgentEnvironment], names: EnvironmentNames = NO_NAMES) -> str:
    """The pin key of a step for a framework and an environment's type."""
    place = ANY if environment is AgentEnvironment else names.get(environment, environment.__name__)
    return f"{step}:{framework}:{place}"


def pin_key(hook: str, record: Any, names: EnvironmentNames = NO_NAMES) -> str:
    """The pin key of a record.

    Args:
        hook: The hook that it was given for.
        record: The record.
        names: What environments' classes are called; a class that has no name here goes by its own.
    """
    topic = hook.removeprefix(PREFIX)
    if isinstance(record, Provider):
        return step_key(topic, *provider_key(record), names)
    if isinstance(record, WorkspaceProvider):
        return topic
    return f"{topic.removesuffix('s')}:{record.name}"


def choose(key: str, offers: Sequence[Offer], pins: Mapping[str, str]) -> Offer | ProviderConflictError:
    """Choose among what plugins offer for one key; the order of plugins never decides.

    Args:
        key: The pin key.
        offers: At least one.
        pins: Distributions by pin key.

    Returns:
        The only offer or the pinned one, else the conflict: an error that is raised when someone needs the key.
    """
    pinned = canonical(pins.get(key, ""))
    for offer in offers:
        if len(offers) == 1 or canonical(offer.plugin.name) == pinned:
            return offer
    titles = [offer.plugin.title for offer in offers]
    who = f"{', '.join(titles[:-1])} and {titles[-1]}"
    wrong = f" The pin names {pins[key]}, which does not provide it." if key in pins else ""
    return ProviderConflictError(
        f"{len(offers)} plugins provide {key}: {who}.{wrong} "
        f'Choose one in agentrelay.toml, under [plugins.pin]: "{key}" = "{offers[0].plugin.name}"',
        offers,
    )
