"""The three rungs of adding an agent: lines of YAML, one class, the six steps; each runs to merged branches."""

from types import ModuleType

import pytest

from agentrelay_core import Catalog, run_graph
from agentrelay_core.cli.progress import progress_line
from agentrelay_core.graph.loading import GraphError
from agentrelay_core.orchestrator import RunOutcome

YAML_ALONE = """
name: g
agents:
  reads:  {framework: command, command: [sh, -c, 'cat > "$NAME"'], env: {NAME: from-stdin.txt}}
  told:   {framework: command, command: [sh, -c, 'cat; printf %s "$1" > from-argument.txt', sh], instructions: argument}
  line:   {command: 'cp "$1" from-path.txt; test "$SHOWN" = yes', instructions: path, pass_env: [SHOWN]}
defaults: {completion_gate: test -n "$(ls from-*.txt)"}
tasks:
  a: {description: Ask "Why?" twice;\tü, agent: reads}
  b: {description: Say $HOME, agent: told, dependencies: [a]}
  c: {description: Go on, agent: line, dependencies: [b]}
"""

ONE_CLASS = '''
import attrs
from agentrelay_core import AgentCommand, FrameworkType, Progress, TaskCompletionSignal, hookimpl


@attrs.frozen(kw_only=True)
class TypistOptions:
    words: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    pause: float = 0.0
    ending: int = 0


SCRIPT = """
for i in $(seq $1); do printf '\\\\r* word %s of x' "$i"; sleep $2; done
echo; echo bye; ls > typed.txt; exit $3
"""


class Typist:
    def __init__(self):
        self.words = 0

    def command(self, context):
        given = context.options
        return AgentCommand(argv=("sh", "-c", SCRIPT, "typist", *map(str, (given.words, given.pause, given.ending))))

    def read_line(self, line):
        if not line.startswith("* word"):
            return None
        self.words += 1
        return Progress(kind="typing", message="words" if self.words < 3 else f"{self.words} words")

    def outcome(self, exit_code, last_lines):
        if exit_code == 7 and last_lines[-1] == "bye":
            return TaskCompletionSignal("done", concerns=(f"typed {self.words} words",))
        return TaskCompletionSignal("failed", error=f"typist left with {exit_code}")


@hookimpl
def agentrelay_frameworks():
    yield FrameworkType(name="typist", cls=Typist, default_environment="process", options=TypistOptions)
'''

SIX_STEPS = '''
import asyncio
import subprocess
from agentrelay_core import Agent, AgentAddress, FrameworkType, Provider, TaskCompletionSignal, hookimpl
from agentrelay_core.builtin.environment import ProcessEnvironment

CALLS = []
KEY = {"framework": "six", "environment": ProcessEnvironment}


class Typewriter:
    """Only a name: each of its steps is its own."""


@hookimpl
def agentrelay_frameworks():
    yield FrameworkType(name="six", cls=Typewriter, default_environment="process")


def wrapped(hook, method):
    """A step of the git plugin that tells that it was asked."""

    def make(context):
        import agentrelay_git_gh
        (provider,) = getattr(agentrelay_git_gh, hook)()
        step = provider.factory(context)

        class Step:
            pass

        if asyncio.iscoroutinefunction(getattr(step, method)):
            async def call(self, runtime, *rest):
                CALLS.append(method)
                return await getattr(step, method)(runtime, *rest)
        elif method == "merge_pr":
            def call(self, runtime, pr_url):
                CALLS.append(method)
                return getattr(step, method)(runtime, pr_url)
        else:
            def call(self, runtime):
                CALLS.append(method)
                return getattr(step, method)(runtime)
        setattr(Step, method, call)
        return Step()

    return make


class Here(AgentAddress):
    def __init__(self):
        self.process = None

    @property
    def label(self):
        return "here"

    def teardown(self, signal_dir=None, keep_panes=False):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Writer(Agent):
    def __init__(self, runtime):
        self.runtime, self.here = runtime, Here()

    @property
    def address(self):
        return self.here

    def send_kickoff(self, instructions_path):
        place = self.runtime.state.worktree_path
        self.here.process = subprocess.Popen(["cp", instructions_path, "six.txt"], cwd=place)


class Launcher:
    def launch(self, runtime):
        CALLS.append("launch")
        return Writer(runtime)


class Kickoff:
    def kickoff(self, runtime, agent):
        CALLS.append("kickoff")
        agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))


class Checker:
    async def wait_for_completion(self, runtime):
        CALLS.append("wait_for_completion")
        runtime.progress("copying", "all of it")
        code = await asyncio.to_thread(runtime.artifacts.agent_address.process.wait)
        return TaskCompletionSignal("done" if code == 0 else "failed")


@hookimpl
def agentrelay_task_preparer():
    yield Provider(factory=wrapped("agentrelay_task_preparer", "prepare"), **KEY)


@hookimpl
def agentrelay_task_launcher():
    yield Provider(factory=lambda context: Launcher(), **KEY)


@hookimpl
def agentrelay_task_kickoff():
    yield Provider(factory=lambda context: Kickoff(), **KEY)


@hookimpl
def agentrelay_task_completion_checker():
    yield Provider(factory=lambda context: Checker(), **KEY)


@hookimpl
def agentrelay_task_merger():
    yield Provider(factory=wrapped("agentrelay_task_merger", "merge_pr"), **KEY)


@hookimpl
def agentrelay_task_teardown():
    yield Provider(factory=wrapped("agentrelay_task_teardown", "teardown"), **KEY)
'''


@pytest.fixture
def run(repository, tmp_path):
    """Run a graph file with what is installed and one more plugin; `run.events` holds what happened."""

    async def run(graph, source=""):
        catalog = Catalog.discover()
        run.module = ModuleType("agentrelay_typist")
        if source:
            exec(compile(source, "agentrelay_typist.py", "exec"), vars(run.module))
            report = catalog.add(run.module)
            assert report.status == "active", report.reason
        path = tmp_path / "agentrelay.yaml"
        path.write_text(graph)
        run.events = []
        return await run_graph(path, repository=repository.path, catalog=catalog, on_event=run.events.append)

    return run


def typists(**options):
    """A graph with one task of the framework ``typist``."""
    keys = "".join(f", {name}: {value}" for name, value in options.items() if name != "deadlines")
    deadlines = f", deadlines: {options['deadlines']}" if "deadlines" in options else ""
    return f"name: g\ntasks:\n  one: {{description: Type., agent: {{framework: typist{keys}}}{deadlines}}}\n"


def concerns(events):
    """What people should know of the one task."""
    return [concern for event in events if event.kind == "task_finished" for concern in event.data["concerns"]]


async def test_yaml_alone_makes_agents(run, repository, monkeypatch):
    """Named agents with their own command, variables and way of being told run without any plugin of theirs."""
    monkeypatch.setenv("SHOWN", "yes")
    result = await run(YAML_ALONE)
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    for name, task in [("stdin", 'Ask "Why?" twice;\tü'), ("argument", "Say $HOME"), ("path", "Go on")]:
        told = repository.git("show", f"agentrelay/g@default:from-{name}.txt")
        assert task in told
        assert told.rstrip().endswith(repository.git("show", "agentrelay/g@default:from-stdin.txt").splitlines()[-1])


async def test_one_class_makes_a_framework(run, repository):
    """Its argv runs with its typed options, its lines are progress that people see, and the end is what it says."""
    result = await run(typists(words=4, ending=7), ONE_CLASS)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["one"].error
    assert concerns(run.events) == ["typed 4 words"]
    assert "typed.txt" in repository.git("show", "agentrelay/g@default:typed.txt")
    told = [event for event in run.events if event.kind == "task_progress"]
    assert (told[-1].message, told[-1].data) == ("typing: 4 words", {"kind": "typing"})
    assert progress_line(told[-1]).endswith("  one  typing: 4 words")


async def test_a_framework_says_what_the_end_is(run):
    """What its class takes for a failure is one, in its words, though the work is there."""
    result = await run(typists(ending=3), ONE_CLASS)
    assert result.tasks["one"].error == "typist left with 3"


@pytest.mark.slow
async def test_progress_keeps_an_agent_from_being_taken_for_hung(run, repository):
    """Redrawn lines that would be no trace of work are progress where the framework reads them so."""
    graph = typists(words=30, pause=0.3, ending=7, deadlines="{stall: 1, stall_stop: 5}")
    result = await run(graph, ONE_CLASS)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["one"].error
    silent = ONE_CLASS.replace("        self.words += 1\n", "        return None\n")
    result = await run(graph.replace("name: g", "name: h").replace("words: 30", "words: 60"), silent)
    assert "hung: no progress" in result.tasks["one"].error


async def test_a_read_line_that_raises_costs_the_reading_alone(run):
    """The task ends as it would have; a concern names the framework and what it raised."""
    result = await run(typists(ending=7), ONE_CLASS.replace("self.words += 1", "raise LookupError('no such word')"))
    assert result.outcome is RunOutcome.SUCCEEDED
    assert concerns(run.events) == [
        "typed 0 words",
        "the output is not read any more: read_line of the framework 'typist' raised LookupError: no such word",
    ]


async def test_an_outcome_that_is_none_names_its_framework(run):
    """A class that returns nothing for the end is told which method was wrong."""
    result = await run(typists(), ONE_CLASS.replace("return TaskCompletionSignal", "TaskCompletionSignal"))
    assert "outcome of Typist returned None, which is no TaskCompletionSignal" in result.tasks["one"].error


async def test_wrong_options_stand_at_their_place(run):
    """A value that the options' class refuses is an error at that very value, before anything is done."""
    with pytest.raises(GraphError, match=r"agentrelay\.yaml:3:63: error\[AR204\].*'words' must be >= 1"):
        await run(typists(words=0), ONE_CLASS)


async def test_the_six_steps_per_key(run, repository):
    """Steps of its own serve the one pair, the run ends merged, and a step tells of progress by the runtime."""
    result = await run("name: g\ntasks:\n  one: {description: Copy., agent: {framework: six}}\n", SIX_STEPS)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["one"].error
    assert "Copy." in repository.git("show", "agentrelay/g@default:six.txt")
    assert run.module.CALLS == ["prepare", "launch", "kickoff", "wait_for_completion", "merge_pr", "teardown"]
    assert [event.message for event in run.events if event.kind == "task_progress"] == ["copying: all of it"]
