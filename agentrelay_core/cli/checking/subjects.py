"""What there is to check of a plugin: each thing that it provides, with the compliance class that judges it."""

import shutil
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import attrs

from agentrelay_core.hooks import Catalog, EnvironmentType, ForgeProvider, FrameworkType
from agentrelay_core.hooks.discovery import candidates
from agentrelay_core.hooks.loading import register, resolve
from agentrelay_core.hooks.pins import Offer
from agentrelay_core.hooks.plugins import Plugin, PluginReport, canonical
from agentrelay_core.hooks.specs import PREFIX, RECORDS
from agentrelay_core.spec import AgentEnvironment
from agentrelay_core.task_runner import ANY

# The framework and the environment that stand for any; an agent that is checked must live until it is ended.
ANY_FRAMEWORK: Final = "command"
ANY_FRAMEWORK_OPTIONS: Final[Mapping[str, Any]] = {"command": "exec sleep 60"}
ANYWHERE: Final = "process"
AT_WORK: Final = "exec sleep 60"

CORE: Final = "agentrelay-core"

_STEPS: Final[Mapping[str, str]] = {
    "task_launcher": "LauncherCompliance",
    "task_kickoff": "KickoffCompliance",
    "task_completion_checker": "CompletionCheckerCompliance",
}
_OWN_TESTS: Final = "it needs a repository of its own kind; subclass {} of pytest-agentrelay in the plugin's own tests"
_NOT_CHECKED: Final[Mapping[str, str]] = {
    "task_preparer": _OWN_TESTS.format("PreparerCompliance"),
    "task_merger": _OWN_TESTS.format("MergerCompliance"),
    "task_teardown": _OWN_TESTS.format("TeardownCompliance"),
    "workspace": "the test kit has no checks for workspaces yet",
}
_ON_A_SERVER: Final = (
    "its pull requests live on a server; subclass ForgeCompliance of pytest-agentrelay in the plugin's own tests"
)


@attrs.frozen(kw_only=True)
class Subject:
    """One thing to check: a step, a framework or an environment, for one pair.

    Args:
        step: What it is: a step (``task_launcher``), ``framework``, ``environment``, ``workspace`` or ``forge``.
        framework: The framework's slug, ``*`` for any.
        environment: The environment's name, ``*`` for any.
        compliance: The test kit's class; empty where there is none.
        plugin: What the class is to put into its catalog, as ``module`` or ``module:attribute``.
        attributes: What the class is given besides.
        not_checked: Why it is not checked; empty when it is.
        forge: The forge's name; empty for all else.
    """

    step: str
    framework: str
    environment: str
    compliance: str = ""
    plugin: str = ""
    attributes: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    not_checked: str = ""
    forge: str = ""

    @property
    def title(self) -> str:
        """For example ``task_launcher for aider in process, with a stand-in for aider``, or ``forge local``."""
        if self.forge:
            return f"{self.step} {self.forge}"
        stood = ", ".join(self.attributes.get("stand_ins", ()))
        return (
            f"{self.step} for {self.framework} in {self.environment}{f', with a stand-in for {stood}' if stood else ''}"
        )


@attrs.frozen(kw_only=True)
class Wishes:
    """What the one who checks says of the plugin.

    Args:
        options: Options of its frameworks.
        capabilities: Promises that it makes beyond those that all make: ``resumable`` for all that it provides, or
            ``task_launcher:resumable`` for its launchers alone.
    """

    options: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    capabilities: frozenset[str] = frozenset()

    def capabilities_of(self, step: str) -> set[str]:
        """The promises of what provides a step, a framework or an environment."""
        parts = [text.rpartition(":") for text in self.capabilities]
        return {name for of, _, name in parts if of in ("", step)}


def subjects_of(catalog: Catalog, report: PluginReport, wishes: Wishes) -> tuple[Subject, ...]:
    """What there is to check of a plugin, in the order of its hooks.

    Args:
        catalog: What is installed.
        report: An active plugin.
        wishes: What is known of it besides.
    """
    points = _points(report)
    found = [
        subject
        for key, offers in catalog.offers.items()
        for offer in offers
        if offer.plugin.name == report.name
        for subject in _Maker(catalog, offer, wishes, _home(points, offer)).subjects(key)
    ]
    return tuple(sorted(found, key=lambda subject: _ORDER.index(subject.step)))


_ORDER: Final = [hook.removeprefix(PREFIX).removesuffix("s") for hook in RECORDS]


def needs_of(catalog: Catalog, report: PluginReport) -> tuple[str, ...]:
    """The programs that anything of a plugin needs on PATH, sorted."""
    mine = (offer for offers in catalog.offers.values() for offer in offers if offer.plugin.name == report.name)
    return tuple(sorted({program for offer in mine for program in offer.record.needs}))


@attrs.frozen
class _Maker:
    """Makes the subjects of one record."""

    catalog: Catalog
    offer: Offer
    wishes: Wishes
    home: str

    def subjects(self, key: str) -> Iterator[Subject]:
        kind, _, rest = key.partition(":")
        record = self.offer.record
        if kind in _NOT_CHECKED:
            framework, _, environment = rest.partition(":")
            yield Subject(
                step=kind,
                framework=framework if kind.startswith("task_") else "*",
                environment=environment if kind.startswith("task_") else "*",
                not_checked=_NOT_CHECKED[kind],
            )
        elif isinstance(record, ForgeProvider):
            yield self._forge(record)
        elif isinstance(record, FrameworkType):
            place = record.default_environment
            yield self._subject("framework", "FrameworkCompliance", record.name, place, place, starts=False)
            yield self._subject("task_launcher", _STEPS["task_launcher"], record.name, place, place)
        elif isinstance(record, EnvironmentType):
            named = self._place(record.cls, record.name)
            yield self._subject("environment", "EnvironmentCompliance", ANY, record.name, named)
            yield self._subject("task_launcher", _STEPS["task_launcher"], ANY, record.name, named)
        else:
            framework, _, environment = rest.partition(":")
            named = self._place(record.environment, environment)
            yield self._subject(kind, _STEPS[kind], framework, environment, named)

    def _forge(self, record: ForgeProvider) -> Subject:
        absent = next((program for program in record.needs if shutil.which(program) is None), None)
        obstacle = "" if absent is None else f"{absent} is not on PATH"
        return Subject(
            step="forge",
            framework=ANY,
            environment=ANY,
            compliance="ForgeCompliance",
            plugin=self.home,
            attributes={"forge": record.name},
            not_checked=_ON_A_SERVER if record.has_server else obstacle,
            forge=record.name,
        )

    def _subject(
        self, step: str, compliance: str, framework: str, environment: str, place: str | None, *, starts: bool = True
    ) -> Subject:
        slug = ANY_FRAMEWORK if framework == ANY else framework
        given = ANY_FRAMEWORK_OPTIONS if slug == ANY_FRAMEWORK else {}
        wished = {} if framework == ANY else self.wishes.options  # they are meant for the plugin's own framework
        agents, others = self._programs(slug, place)
        attributes = {
            "framework": slug,
            "environment": place,
            "options": {**given, **wished},
            "capabilities": self.wishes.capabilities_of(step),
            "companions": self._companions(slug, place),
            "stand_ins": dict.fromkeys(agents, AT_WORK) if starts else {},
        }
        return Subject(
            step=step,
            framework=framework,
            environment=environment,
            compliance=compliance,
            plugin=self.home,
            attributes=attributes,
            not_checked=self._obstacle(slug, environment, place, others if starts else ()),
        )

    def _programs(self, framework: str, place: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The programs that are agents, for which others stand in during a check, and those that must be there."""
        own = self.catalog.environments.get(place or "")
        kind = self.catalog.frameworks.get(framework)
        others = own.needs if own is not None else ()
        agents = {*(kind.needs if kind is not None else ()), *self.offer.record.needs}
        return tuple(sorted(agents - {*others})), others

    def _obstacle(self, framework: str, environment: str, place: str | None, programs: Collection[str]) -> str:
        """Why a subject cannot be checked here; empty where it can."""
        if place is None:
            return f"the environment '{environment}' must be given values; check it in the plugin's own tests"
        given = {*self.wishes.options, *(ANY_FRAMEWORK_OPTIONS if framework == ANY_FRAMEWORK else ())}
        missing = _missing_options(self.catalog.frameworks.get(framework), given)
        if missing:
            return f"its framework needs an option; add `--option {missing[0]}=VALUE`"
        absent = next((program for program in programs if shutil.which(program) is None), None)
        return "" if absent is None else f"{absent} is not on PATH"

    def _companions(self, framework: str, place: str | None) -> list[str]:
        """The entry points of other plugins that declare the framework or the environment."""
        found: dict[str, None] = {}
        for key in (f"framework:{framework}", f"environment:{place}"):
            for offer in self.catalog.offers.get(key, ()):
                if offer.plugin.name not in (self.offer.plugin.name, CORE):
                    found |= dict.fromkeys(modules_of(offer.plugin))
        return list(found)

    def _place(self, cls: type[AgentEnvironment], name: str) -> str | None:
        """The name of an environment to check in; `None` where it is not declared, or must be given values."""
        if cls is AgentEnvironment:
            return ANYWHERE
        fields = attrs.fields(cls) if attrs.has(cls) else ()
        required = any(field.default is attrs.NOTHING for field in fields)
        return None if required or name not in self.catalog.environments else name


def modules_of(report: PluginReport) -> tuple[str, ...]:
    """The modules that a plugin's entry points name; those that name an attribute of one are left out."""
    return tuple(value for value in _values(report) if ":" not in value)


def _missing_options(record: FrameworkType | None, given: Collection[str]) -> tuple[str, ...]:
    if record is None or record.options is None:
        return ()
    fields: tuple[Any, ...] = attrs.fields(record.options)
    return tuple(field.name for field in fields if field.default is attrs.NOTHING and field.name not in given)


def _points(report: PluginReport) -> tuple[tuple[str, Plugin], ...]:
    """Each entry point of a plugin, with what it alone declares."""
    return tuple((value, register(report, [resolve(value)])) for value in _values(report))


def _values(report: PluginReport) -> tuple[str, ...]:
    own = next((found for found in candidates() if canonical(found.name) == canonical(report.name)), None)
    return () if own is None else tuple(value for _, value in own.entry_points)


def _home(points: tuple[tuple[str, Plugin], ...], offer: Offer) -> str:
    """The entry point that declares a record; one with factories that are made anew is known by its hook alone."""
    for value, plugin in points:
        if any(offer.record in records for records in plugin.records.values()):
            return value
    for value, plugin in points:
        if any(type(offer.record) is RECORDS[hook] for hook in plugin.records):
            return value
    return points[0][0] if points else ""
