"""Every hook's docstring holds a complete plugin, and it works."""

import inspect
import textwrap
from types import ModuleType

import pytest

from agentrelay_core.hooks import Catalog, specs
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import AgentConfig, Task, WorkstreamSpec
from agentrelay_core.task_runner.signature import check_step

METHODS = {
    "task_preparer": "prepare",
    "task_launcher": "launch",
    "task_kickoff": "kickoff",
    "task_completion_checker": "wait_for_completion",
    "task_merger": "merge_pr",
    "task_teardown": "teardown",
}


@pytest.fixture
def documented():
    """Adds a hook's documented plugin to a new catalog; gives the catalog and its report."""

    def made(hook):
        lines = inspect.getdoc(getattr(specs, hook)).partition("::\n")[2]
        module = ModuleType(f"documented_{hook}")
        exec(compile(textwrap.dedent(lines), f"<{hook}>", "exec"), vars(module))
        catalog = Catalog()
        return catalog, catalog.add(module)

    return made


def test_there_are_ten_hooks():
    """Six for the steps and four more; each has a record type, and each is a hookspec."""
    declared = {name for name, item in vars(specs).items() if hasattr(item, "agentrelay_spec")}
    assert declared == set(specs.RECORDS)
    assert len(declared) == 10
    assert set(specs.STEPS) == set(METHODS)


@pytest.mark.parametrize("hook", specs.RECORDS)
def test_the_documented_plugin_is_active(hook, documented):
    """It implements the hook that it documents, and no other."""
    _, report = documented(hook)
    assert (report.status, report.reason) == ("active", "")
    assert len(report.provides) == 1


@pytest.mark.parametrize("step", specs.STEPS)
def test_the_documented_step_can_be_called(step, documented, run_info):
    """Its factory makes a step of the right signature."""
    catalog, _ = documented(f"agentrelay_{step}")
    table = getattr(catalog.tables(run_info), step.removeprefix("task_"))
    made = table(TaskRuntime(Task(id="t", primary_agent=AgentConfig(framework="clerk"))))
    check_step(made, METHODS[step])


async def test_the_documented_steps_do_what_they_say(documented, run_info, tmp_path, capsys):
    """Together they take a task from its directory to the list of what to merge."""
    task = TaskRuntime(Task(id="t", primary_agent=AgentConfig(framework="clerk")))
    steps = {}
    for step in specs.STEPS:
        catalog, _ = documented(f"agentrelay_{step}")
        steps[step] = getattr(catalog.tables(run_info), step.removeprefix("task_"))(task)
    steps["task_preparer"].prepare(task)
    agent = steps["task_launcher"].launch(task)
    steps["task_kickoff"].kickoff(task, agent)
    assert (await steps["task_completion_checker"].wait_for_completion(task)).outcome == "done"
    steps["task_merger"].merge_pr(task, "url")
    task.artifacts.agent_address = agent.address
    steps["task_teardown"].teardown(task)
    assert task.state.worktree_path == tmp_path / "t"
    assert (tmp_path / "to-merge.txt").read_text() == "t url\n"
    assert capsys.readouterr().out == f"reading {tmp_path / 't.signals' / 'instructions.md'}\n"


def test_the_documented_environment_runs_a_documented_framework(documented, run_info, tmp_path):
    """The framework's command line and reading of output, and the host's life of a process, are real."""
    catalog, _ = documented("agentrelay_environments")
    place = catalog.environments["nice"]
    frameworks, _ = documented("agentrelay_frameworks")
    scribe = frameworks.frameworks["scribe"]
    task = TaskRuntime(Task(id="t", primary_agent=AgentConfig(framework="scribe", options={"style": "terse"})))
    task.state.worktree_path = task.state.signal_dir = tmp_path
    from agentrelay_core.hooks import AgentCommand, StepContext

    options = frameworks.records_of(task.task.primary_agent).options
    context = StepContext(runtime=task, run=run_info, options=options, framework=scribe, environment=place)
    framework = scribe.cls()
    assert framework.command(context).argv == ("scribe", "--style", "terse", str(tmp_path / "instructions.md"))
    host = place.host(place.cls(level=1))
    address = host.start(AgentCommand(argv=("sh", "-c", "echo wrote a line; exit 3")), context)
    assert host.wait(address) == 3
    assert host.is_alive(address) == "ended"
    lines = host.output(address).decode().splitlines()
    assert framework.read_line(lines[0]).kind == "writing"
    assert framework.outcome(3, lines).error == "exit 3: wrote a line"
    host.stop(address)


def test_the_documented_workspace_and_forge_work(documented, run_info, tmp_path):
    """A workstream opens in a directory; a pull request opens once and is merged."""
    catalog, _ = documented("agentrelay_workspace")
    branch, path = catalog.workspace(run_info).open_workstream(WorkstreamSpec(id="w"))
    assert (branch, path.is_dir(), path.parent.parent) == ("w", True, tmp_path)
    catalog, _ = documented("agentrelay_forges")
    forge = catalog.forges[0].factory(run_info)
    url = forge.open("a", "main", "Title", "").url
    assert forge.open("a", "main", "Title", "").url == url
    assert forge.merge(url, "abc") == "abc"
    assert forge.state(url).state == "merged"
