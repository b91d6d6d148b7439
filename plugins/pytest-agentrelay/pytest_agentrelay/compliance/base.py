"""What every compliance class has: the plugin that is judged, a catalog with it, tasks for it, and a place for them.

A class of the kit is never collected, wherever it is imported to; its subclasses are, unless they say
``__test__ = False`` or their name begins with an underscore.
"""

import asyncio
import inspect
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import pytest

from agentrelay_core.hooks import Catalog, RunInfo, StepContext
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import AgentConfig, AgentEnvironment, Task
from pytest_agentrelay.compliance.capabilities import CAPABILITIES
from pytest_agentrelay.compliance.faults import fault
from pytest_agentrelay.compliance.leftovers import descendants, processes
from pytest_agentrelay.compliance.light import NotImportableError, heavy, loaded_by

RUN: Final = "compliance"
# An agent that stays alive until it is ended.
IDLE_COMMAND: Final = {"command": ["sleep", "600"]}
_BUILTIN: Final = "agentrelay_core.builtin"
_KIT: Final = "pytest_agentrelay."

T = TypeVar("T")


class Compliance:
    """Base of the compliance classes.

    Attributes:
        plugin: The plugin's hook module by its import name, or the plugin object itself.
        framework: The framework's name in graph files.
        environment: The environment's name in graph files, or an instance of its class; empty means the default
            environment of the framework.
        options: The framework's options, as in a graph file. The framework ``command`` sleeps if nothing is said.
        capabilities: Stronger promises that the plugin makes: ``adoptable``, ``remote``, ``reports_usage``,
            ``resumable``, ``waits_for_approval``. What is declared is checked.
        companions: Further plugins, by import name or as objects, that the judged one needs to work.
        stand_ins: Shell scripts by program name that are first on ``PATH`` during a check, in place of programs that
            are not installed, cost money or ask for a password.
        longest_block: How long a step may hold the event loop, in seconds.
        patience: How long what is about to go is waited for, in seconds.
        deadline: How long one call may take, in seconds.
    """

    __test__ = False

    plugin: ClassVar[Any] = None
    framework: ClassVar[str] = "command"
    environment: ClassVar[str | AgentEnvironment] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    capabilities: ClassVar[Iterable[str]] = frozenset()
    companions: ClassVar[Iterable[Any]] = ()
    stand_ins: ClassVar[Mapping[str, str]] = {}
    longest_block: ClassVar[float] = 0.05
    patience: ClassVar[float] = 3.0
    deadline: ClassVar[float] = 20.0

    place: Path

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if "__test__" not in cls.__dict__:
            cls.__test__ = not cls.__module__.startswith(_KIT) and not cls.__name__.startswith("_")

    @pytest.fixture(autouse=True)
    def _prepare_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        unknown = sorted(set(self.capabilities) - set(CAPABILITIES))
        if unknown:
            fault(
                f"{type(self).__name__} declares the capability {unknown[0]!r}, which there is not.",
                f"declare some of {', '.join(CAPABILITIES)}.",
            )
        self.place = tmp_path
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, script in self.stand_ins.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
        for name in [name for name in os.environ if name.startswith(("GIT_", "AGENTRELAY_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        before = descendants()
        yield
        for pid in processes(self.place) - before:  # a check that failed may leave what it found
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @cached_property
    def catalog(self) -> Catalog:
        """A catalog with the plugin, its companions and the core's own plugin, and nothing else."""
        if self.plugin is None:
            fault(
                f"{type(self).__name__} does not say which plugin it judges.",
                'set `plugin = "<import name of your hook module>"` in it.',
            )
        judged = _module(self.plugin)
        others = [_module(other) for other in self.companions]
        core = import_module(_BUILTIN)
        plugins = list({id(each): each for each in (judged, *others, core)}.values())
        catalog = _with(plugins, {})
        if catalog.conflicts:
            catalog = _with(plugins, dict.fromkeys(catalog.conflicts, _name(judged)))
        return catalog

    @cached_property
    def agent_environment(self) -> AgentEnvironment:
        """An instance of the environment's class."""
        if isinstance(self.environment, AgentEnvironment):
            return self.environment
        name = self.environment
        if not name:
            record = self.catalog.frameworks.get(self.framework)
            if record is None:
                return AgentEnvironment()
            name = record.default_environment
        environment = self.catalog.environments.get(name)
        if environment is None:
            fault(
                f"no plugin of {type(self).__name__} declares the environment {name!r}.",
                "name one that `plugin` or `companions` declare: "
                f"there are {', '.join(sorted(self.catalog.environments))}.",
            )
        try:
            return environment.cls()
        except TypeError as error:
            fault(
                f"the environment {name!r} has keys that must be given: {error}.",
                f"give an instance: `environment = {environment.cls.__name__}(…)`.",
            )

    def make_task(self, name: str) -> Task:
        """The task that is done in a check; override it for a task with more.

        Args:
            name: Distinguishes tasks that live at the same time.
        """
        options = self.options or (IDLE_COMMAND if self.framework == "command" else {})
        agent = AgentConfig(framework=self.framework, environment=self.agent_environment, options=options)
        return Task(
            id=name,
            description=f"Do the work of {name}.",
            workstream_id=name,
            allow_no_changes=True,
            primary_agent=agent,
        )

    def make_run(self) -> RunInfo:
        """The run that the tasks belong to."""
        state = self.place / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        return RunInfo(run_id=RUN, graph_name=RUN, repository=self.repository, state_dir=state)

    @property
    def repository(self) -> Path | None:
        """The user's repository, `None` for steps that need none."""
        return None

    def make_runtime(self, name: str = "one") -> TaskRuntime:
        """A task as the step gets it from the runner; for most steps, a prepared one.

        Args:
            name: Distinguishes tasks that live at the same time.
        """
        from agentrelay_core.signals import write_protocol_files

        runtime = TaskRuntime(self.make_task(name), run_id=RUN, graph_name=RUN)
        state = runtime.state
        state.integration_branch = f"agentrelay/{RUN}@{name}"
        state.branch_name = f"agentrelay/{RUN}/{name}"
        state.worktree_path = state.workstream_worktree_path = self.place / name / "worktree"
        state.worktree_path.mkdir(parents=True)
        state.signal_dir = self.place / name / "signals"
        write_protocol_files(runtime, dependency_descriptions={})
        return runtime

    def make_context(self, runtime: TaskRuntime) -> StepContext:
        """What a factory is given for a task."""
        records = self.catalog.records_of(runtime.task.primary_agent)
        return StepContext(
            runtime=runtime,
            run=self.make_run(),
            options=records.options,
            framework=records.framework,
            environment=records.environment,
        )

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function in an event loop of its own, within the deadline."""

        async def limited() -> T:
            async with asyncio.timeout(self.deadline) as limit:
                try:
                    return await work()
                except TimeoutError as error:
                    if limit.expired():
                        raise _Overdue from error
                    raise

        try:
            return asyncio.run(limited())
        except (TimeoutError, _Overdue):
            fault(
                f"{type(self).__name__}: a call did not come back within {self.deadline:g} s.",
                "give every wait a deadline, and return as soon as what was waited for is there; "
                "set `deadline` in the class if it honestly takes longer.",
            )

    def test_importing_the_plugin_is_light(self) -> None:
        """Importing the hook module, and asking its hooks, loads no module beyond those of its declarations."""
        module = self._hook_module()
        try:
            loaded = loaded_by(module)
        except NotImportableError as error:
            fault(
                f"{module} cannot be imported in a fresh interpreter: {error}.",
                "make the hook module importable by itself, without a test's or a caller's preparations.",
            )
        found = heavy(module, loaded, self._declared_modules())
        if found:
            fault(
                f"importing {module} loads {', '.join(found)}, which every command of agentrelay then waits for.",
                "import them inside the factories that need them, and under `if TYPE_CHECKING:` for annotations.",
            )

    def _hook_module(self) -> str:
        name = self.plugin if isinstance(self.plugin, str) else _module(self.plugin)
        name = name if isinstance(name, str) else getattr(name, "__name__", None)
        if name is None or inspect.isclass(self.plugin) or not inspect.ismodule(_module(self.plugin)):
            pytest.skip("the plugin is an object, not a module; give the import name of the hook module")
        return name

    def _declared_modules(self) -> set[str]:
        """Modules of the data classes that the plugin's own records name."""
        named: set[str] = set()
        for offers in self.catalog.offers.values():
            for offer in offers:
                if offer.plugin.name == _name(_module(self.plugin)):
                    kinds = [getattr(offer.record, field, None) for field in ("cls", "options", "environment")]
                    named |= {kind.__module__ for kind in kinds if inspect.isclass(kind)}
        return named


class _Overdue(Exception):
    """The whole check took too long, as opposed to a time limit that a step set itself."""


def _module(plugin: Any) -> Any:
    return import_module(plugin) if isinstance(plugin, str) else plugin


def _name(plugin: Any) -> str:
    return str(getattr(plugin, "__name__", None) or type(plugin).__name__)


def _with(plugins: Iterable[Any], pins: Mapping[str, str]) -> Catalog:
    catalog = Catalog(pins=pins)
    for plugin in plugins:
        report = catalog.add(plugin, name=_name(plugin))
        if report.status != "active":
            fault(f"the plugin cannot be used: {report.reason}.", f"{report.mend or 'mend its hooks'}.")
    return catalog
