"""Who serves a step's key, and why: the lookup as data, and as lines of text."""

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from agentrelay_core.hooks.catalog import Catalog
from agentrelay_core.hooks.pins import Offer, ProviderConflictError, step_key
from agentrelay_core.hooks.specs import PREFIX, STEPS
from agentrelay_core.hooks.tables import StepFactory
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import AgentEnvironment
from agentrelay_core.spec.suggestions import did_you_mean
from agentrelay_core.task_runner import ANY, NoImplementationError
from agentrelay_core.task_runner.dispatch import lookup_order


@attrs.frozen(kw_only=True)
class Place:
    """One key of the lookup order, and what stands there.

    Args:
        key: The pin key.
        offers: What plugins offer for it; usually none or one.
        pin: The distribution that a pin names for it, `None` without a pin.
        chosen: Whether this is where the lookup ends.
    """

    key: str
    offers: tuple[Offer, ...] = ()
    pin: str | None = None
    chosen: bool = False


@attrs.frozen(kw_only=True)
class Explanation:
    """Who serves a step for a framework and an environment, and why.

    Args:
        step: The step, for example ``task_launcher``.
        framework: The framework's slug.
        environment: The environment's name, ``*`` for none.
        places: The keys in the order in which they are looked up.
        outcome: ``served``, ``conflict`` or ``missing``.
        distribution: Who serves it: name of the distribution; empty when nobody does.
        version: Its version.
        factory: Where its factory is defined, as ``module:name``.
        error: What a task with this key would be told; empty when it is served.
    """

    step: str
    framework: str
    environment: str
    places: tuple[Place, ...]
    outcome: Literal["served", "conflict", "missing"]
    distribution: str = ""
    version: str = ""
    factory: str = ""
    error: str = ""

    def lines(self) -> Iterator[str]:
        """The explanation for people, a line each."""
        yield f"{self.step} for framework '{self.framework}' in environment '{self.environment}' is looked up as:"
        for number, place in enumerate(self.places, 1):
            offers = ", ".join(f"{offer.plugin.title} ({_factory(offer)})" for offer in place.offers)
            pin = f"; pinned to {place.pin}" if place.pin is not None else ""
            mark = "  <- chosen" if place.chosen else ""
            yield f"  {number}. {place.key}: {offers or 'nothing'}{pin}{mark}"
        if self.outcome == "served":
            who = f"{self.distribution} {self.version}".rstrip()
            yield f"It is served by {who}, {self.factory}."
        else:
            yield self.error


def explain_key(catalog: Catalog, step: str, framework: str, environment_name: str = ANY) -> Explanation:
    """Explain who serves a step.

    Args:
        catalog: The plugins.
        step: The step; ``launcher``, ``task_launcher`` and the hook's name all mean the same.
        framework: The framework's slug.
        environment_name: The environment's name, ``*`` for an agent that names none.

    Raises:
        UserError: There is no such step, or no environment of that name.
    """
    step = _step(step)
    environment = _environment(catalog, environment_name)
    names = {record.cls: name for name, record in catalog.environments.items()}
    chosen: Offer | None = None
    outcome: Literal["served", "conflict", "missing"] = "served"
    error = ""
    try:
        factory: Any = catalog.table(step).resolve(framework, environment)
        chosen = factory.offer if isinstance(factory, StepFactory) else None
    except NoImplementationError as miss:
        outcome, error = "missing", str(miss)
    except ProviderConflictError as conflict:
        outcome, error = "conflict", str(conflict)
    keys = [step_key(step, name, kind, names) for name, kind in lookup_order(framework, environment)]
    return Explanation(
        step=step,
        framework=framework,
        environment=environment_name,
        places=tuple(_place(catalog, key, chosen) for key in keys),
        outcome=outcome,
        distribution=chosen.plugin.name if chosen else "",
        version=chosen.plugin.version if chosen else "",
        factory=_factory(chosen) if chosen else "",
        error=error,
    )


def _place(catalog: Catalog, key: str, chosen: Offer | None) -> Place:
    offers = catalog.offers.get(key, ())
    here = chosen is not None and any(offer.record is chosen.record for offer in offers)
    return Place(key=key, offers=offers, pin=catalog.pins.get(key), chosen=here)


def _step(name: str) -> str:
    plain = name.removeprefix(PREFIX)
    for step in STEPS:
        if plain in (step, step.removeprefix("task_")):
            return step
    short = [step.removeprefix("task_") for step in STEPS]
    hint = did_you_mean(plain.removeprefix("task_"), short) or f"steps are {', '.join(STEPS)}"
    raise UserError(f"There is no step '{name}'; {hint}")


def _environment(catalog: Catalog, name: str) -> type[AgentEnvironment]:
    if name == ANY:
        return AgentEnvironment
    conflict = catalog.conflicts.get(f"environment:{name}")
    if conflict is not None:
        raise conflict
    record = catalog.environments.get(name)
    if record is None:
        known = sorted(catalog.environments)
        hint = did_you_mean(name, known) or f"installed are: {', '.join(known) or 'none'}; * means any"
        raise UserError(f"No environment '{name}' is installed; {hint}")
    return record.cls


def _factory(offer: Offer) -> str:
    factory = offer.record.factory
    module = getattr(factory, "__module__", None) or type(factory).__module__
    return f"{module}:{getattr(factory, '__qualname__', type(factory).__qualname__)}"
