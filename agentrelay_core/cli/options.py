"""Options that several commands share, each defined once; the flags of the run's settings above all."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

graph_argument = click.argument("graph", required=False, metavar="[GRAPH]")
repository_option = click.option(
    "-C", "--repository", default=".", metavar="PATH", help="A path in the repository (default: here)."
)
state_dir_option = click.option(
    "--state-dir", metavar="PATH", help="Where the journal is kept (default: the user's state directory)."
)
graph_option = click.option(
    "-g", "--graph", metavar="GRAPH", help="The graph, a file or a name (default: the only one)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def plan_options(function: F) -> F:
    """Add the options of commands that show a plan before they do it."""
    function = click.option("-y", "--yes", is_flag=True, help="Do it without asking.")(function)
    return click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing.")(function)


class Repair(NamedTuple):
    """What every command is given that repairs tasks of a run."""

    tasks: tuple[str, ...]
    graph: str | None
    repository: str
    state_dir: str | None
    dry_run: bool
    yes: bool
    as_json: bool


def repair_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the tasks and options of `Repair`, and hand them over as one."""

    @functools.wraps(function)
    def command(**given: Any) -> int:
        wanted = Repair(**{name: given.pop(name) for name in Repair._fields})
        return function(wanted, **given)

    tasks = click.argument("tasks", nargs=-1, metavar="[TASK]...")
    for add in (json_option, plan_options, state_dir_option, repository_option, graph_option, tasks):
        command = add(command)
    return command


def selection_options(function: F) -> F:
    """Add the options that choose tasks."""
    function = click.option("--until", metavar="TASK", help="Run this task and what it depends on, nothing else.")(
        function
    )
    return click.option(
        "--select",
        multiple=True,
        metavar="IDS",
        help="Run these tasks alone: ids with commas between; may be repeated.",
    )(function)


# Flags by the setting that they give; a switch gives true or false.
FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "max_concurrency": ("--max-concurrency", "Tasks at work at one time (4)."),
    "max_task_attempts": ("--max-task-attempts", "Attempts of a task (1)."),
    "model": ("--model", "Model of agents that name none."),
    "tools": ("--tools", "Tools that agents may use, with commas between."),
    "forge": ("--forge", "Where pull requests live: auto, local, github or a plugin's forge."),
    "merge_method": ("--merge-method", "merge, squash or rebase, for forges that offer a choice."),
    "pr": ("--pr", "auto, or orchestrator to open all pull requests ourselves."),
    "checks": ("--checks", "The forge's checks that must pass: required, all, none, or names with commas between."),
    "teardown_mode": ("--teardown-mode", "always, never or on_success."),
    "keep_panes": ("--keep-panes/--no-keep-panes", "Leave the windows of agents open."),
    "fail_fast_on_workstream_error": (
        "--fail-fast-on-workstream-error/--no-fail-fast-on-workstream-error",
        "Launch nothing more once a workstream's integration failed.",
    ),
    "fail_fast_on_internal_error": (
        "--fail-fast-on-internal-error/--no-fail-fast-on-internal-error",
        "Launch nothing more once an internal error was seen.",
    ),
    "tmux_session": ("--tmux-session", "Session name for the tmux plugin."),
    "anthropic_credential": ("--anthropic-credential", "Name of a credential for the Claude Code plugin."),
    "state_dir": ("--state-dir", "Where the journal is kept (default: the user's state directory)."),
}
KEEP_GOING: Final = ("fail_fast_on_workstream_error", "fail_fast_on_internal_error")


def settings_options(function: F) -> F:
    """Add a flag for each setting of a run; `given_flags` reads them."""
    for name, (flag, meaning) in reversed(list(FLAGS.items())):
        if "/" in flag:
            function = click.option(flag, name, default=None, help=meaning)(function)
        else:
            function = click.option(flag, name, metavar="VALUE", help=meaning)(function)
    return click.option("--keep-going", is_flag=True, help="Go on with what does not hang on what failed.")(function)


def given_flags(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that flags gave.

    Args:
        values: What click gives the command for the options of `settings_options`.

    Raises:
        click.UsageError: A value is of the wrong kind.
    """
    from agentrelay_core.cli.errors import ConfigurationError
    from agentrelay_core.cli.settings import Setting, from_text

    given: dict[str, Setting] = {}
    if values.get("keep_going"):
        given = {name: Setting(False, "--keep-going") for name in KEEP_GOING}
    for name, (flag, _) in FLAGS.items():
        value = values.get(name)
        if value is None:
            continue
        shown = flag.partition("/")[0]
        try:
            given[name] = Setting(value if isinstance(value, bool) else from_text(name, value, shown), shown)
        except ConfigurationError as error:
            raise click.UsageError(str(error)) from None
    return given
