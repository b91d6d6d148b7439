"""The embedding API: an orchestrator drives one graph in one repository, inside the host's own event loop.

It touches no signal handler and keeps nothing global; two of them live side by side.
"""

import asyncio
import contextlib
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agentrelay_core.hooks import Catalog, RunInfo
from agentrelay_core.journal import Journal, JournalError, RunState, graph_digest, kinds, read_state, run_started_event
from agentrelay_core.orchestrator.execution import Execution
from agentrelay_core.orchestrator.orphans import end_orphans
from agentrelay_core.orchestrator.ownership import owned
from agentrelay_core.orchestrator.places import ensure, journal_path, new_run_id, repository_root, state_directory
from agentrelay_core.orchestrator.plan import Plan, make_plan
from agentrelay_core.orchestrator.preflight import checked_graph, missing_for, require
from agentrelay_core.orchestrator.recording import JournalRecorder
from agentrelay_core.orchestrator.results import RunOutcome, RunResult
from agentrelay_core.runtime import Event, EventListener
from agentrelay_core.runtime.events import careful
from agentrelay_core.spec import RunSettings, TaskGraph
from agentrelay_core.task_runner import StandardTaskRunner
from agentrelay_core.task_runner.calls import call_step

SMALLEST_POOL = 8


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
    ) -> None:
        self.settings = settings or graph.settings
        self.catalog = catalog or Catalog.discover()
        self.graph = checked_graph(graph, self.catalog)
        self.repository = None if repository is None else repository_root(Path(repository))
        self.state_dir = state_directory(self.repository, graph.name, override=self.settings.state_dir)
        self.select = select
        self._listener = None if on_event is None else careful(on_event)
        self._execution: Execution | None = None
        self._journal: Journal | None = None
        self._stop: str | None = None

    def plan(self) -> Plan:
        """What `run` will do, from the graph and the journal; reads, and changes nothing."""
        return make_plan(self.graph, self._state(), self.select, integrates=self.repository is not None)

    def missing(self) -> tuple[str, ...]:
        """What the graph needs and is not there, one sentence each."""
        return missing_for(self.graph, self.catalog)

    async def run(self) -> RunResult:
        """Run what is not done.

        Returns:
            How the run ended.

        Raises:
            EnvironmentNotReady: Something that the graph needs is missing; nothing was started.
            RunIsOwned: Another process drives this run.
            JournalError: The journal cannot be read or written.
            asyncio.CancelledError: The caller was cancelled: every task was stopped first.
        """
        require(self.missing())
        ensure(self.state_dir)
        with owned(self.state_dir):
            plan = await asyncio.to_thread(self.plan)
            if plan.nothing_to_do:
                tasks = {task.id: plan.finished[task.id] for task in self.graph.tasks if task.id in plan.finished}
                return RunResult(
                    outcome=RunOutcome.NOTHING_TO_DO, tasks=tasks, run_id=plan.run_id, workstreams=plan.integrated
                )
            self._journal = await asyncio.to_thread(Journal.open, journal_path(self.state_dir))
            pool = ThreadPoolExecutor(
                max(SMALLEST_POOL, 2 * self.settings.max_concurrency), thread_name_prefix="agentrelay-step"
            )
            try:
                return await self._run(plan, pool)
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

    async def _run(self, plan: Plan, pool: ThreadPoolExecutor) -> RunResult:
        run_id = plan.run_id or new_run_id()
        run = self._run_info(run_id)
        tables = self.catalog.tables(run)
        workspace = self.catalog.workspace(run) if self.repository is not None else None
        if hasattr(workspace, "preflight"):
            await call_step(pool, workspace, "preflight")
        self._begin(plan, run_id)
        if plan.run_id:
            told = await end_orphans(run_id)
            if told is not None:
                self._emit(Event(kind=kinds.TASK_WARNING, message=told))
        execution = Execution(
            self.graph,
            self.settings,
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
                recorder=JournalRecorder(self._open_journal(), self._emit),
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
        )
        self._execution = execution
        if self._stop is not None:
            getattr(execution, self._stop)()
        outcome = RunOutcome.CANCELLED
        try:
            result = await execution.run()
            outcome = result.outcome
            return result
        finally:
            self._emit(Event(kind=kinds.RUN_FINISHED, message=outcome, data={"outcome": outcome.value}))
            with contextlib.suppress(asyncio.CancelledError):
                await self._open_journal().flush()

    def _begin(self, plan: Plan, run_id: str) -> None:
        if plan.run_id:
            digest = graph_digest(self.graph)
            self._emit(Event(kind=kinds.RUN_RESUMED, message=run_id, data={"run_id": run_id, "digest": digest}))
        else:
            self._emit(run_started_event(run_id, self.graph))

    def _run_info(self, run_id: str) -> RunInfo:
        described = {task.id: task.description for task in self.graph.tasks}
        return RunInfo(
            run_id=run_id,
            graph_name=self.graph.name,
            repository=self.repository,
            state_dir=self.state_dir,
            dependency_descriptions={
                task.id: {dependency: described[dependency] for dependency in task.dependencies}
                for task in self.graph.tasks
            },
            settings=self.settings,
        )

    def _state(self) -> RunState:
        path = journal_path(self.state_dir)
        return read_state(path) if path.exists() else RunState()

    def _open_journal(self) -> Journal:
        assert self._journal is not None
        return self._journal

    def _emit(self, event: Event) -> None:
        try:
            self._open_journal().append(event)
        except JournalError as error:
            if self._execution is None:
                raise
            # Nothing is done that cannot be recorded: the run ends here, with this error.
            self._execution.abort(error)
        listener = self._listener
        if listener is not None:
            listener(event)


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
