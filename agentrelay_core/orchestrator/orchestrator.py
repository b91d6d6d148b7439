"""The embedding API: an orchestrator drives one graph in one repository, inside the host's own event loop.

It touches no signal handler and keeps nothing global; two of them live side by side.
"""

import asyncio
import contextlib
import functools
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs

from agentrelay_core.hooks import Catalog
from agentrelay_core.journal import Journal, JournalError, RunState, graph_data, kinds, read_state, run_started_event
from agentrelay_core.orchestrator.descriptors import affordable
from agentrelay_core.orchestrator.edits import refuse_edits
from agentrelay_core.orchestrator.execution import Execution
from agentrelay_core.orchestrator.orphans import end_what_was_left
from agentrelay_core.orchestrator.ownership import owned
from agentrelay_core.orchestrator.places import ensure, journal_path, new_run_id, repository_root, state_directory
from agentrelay_core.orchestrator.plan import Plan, make_plan, nothing_to_do
from agentrelay_core.orchestrator.preflight import checked_graph, missing_for, require
from agentrelay_core.orchestrator.recording import JournalRecorder
from agentrelay_core.orchestrator.requests import answering
from agentrelay_core.orchestrator.results import RunOutcome, RunResult
from agentrelay_core.orchestrator.run_info import run_info
from agentrelay_core.orchestrator.surroundings import Surroundings
from agentrelay_core.runtime import Event, EventListener, Fenced
from agentrelay_core.runtime.events import careful
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import RunSettings, TaskGraph
from agentrelay_core.task_runner import StandardTaskRunner
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.runner import SMALLEST_POOL
from agentrelay_core.task_runner.watchdog import Watchdog


class Orchestrator:
    """Drives one graph.

    Args:
        graph: The graph.
        repository: A path in the user's repository; `None` for a run without one, which needs
            ``settings.state_dir`` and takes the steps' word.
        catalog: What is installed; default what `Catalog.discover` finds.
        settings: Settings instead of the graph's own.
        on_event: Called with each event; one that raises is logged once and ends nothing.
        select: Ids of the tasks that are wanted; default all.
        accept_graph: Go on with a graph that was edited since the run began; what is done stays done.
        wait_for_owner: Wait for another process that drives this run, where it would be an error.
        takeover: Own the run though another process does, which is then kept from writing; for one that is stuck.
        surroundings: What the run takes from the machine; a simulation gives others.
    """

    def __init__(
        self,
        graph: TaskGraph,
        *,
        repository: str | Path | None = None,
        catalog: Catalog | None = None,
        settings: RunSettings | None = None,
        on_event: EventListener | None = None,
        select: Collection[str] | None = None,
        accept_graph: bool = False,
        wait_for_owner: bool = False,
        takeover: bool = False,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.settings = settings or graph.settings
        self.catalog = catalog or Catalog.discover()
        self.graph = checked_graph(graph, self.catalog)
        self.repository = None if repository is None else repository_root(Path(repository))
        self.state_dir = state_directory(self.repository, graph.name, override=self.settings.state_dir)
        self._places = [place for place in (self.state_dir, self.repository) if place is not None]
        self.select = select
        self._accept_graph = accept_graph
        self._wait_for_owner = wait_for_owner
        self._takeover = takeover
        self._surroundings = surroundings or Surroundings()
        self._listener = None if on_event is None else careful(on_event)
        self._execution: Execution | None = None
        self._journal: Journal | None = None
        self._stop: str | None = None

    @functools.cached_property
    def _digests(self) -> dict[str, Any]:
        return graph_data(self.graph)

    def plan(self) -> Plan:
        """What `run` will do, from the graph and the journal; reads, and changes nothing.

        Raises:
            GraphChanged: The graph was edited since the run began, and that was not accepted.
            JournalError: The journal cannot be read.
        """
        state = self._state()
        refuse_edits(self._digests, state, accepted=self._accept_graph)
        return make_plan(self.graph, state, self.select, integrates=self.repository is not None)

    def missing(self) -> tuple[str, ...]:
        """What the graph needs and is not there, one sentence each."""
        return missing_for(self.graph, self.catalog, self.settings)

    async def run(self) -> RunResult:
        """Run what is not done.

        Returns:
            How the run ended.

        Raises:
            InvalidGraph, EnvironmentNotReady: A plugin that it needs is missing, or refuses it; nothing was started.
            RunIsOwned: Another process drives this run.
            GraphChanged: The graph was edited since the run began, and that was not accepted.
            JournalError: The journal cannot be read or written. Agents are left to go on.
            Fenced: Another process took the run over. Agents are left to go on.
            Parked: A disk is full, or may not be written; the text says what to do.
            asyncio.CancelledError: The caller was cancelled: every task was stopped first.
        """
        require(self.graph, self.catalog, self.settings)
        with parking(self._places):
            return await self._own()

    async def _own(self) -> RunResult:
        ensure(self.state_dir)
        async with owned(self.state_dir, wait=self._wait_for_owner, takeover=self._takeover) as lock:
            plan = await asyncio.to_thread(self.plan)
            if plan.nothing_to_do:
                return nothing_to_do(plan, self.graph)
            self._journal = await asyncio.to_thread(self._surroundings.open_journal, journal_path(self.state_dir))
            wanted = self.settings.max_concurrency
            at_once = affordable(wanted) if self.repository else wanted  # memory alone needs no descriptors
            pool = ThreadPoolExecutor(max(SMALLEST_POOL, 2 * at_once), thread_name_prefix="agentrelay-step")
            try:
                return await self._run(plan, pool, at_once, () if lock is None else (lock,))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                journal, self._journal, self._execution = self._journal, None, None
                await journal.aclose()

    def cancel(self, task_id: str | None = None) -> None:
        """Stop one task, or the whole run; call it in the event loop's thread.

        Args:
            task_id: The task; `None` for all.

        Raises:
            KeyError: The graph has no such task.
        """
        if self._execution is not None:
            self._execution.cancel(task_id)
        elif task_id is None:
            self._stop = "cancel"

    def detach(self) -> None:
        """End the run and leave agents that are at work to go on; call it in the event loop's thread."""
        if self._execution is not None:
            self._execution.detach()
        else:
            self._stop = "detach"

    async def _run(self, plan: Plan, pool: ThreadPoolExecutor, at_once: int, helper_fds: tuple[int, ...]) -> RunResult:
        run_id = plan.run_id or new_run_id()
        run = run_info(
            self.graph,
            run_id=run_id,
            repository=self.repository,
            state_dir=self.state_dir,
            settings=self.settings,
            helper_fds=helper_fds,
            report=self._report,
        )
        tables = self.catalog.tables(run)
        workspace = self.catalog.workspace(run) if self.repository is not None else None
        if hasattr(workspace, "preflight"):
            await call_step(pool, workspace, "preflight")
        self._begin(plan, run_id)
        if at_once < min(self.settings.max_concurrency, len(plan.to_run)):
            told = f"{at_once} tasks at a time, for want of descriptors; a higher `ulimit -n` allows more"
            self._emit(Event(kind=kinds.TASK_WARNING, message=told))
        if plan.run_id:
            go_on = {(task_id, record.attempt_num) for task_id, record in plan.interrupted.items()}
            for told in await end_what_was_left(self.state_dir, run_id, go_on):
                self._emit(Event(kind=kinds.TASK_WARNING, message=told))
        execution = Execution(
            self.graph,
            attrs.evolve(self.settings, max_concurrency=at_once),
            run_id=run_id,
            runner=StandardTaskRunner(
                preparer=tables.preparer,
                launcher=tables.launcher,
                kickoff=tables.kickoff,
                completion_checker=tables.completion_checker,
                merger=tables.merger,
                teardown=tables.teardown,
                workspace=workspace,
                on_event=self._emit,
                executor=pool,
                recorder=JournalRecorder(self._open_journal(), self._emit, self._abort),
                places=self._places,
                watchdog=Watchdog(asyncio.get_running_loop().time, self._surroundings.begin),
            ),
            journal=self._open_journal(),
            emit=self._emit,
            executor=pool,
            workspace=workspace,
            selected=plan.to_run,
            earlier=plan.finished,
            next_attempt=plan.next_attempts,
            interrupted=plan.interrupted,
            integrated=plan.integrated,
            entered=plan.entered,
            chance=self._surroundings.chance,
        )
        self._execution = execution
        if self._stop is not None:
            getattr(execution, self._stop)()
        try:
            async with answering(self.state_dir, self.cancel):
                result = await execution.run()
        except (JournalError, Fenced):
            raise  # there is nothing left that could be recorded
        except BaseException:
            with contextlib.suppress(asyncio.CancelledError):
                await self._finish(RunOutcome.CANCELLED)
            raise
        await self._finish(result.outcome)
        return result

    async def _finish(self, outcome: RunOutcome) -> None:
        self._emit(Event(kind=kinds.RUN_FINISHED, message=outcome, data={"outcome": outcome.value}))
        await self._open_journal().flush()

    def _begin(self, plan: Plan, run_id: str) -> None:
        if plan.run_id:
            self._emit(Event(kind=kinds.RUN_RESUMED, message=run_id, data={"run_id": run_id, **self._digests}))
        else:
            self._emit(run_started_event(run_id, self.graph, self._digests))

    def _report(self, lane: str, message: str) -> None:
        if self._journal is not None:  # else the run is over
            self._emit(Event(kind=kinds.WORKSTREAM_WAITING, workstream_id=lane, message=message))

    def _state(self) -> RunState:
        path = journal_path(self.state_dir)
        return read_state(path) if path.exists() else RunState()

    def _open_journal(self) -> Journal:
        assert self._journal is not None
        return self._journal

    def _emit(self, event: Event) -> None:
        assert self._journal is not None
        try:
            self._journal.append(event)
        except (JournalError, Fenced) as error:
            if self._execution is None:
                raise
            self._abort(error)
        if self._listener is not None:
            self._listener(event)

    def _abort(self, error: BaseException) -> None:
        """End the run with an error: nothing is done that cannot be recorded."""
        if self._execution is not None:
            self._execution.abort(error)


async def run_graph(
    graph: TaskGraph | str | Path,
    repository: str | Path | None = None,
    catalog: Catalog | None = None,
    settings: RunSettings | None = None,
    on_event: EventListener | None = None,
) -> RunResult:
    """Run a graph to its end.

    Args:
        graph: A graph, or the path of a graph file.
        repository: A path in the user's repository; `None` needs ``settings.state_dir`` and uses no workspace.
        catalog: What is installed; default what `Catalog.discover` finds.
        settings: Settings instead of the graph's own.
        on_event: Called with each event.

    Returns:
        How the run ended.

    Raises:
        UserError: The graph, the repository or the environment is not as it must be; nothing was started.
    """
    catalog = catalog or Catalog.discover()
    if not isinstance(graph, TaskGraph):
        from agentrelay_core.graph import load_graph  # reading YAML is needed for files alone

        graph = load_graph(Path(graph), catalog)
    return await Orchestrator(graph, repository=repository, catalog=catalog, settings=settings, on_event=on_event).run()
