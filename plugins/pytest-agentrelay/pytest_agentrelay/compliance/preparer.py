"""What every preparer must do: give each attempt a place of its own, with all that its agent has to know."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs

from agentrelay_core.runtime import TaskRuntime, TaskState, TaskStatus
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.paths import PathChecks
from pytest_agentrelay.compliance.repositories import make_repository, opened
from pytest_agentrelay.compliance.steps import awaited

PROTOCOL_FILES: Final = ("manifest.json", "policies.json", "instructions.md", "context.md", "bin/agentrelay-task")
_FIELDS: Final = ("worktree_path", "branch_name", "signal_dir")


class PreparerCompliance(PathChecks):
    """Checks of a preparer, in a real git repository whose workstreams the plugin's workspace opens."""

    step: ClassVar[str] = "task_preparer"
    method: ClassVar[str] = "prepare"
    required: ClassVar[tuple[str, ...]] = ("integration_branch", "workstream_worktree_path")

    @property
    def repository(self) -> Path | None:
        """A repository with one commit."""
        return make_repository(self.place / "repository")

    def make_runtime(self, name: str = "one") -> TaskRuntime:
        """A task whose workstream is open."""
        return opened(self.make_task(name), self.make_run(), self.catalog)

    def test_sets_the_state(self) -> None:
        """After `prepare`, the state has branch, worktree and signal directory, and both directories exist."""
        runtime, _ = self.run(self.performed)
        step = self.step_for(runtime)
        for field in _FIELDS:
            value = getattr(runtime.state, field)
            kind: type = str if field == "branch_name" else Path
            if not isinstance(value, kind):
                fault(
                    f"{name_of(step, 'prepare')} leaves runtime.state.{field} at {value!r}.",
                    f"set it, to a {'text' if kind is str else 'pathlib.Path'}: the later steps work from it.",
                )
            if isinstance(value, Path) and not value.is_dir():
                fault(f"{name_of(step, 'prepare')} sets {field} to {value}, which does not exist.", "make it first.")

    def test_writes_the_protocol_files(self) -> None:
        """The signal directory holds everything that the file protocol promises to agents."""
        runtime, _ = self.run(self.performed)
        directory = runtime.state.signal_dir
        missing = [name for name in PROTOCOL_FILES if directory is not None and not (directory / name).is_file()]
        if missing:
            fault(
                f"{name_of(self.step_for(runtime), 'prepare')} writes no {', '.join(missing)}.",
                "call agentrelay_core.signals.write_protocol_files(runtime, dependency_descriptions=…), "
                "which writes all of them at once.",
            )

    def test_instructions_tell_the_task(self) -> None:
        """``instructions.md`` holds the text of the task."""
        runtime, _ = self.run(self.performed)
        directory, text = runtime.state.signal_dir, runtime.task.description or ""
        path = None if directory is None else directory / "instructions.md"
        if path is not None and path.is_file() and text not in path.read_text(encoding="utf-8"):
            fault(
                f"{name_of(self.step_for(runtime), 'prepare')} writes instructions that do not say {text!r}.",
                "put runtime.task.description into them; agentrelay_core.signals.write_protocol_files does.",
            )

    def test_two_tasks_do_not_mix(self) -> None:
        """Two tasks that are prepared at once have each a branch and a signal directory of their own."""

        async def both() -> list[TaskRuntime]:
            runtimes = [self.make_runtime("one"), self.make_runtime("two")]
            steps = [self.step_for(runtime) for runtime in runtimes]
            await asyncio.gather(*map(self.call, steps, runtimes))
            return runtimes

        first, second = self.run(both)
        self._judge_apart(first, second, "two tasks")

    def test_each_attempt_starts_afresh(self) -> None:
        """A second attempt has a signal directory of its own: nothing that the first one signalled is in it."""

        async def attempts() -> tuple[TaskRuntime, TaskRuntime]:
            first, _ = await self.performed()
            assert first.state.signal_dir is None or not (first.state.signal_dir / ".failed").exists()
            if first.state.signal_dir is not None and first.state.signal_dir.is_dir():
                (first.state.signal_dir / ".failed").write_text("2026-01-01\nfirst attempt\n")
            second = self.another(first, attempt_num=1)
            await self.call(self.step_for(second), second)
            return first, second

        first, second = self.run(attempts)
        if first.state.signal_dir == second.state.signal_dir and first.state.signal_dir is not None:
            fault(
                f"{name_of(self.step_for(second), 'prepare')} gives two attempts one signal directory.",
                "make the directory's name of run, task and runtime.state.attempt_num "
                "(agentrelay_core.signals.signal_directory).",
            )

    def test_preparing_again_is_safe(self) -> None:
        """After a crash the step is run again for the same attempt: it succeeds, and keeps the agent's work."""
        self.run(self._again)

    async def _again(self) -> None:
        first, _ = await self.performed()
        worktree = first.state.worktree_path
        if worktree is None or not worktree.is_dir():
            return
        (worktree / "work.txt").write_text("not committed yet\n", encoding="utf-8")
        again = self.another(first, attempt_num=0)
        again.resumed = True
        step = self.step_for(again)
        try:
            await awaited(step, "prepare", again)
        except Exception as error:
            fault(
                f"{name_of(step, 'prepare')} {raised(error)} when an earlier session had prepared the same attempt.",
                "find what is there by its names and go on from it (runtime.resumed says that it may be there).",
            )
        path = again.state.worktree_path
        if path is not None and not (path / "work.txt").exists():
            fault(
                f"{name_of(step, 'prepare')} was run again for the same attempt and threw the agent's work away.",
                "leave a worktree alone that is on the attempt's own branch already.",
            )

    def another(self, runtime: TaskRuntime, *, attempt_num: int) -> TaskRuntime:
        """The same task as a later attempt or a later session has it: its workstream is open, no more is known."""
        state = TaskState(
            status=TaskStatus.RUNNING,
            attempt_num=attempt_num,
            integration_branch=runtime.state.integration_branch,
            workstream_worktree_path=runtime.state.workstream_worktree_path,
        )
        return TaskRuntime(runtime.task, run_id=runtime.run_id, graph_name=runtime.graph_name, state=state)

    def resumed(self, runtime: TaskRuntime) -> TaskRuntime:
        """The same attempt as a later session has it."""
        return attrs.evolve(self.another(runtime, attempt_num=runtime.state.attempt_num), resumed=True)

    def _judge_apart(self, first: TaskRuntime, second: TaskRuntime, which: str) -> None:
        shared: list[Any] = [
            field
            for field in ("branch_name", "signal_dir")
            if getattr(first.state, field) == getattr(second.state, field) and getattr(first.state, field) is not None
        ]
        if shared:
            fault(
                f"{name_of(self.step_for(first), 'prepare')} gives {which} the same {' and '.join(shared)}.",
                "make names of the graph's and the task's ids, and keep nothing between calls.",
            )
