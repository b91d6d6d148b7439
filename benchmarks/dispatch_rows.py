"""What choosing a step's implementation costs, beside a dictionary that holds the same factory."""

import timeit

from measuring import Figure, Options, in_turns, middle, ratio, short
from memory_plugin import chain_or_wide

from agentrelay_core import StepDispatch, TaskRuntime


def dispatch_rows(options: Options) -> list[Figure]:
    """A lookup that was resolved before."""
    (task,) = chain_or_wide(1, "wide")
    runtime = TaskRuntime(task, run_id="r", graph_name="g")
    agent = task.primary_agent
    key = (agent.framework, type(agent.environment))
    step = object()
    table = StepDispatch({key: lambda runtime: step})
    plain = {key: lambda runtime: step}
    number = 100_000
    names = {"table": table, "plain": plain, "key": key, "runtime": runtime}
    found = in_turns(
        max(options.rounds, 5),
        {
            "dict": lambda: min(timeit.repeat("plain[key](runtime)", globals=names, number=number, repeat=3)) / number,
            "ours": lambda: min(timeit.repeat("table(runtime)", globals=names, number=number, repeat=3)) / number,
        },
    )
    return [
        Figure(
            what="step dispatch, resolved",
            value=ratio(found["ours"], found["dict"]),
            goal=5,
            floor=f"a dict lookup and the call, {short(middle(found['dict'], 1e9))} ns",
        )
    ]
