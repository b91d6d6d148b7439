"""The table of a graph file's keys. They are the fields of the specification, which a test compares."""

from agentrelay_core.graph.agents import AgentKind
from agentrelay_core.graph.compound import Either, ListOf, Plain, list_of_names
from agentrelay_core.graph.records import Key, Record
from agentrelay_core.graph.scalars import Choice, Converted, Duration, Flag, Number, Text, Whole, any_of
from agentrelay_core.spec import (
    AgentRole,
    Deadlines,
    InputFrom,
    RetryPolicy,
    ReviewConfig,
    TaggedPath,
    TearDownMode,
)
from agentrelay_core.spec.numbers import LEAST

CATEGORIES = ("src", "test", "spec")
STAND_IN = "?"

TAGGED_PATH = Record(
    "a tagged path",
    {
        "path": Key(Text(), "A file, relative to the repository.", required=True),
        "category": Key(Text(), "For example src, test or spec.", required=True),
    },
    TaggedPath,
)
PATHS = Record(
    "'paths'",
    {category: Key(list_of_names(), f"Files of category {category}.") for category in CATEGORIES},
    lambda **paths: [TaggedPath(path, category) for category, files in paths.items() for path in files],
    otherwise="paths of other categories go into 'tagged_paths: [{path, category}]'",
)
INPUT_FROM = Record(
    "an input",
    {
        "task": Key(Text(), "An upstream task, one of the dependencies.", required=True),
        "category": Key(Text(), "Only its files of this category."),
    },
    InputFrom,
)
DEADLINES = Record(
    "'deadlines'",
    {
        "launch": Key(Duration(), "Until the agent is alive; seconds, or 90s, 15m, 4h."),
        "kickoff": Key(Duration(), "Until the agent has its instructions."),
        "stall": Key(Duration(), "Time without progress after which people are warned."),
        "stall_stop": Key(Duration(), "Time without progress after which the agent is stopped; default never."),
        "gate": Key(Duration(), "For one run of the completion gate."),
        "wall": Key(Duration(), "For one attempt's whole wait."),
    },
    Deadlines,
)
RETRY = Record(
    "'retry'",
    {
        "initial_interval": Key(Duration(zero=True), "Longest pause before the first retry."),
        "backoff_coefficient": Key(Number(LEAST["backoff_coefficient"]), "What the pause grows by."),
        "maximum_interval": Key(Duration(zero=True), "Upper bound of the pause."),
        "maximum_attempts": Key(Whole(LEAST["maximum_attempts"]), "Attempts in all; replaces max_task_attempts."),
        "non_retryable": Key(list_of_names(), "Error classes that are never retried, for example AgentFailure."),
    },
    RetryPolicy,
)
REVIEW = Record(
    "'review'",
    {
        "agent": Key(AgentKind(), "The reviewing agent, by name or in full.", required=True),
        "review_on_attempt": Key(Whole(LEAST["review_on_attempt"]), "The first attempt that is reviewed."),
    },
    ReviewConfig,
)
CHECKS = Either(
    any_of(("required", "all", "none")), ListOf(Text()), expected="required, all, none or a list of checks' names"
)

_AGENT = Key(AgentKind(), "Who does the work: the name of an agent, or an agent in full.")

TASK_DEFAULTS = {
    "role": Key(Choice.of(AgentRole), "The part that the agent plays; chooses its instructions."),
    "description": Key(Text(), "What is to be done."),
    "dependencies": Key(list_of_names(STAND_IN), "Tasks that must be merged or completed first."),
    "paths": Key(PATHS, "Files that the task is about."),
    "tagged_paths": Key(ListOf(TAGGED_PATH), "Files that the task is about, with categories of any name."),
    "inputs_from": Key(
        ListOf(
            Either(Converted(InputFrom), INPUT_FROM, expected="a task, or {task, category}"),
            stand_in=InputFrom(STAND_IN),
            single=True,
        ),
        "Upstream tasks whose files are input here.",
    ),
    "completion_gate": Key(Text(), "Shell command that must exit 0 on the finished work."),
    "max_gate_attempts": Key(Whole(LEAST["max_gate_attempts"]), "Gate runs in all before the task fails."),
    "pull_request": Key(Flag(), "false for a task that ends without a pull request."),
    "allow_no_changes": Key(Flag(), "Whether changing nothing may be the right result."),
    "agent": _AGENT,
    "primary_agent": _AGENT,
    "review": Key(REVIEW, "An agent that reviews the work."),
    "retry": Key(RETRY, "When a failed task is tried again."),
    "deadlines": Key(DEADLINES, "How long each wait may last."),
    "workstream_id": Key(Text(), "The lane whose integration branch receives the work."),
    "isolation": Key(Plain(), "For plugins that honour it."),
}
_SYNONYMS = {
    "depends_on": "dependencies",
    "needs": "dependencies",
    "after": "dependencies",
    "prompt": "description",
    "task": "description",
    "gate": "completion_gate",
    "lane": "workstream_id",
    "workstream": "workstream_id",
}
DEFAULTS = Record("'defaults'", TASK_DEFAULTS, synonyms=_SYNONYMS)
TASK = Record("a task", {"id": Key(Text(), "Unique in the graph.", required=True), **TASK_DEFAULTS}, synonyms=_SYNONYMS)

WORKSTREAM = Record(
    "a workstream",
    {
        "id": Key(Text(), "Unique in the graph.", required=True),
        "parent_workstream_id": Key(Text(), "The lane that this one branches off and flows back into."),
        "base_branch": Key(Text(), "What its integration branch is cut from."),
        "merge_target_branch": Key(Text(), "Where its integration pull request goes."),
        "auto_merge": Key(Flag(), "Whether that pull request is merged when its tasks are done."),
        "isolation": Key(Plain(), "For plugins that honour it."),
        "checks": Key(CHECKS, "The forge's checks that must pass; default the graph's."),
    },
    synonyms={"parent": "parent_workstream_id", "base": "base_branch", "target": "merge_target_branch"},
)
SETTINGS = {
    "model": Key(Text(), "Model of agents that name none."),
    "tools": Key(list_of_names(), "Tools that agents may use."),
    "max_concurrency": Key(Whole(LEAST["max_concurrency"]), "Tasks at work at one time."),
    "max_task_attempts": Key(Whole(LEAST["max_task_attempts"]), "Attempts of a task."),
    "teardown_mode": Key(Choice.of(TearDownMode), "When what a task leaves is cleaned up."),
    "keep_panes": Key(Flag(), "Leave the windows of agents open."),
    "fail_fast_on_workstream_error": Key(Flag(), "Launch nothing more once a workstream's integration failed."),
    "fail_fast_on_internal_error": Key(Flag(), "Launch nothing more once an internal error was seen."),
    "tmux_session": Key(Text(), "Session name for the tmux plugin."),
    "anthropic_credential": Key(Text(), "Name of a credential for the Claude Code plugin."),
    "forge": Key(Text(), "Where pull requests live: auto, local, github or a plugin's forge."),
    "merge_method": Key(any_of(("merge", "squash", "rebase")), "For forges that offer a choice."),
    "pr": Key(any_of(("auto", "orchestrator")), "Who opens pull requests."),
    "checks": Key(CHECKS, "The forge's checks that must pass: required, all, none, or their names."),
}
