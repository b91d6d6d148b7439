"""Workstreams: opened once, updated, integrated in the order in which they flow."""

import asyncio
from pathlib import Path

import pytest

from agentrelay_core import AgentFailure, Parked, Task, TaskGraph, TaskRuntime, Throttled, WorkstreamSpec
from agentrelay_core.orchestrator.lanes import Lanes


class Repository:
    """Remembers the calls it gets; `refuse` maps a workstream to the error of its integration."""

    def __init__(self, refuse=None):
        self.calls = []
        self.refuse = refuse or {}

    async def call(self, method, spec, *more):
        self.calls.append((method, spec.id, *([lane.id for lane in lanes] for lanes in more)))
        await asyncio.sleep(0)
        if method == "open_workstream":
            return f"agentrelay/g@{spec.id}", Path("/worktrees") / spec.id
        if method == "integrate":
            if spec.id in self.refuse:
                raise self.refuse[spec.id]
            return f"agentrelay+local:g/{spec.id}"
        return None


def _graph(*tasks, workstreams=()):
    return TaskGraph(name="g", tasks=tasks, workstreams=workstreams)


def _task(name, lane="default", *dependencies):
    return Task(id=name, workstream_id=lane, dependencies=dependencies)


async def test_a_lane_is_opened_once_its_parent_first():
    """Two tasks that enter at one time open their lane once, after the lane it branches off."""
    lanes = [WorkstreamSpec(id="parent"), WorkstreamSpec(id="child", parent_workstream_id="parent")]
    graph = _graph(_task("a", "child"), _task("b", "child"), workstreams=lanes)
    repository, events = Repository(), []
    opened = Lanes(graph, repository.call, events.append)
    runtimes = [TaskRuntime(task) for task in graph.tasks]
    await asyncio.gather(*(opened.enter(runtime.task, runtime) for runtime in runtimes))
    assert [call[:2] for call in repository.calls[:2]] == [("open_workstream", "parent"), ("open_workstream", "child")]
    assert sum(call[0] == "open_workstream" for call in repository.calls) == 2
    assert {runtime.state.integration_branch for runtime in runtimes} == {"agentrelay/g@child"}
    assert runtimes[0].state.workstream_worktree_path == Path("/worktrees/child")
    assert [event.workstream_id for event in events] == ["parent", "child"]


async def test_a_task_gets_the_work_of_the_lanes_it_depends_on():
    """Before each prepare the lanes of its dependencies are merged into its own, and no others."""
    graph = _graph(
        _task("a", "x"),
        _task("b", "y"),
        _task("c", "default", "a", "b"),
        workstreams=[WorkstreamSpec(id=n) for n in "xyz"],
    )
    repository = Repository()
    await Lanes(graph, repository.call, lambda _: None).enter(graph.task("c"), TaskRuntime(graph.task("c")))
    assert repository.calls[-1] == ("update_workstream", "default", ["x", "y"])


async def test_lanes_are_integrated_after_what_flows_into_them():
    """A parent without tasks of its own comes after its children; an unused lane is left alone."""
    lanes = [
        WorkstreamSpec(id="parent"),
        WorkstreamSpec(id="one", parent_workstream_id="parent", auto_merge=True),
        WorkstreamSpec(id="two", merge_target_branch="agentrelay/g@parent"),
    ]
    graph = _graph(_task("a", "one"), _task("b", "two"), workstreams=lanes)
    repository = Repository()
    state = Lanes(graph, repository.call, lambda _: None)
    assert state.ready() == []
    state.task_done(graph.task("a"))
    (one,) = state.ready()
    assert await state.integrate(one) is None
    assert state.ready() == []
    state.task_done(graph.task("b"))
    (two,) = state.ready()
    await state.integrate(two)
    assert [spec.id for spec in state.ready()] == ["parent"]
    assert state.results["one"].merged
    assert not state.results["two"].merged


@pytest.mark.parametrize(("error", "parked"), [(Parked("git merge it"), True), (AgentFailure("conflict"), False)])
async def test_a_lane_that_cannot_be_integrated_keeps_its_target_waiting(error, parked):
    """The reason is told, and the lane that waits for it is not integrated without it."""
    lanes = [WorkstreamSpec(id="child", parent_workstream_id="default")]
    graph = _graph(_task("a", "child"), workstreams=lanes)
    events = []
    state = Lanes(graph, Repository({"child": error}).call, events.append)
    state.task_done(graph.task("a"))
    (child,) = state.ready()
    assert await state.integrate(child) is error
    assert (state.results["child"].error, state.results["child"].parked) == (str(error), parked)
    assert state.ready() == []
    assert events[-1].kind == ("workstream_parked" if parked else "workstream_failed")


async def test_what_is_integrated_already_counts_as_arrived():
    """A run that goes on does not integrate a lane twice, and its target does not wait for it."""
    graph = _graph(_task("a", "child"), workstreams=[WorkstreamSpec(id="child", parent_workstream_id="default")])
    first = Lanes(graph, Repository().call, lambda _: None)
    first.task_done(graph.task("a"))
    await first.integrate(first.ready()[0])
    again = Lanes(graph, Repository().call, lambda _: None, done={"a"}, integrated=dict(first.results))
    assert [spec.id for spec in again.ready()] == ["default"]


async def test_a_limit_while_integrating_is_waited_out():
    """The lane is integrated when the limit ends; that it waits is told."""
    graph = _graph(_task("a"), workstreams=[WorkstreamSpec(id="default")])

    class Limited(Repository):
        limits = 2

        async def call(self, method, spec, *more):
            if method == "integrate" and self.limits:
                self.limits -= 1
                raise Throttled("limit", retry_after=0)
            return await super().call(method, spec, *more)

    events = []
    lanes = Lanes(graph, Limited().call, events.append)
    lanes.task_done(graph.task("a"))
    (spec,) = lanes.ready()
    assert lanes.left
    assert await lanes.integrate(spec) is None
    assert not lanes.left
    assert lanes.results["default"].pr_url
    told = [event.message for event in events if event.kind == "workstream_waiting"]
    assert len(told) == 2
    assert told[0].startswith("a limit to end: limit; it goes on at ")
