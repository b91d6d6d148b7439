"""Each command as a user types it: its output, its exit code, and what it leaves alone."""

import json
import os
import shutil
import signal
import time

import pytest

from agentrelay_core.processes import find_marked


def test_a_run_ends_with_a_line_per_task_and_the_sums(shell):
    """A line a task with tabs between, progress on stderr; typed again, nothing is to do."""
    done = shell("run")
    lines = done.stdout.splitlines()
    assert lines[0] == "one\tpr_merged\tagentrelay+local:g/1\t-"
    assert lines[1].startswith("two\tpr_merged\t")
    assert lines[2].startswith("run 2")
    assert lines[2].endswith(": 2 merged, 0 failed, 0 blocked")
    assert "agent launched" in done.stderr
    assert "git" in done.stderr
    assert "nothing to do" in shell("run").stdout
    assert shell.git("status", "--porcelain") == "?? agentrelay.yaml"


def test_json_is_the_journal_line_by_line(shell):
    """On stdout are the events alone, each with the schema, in the order and the numbers of the journal."""
    events = [json.loads(line) for line in shell("run", "--json").stdout.splitlines()]
    assert {event["schema"] for event in events} == {1}
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "run_started"
    assert events[-1]["kind"] == "run_finished"


@pytest.mark.fault("A18")
def test_a_failed_task_is_exit_1_and_its_error_one_line(shell):
    """Tabs, newlines and escapes from an agent never break the line; what hangs on it is blocked."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: \"printf 'x\\\\ty\\\\nz\\\\033[31m' >&2; exit 3\"}}\n"
        "defaults: {agent: a}\ntasks:\n  one: {description: x}\n  two: {description: y, dependencies: [one]}\n"
    )
    done = shell("run", expect=1)
    one, two, sums = done.stdout.splitlines()
    assert len(one.split("\t")) == 4
    assert "\033" not in done.stdout + done.stderr
    assert two.startswith("two\tpending\t-\t")
    assert sums.endswith("0 merged, 1 failed, 1 blocked")


def test_a_dry_run_is_the_plan_and_changes_nothing(shell):
    """Waves, attempts and agents are shown; no branch, no state."""
    assert shell("run", "--dry-run").stdout == shell("plan").stdout
    assert "2 of 2 tasks would run" in shell("plan").stdout
    assert json.loads(shell("plan", "--json").stdout)
    assert shell.git("branch", "--list", "agentrelay/*") == ""


def test_selected_tasks_run_alone(shell):
    """Others stay pending; an unknown name is a mistake with a hint; what is done is not done again."""
    assert "1 merged" in shell("run", "--select", "one").stdout
    assert "one" in shell("run", "--select", "onne", expect=2).stderr
    assert "nothing to do" in shell("run", "--select", "one").stdout


def test_status_tells_before_during_and_after(shell):
    """No run yet is no error of ours; after one the facts come from the journal."""
    assert "agentrelay run" in shell("status").stderr
    shell("run")
    assert "succeeded" in shell("status").stdout
    state = json.loads(shell("status", "--json").stdout.splitlines()[0])
    assert state["schema"] == 1


def test_logs_show_what_the_agent_printed(shell):
    """The task's agent.log; a task that is not there is a mistake with a hint."""
    shell("run")
    assert "worked" in shell("logs", "one").stdout
    assert "one" in shell("logs", "onne", expect=2).stderr


def test_graphs_are_drawn(shell):
    """As a tree, for mermaid and for dot."""
    assert "one" in shell("graph").stdout
    assert shell("graph", "--format", "mermaid").stdout.startswith("flowchart")
    assert shell("graph", "--format", "dot").stdout.startswith("digraph")


def test_check_tells_every_mistake_with_its_place(shell):
    """Exit 3, file:line:column and a code; warnings alone are exit 0, or 3 when strict."""
    shell.graph("name: g\ntasks:\n  one: {descripton: x, role: boss}\n")
    done = shell("check", expect=3)
    assert "agentrelay.yaml:3:" in done.stdout + done.stderr
    assert "did you mean" in done.stdout + done.stderr
    assert all(
        line.startswith("::error file=") for line in shell("check", "--format", "github", expect=3).stdout.splitlines()
    )
    shell.graph("name: g\nagents: {a: {framework: aider}}\ndefaults: {agent: a}\ntasks: {one: {description: x}}\n")
    assert "aider" in "".join((shell("check").stdout, shell("check").stderr))
    shell("check", "--strict", expect=3)
    assert "aider" in shell("run", expect=5).stderr


def test_init_writes_a_graph_that_runs(shell):
    """What is there is never overwritten; a new repository gets a graph that ends merged."""
    before = (shell.path / "agentrelay.yaml").read_text()
    shell("init", expect=2)
    assert (shell.path / "agentrelay.yaml").read_text() == before
    (shell.path / "agentrelay.yaml").unlink()
    shell("init")
    assert "2 merged" in shell("run").stdout


def test_the_demo_is_a_run_of_its_graph_file(shell, tmp_path):
    """It ends with exit 0 and clean; one more task in the file is one more merge."""
    place = tmp_path / "demo"
    done = shell("demo", place)
    assert "6 merged, 0 failed, 0 blocked" in done.stdout
    demo = type(shell)(place / "repository", place / "state")
    assert demo.git("fsck", "--strict", "--no-progress") == ""
    assert len(demo.git("worktree", "list").splitlines()) == 1
    assert demo.git("status", "--porcelain") == ""
    file = demo.path / "agentrelay.yaml"
    file.write_text(
        file.read_text().replace("tasks:\n", "tasks:\n  extra: {description: One more., dependencies: [spec]}\n")
    )
    assert "7 merged" in demo("run").stdout


def test_plugins_are_listed_judged_and_explained(shell):
    """Every installed plugin with its state; who serves a step; JSON where asked."""
    assert "agentrelay-git-gh" in shell("plugins", "list").stdout
    assert {
        row["plugin"] if "plugin" in row else row["name"]
        for row in json.loads(shell("plugins", "list", "--json").stdout)["plugins"]
    } >= {"agentrelay-core"}
    # A program of a plugin that no graph needs may be missing: that is a warning.
    told = shell("plugins", "doctor").stdout
    assert not [line for line in told.splitlines() if line.startswith("error")], told
    options = json.loads(shell("plugins", "doctor", "--json").stdout)["options"]
    assert [(option["name"], option["default"]) for option in options if option["framework"] == "command"] == [
        ("command", None),
        ("instructions", "stdin"),
    ]
    assert "agentrelay-core" in shell("plugins", "explain", "launcher", "command", "process").stdout
    shell("plugins", "explain", "merger", "command", "process")


def test_without_plugins_a_run_names_what_it_needs(shell):
    """With both plugins off the refusal names both distributions, and nothing was made."""
    (shell.path / "agentrelay.toml").write_text('[plugins]\ndisable = ["agentrelay-core", "agentrelay-git-gh"]\n')
    refused = shell("run", expect=5).stderr
    assert "agentrelay-core" in refused
    assert "agentrelay-git-gh" in refused
    assert shell.git("branch", "--list", "agentrelay/*") == ""


def test_the_doctor_finds_what_is_missing(shell, tmp_path):
    """All is well here; outside of a repository it says what to do."""
    assert "nothing is wrong" in shell("doctor").stdout
    assert json.loads(shell("doctor", "--json").stdout)["schema"] == 1
    assert "git init" in shell("doctor", "-C", tmp_path, expect=5).stdout


def test_the_schema_is_json(shell):
    """Editors get a JSON Schema with the installed options."""
    assert "tasks" in json.loads(shell("schema", "graph").stdout)["properties"]


def test_settings_come_from_where_they_are_said_to_come(shell):
    """Later wins: repository, graph, variable, flag; a wrong key names its file."""
    (shell.path / "agentrelay.toml").write_text("[run]\nmax_concurrency = 7\n")
    assert "7" in next(line for line in shell("config", "show", "--origin").stdout.splitlines() if "max_conc" in line)
    (shell.path / "agentrelay.toml").write_text("[run]\nmax_concurency = 7\n")
    assert "max_concurrency" in shell("run", expect=3).stderr


@pytest.mark.fault("O12", "O14")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_run_and_its_agents_at_work(shell, number, code):
    """The exit code is the signal's, the agent lives, it is said how to go on, and `cancel` ends what is left."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: 'sleep 300 & sleep 300'}}\ndefaults: {agent: a}\n"
        "tasks: {one: {description: x}}\n"
    )
    run = shell.start("run")
    for line in run.stderr:
        if "at work" in line:
            break
    began = time.monotonic()
    run.send_signal(number)
    out, err = run.communicate(timeout=240)
    assert time.monotonic() - began < 10
    assert run.returncode == code, err
    assert "one\trunning" in out
    assert "`agentrelay run` goes on with them" in err
    (_, _, run_id, *_) = shell("status").stdout.split()
    assert find_marked("AGENTRELAY_RUN_ID", run_id)
    shell("cancel", "--yes")
    assert not find_marked("AGENTRELAY_RUN_ID", run_id)


@pytest.mark.fault("O13")
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGTERM, 143), (signal.SIGINT, signal.SIGTERM, 143)],
)
def test_a_second_signal_leaves_at_once(shell, tmp_path, first, second, code):
    """While a step that cannot be left takes its time, a second signal ends the command within a second."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: 'touch done'}}\ndefaults: {agent: a}\n"
        "tasks: {one: {description: x}}\n"
    )
    reached, go = tmp_path / "reached", tmp_path / "go"
    os.mkfifo(reached)
    wait = f"echo > {reached}; until [ -e {go} ]; do sleep 0.02; done"
    slow = f'case "$*" in *write-tree*) [ -e {go} ] || {{ {wait}; }};; esac'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\n{slow}\nexec {shutil.which("git")} "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    run = shell.start("run", PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    reached.read_text()
    run.send_signal(first)
    for line in run.stderr:
        if "once more to leave at once" in line:
            break
    began = time.monotonic()
    run.send_signal(second)
    assert run.wait(timeout=240) == code
    assert time.monotonic() - began < 1
    go.touch()
    assert "left at once" in run.communicate()[1]
    assert "1 merged" in shell("run").stdout


def test_a_second_run_is_refused_while_one_goes_on(shell):
    """Exit 75, naming the owner."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: 'sleep 300'}}\ndefaults: {agent: a}\n"
        "tasks: {one: {description: x}}\n"
    )
    run = shell.start("run")
    try:
        for line in run.stderr:
            if "at work" in line:
                break
        assert str(run.pid) in shell("run", expect=75).stderr
    finally:
        run.terminate()
        run.communicate(timeout=240)
        shell("cancel", "--yes")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nonsense"], 2), (["run", "missing.yaml"], 2), (["run", "--max-concurrency", "many"], 2), (["logs"], 2)],
)
def test_a_mistake_is_told_without_a_traceback(shell, arguments, code):
    """Wrong usage is exit 2 with a message on stderr, and stdout stays empty."""
    done = shell(*arguments, expect=code)
    assert done.stderr
    assert not done.stdout


def test_a_setting_that_nobody_honours_is_refused(shell):
    """It is a warning of check and exit 5 of run, by name, before any effect; never ignored in silence."""
    shell.graph("model: large\n" + (shell.path / "agentrelay.yaml").read_text())
    checked = shell("check")
    assert "'model'" in checked.stdout + checked.stderr
    assert "'model'" in shell("run", expect=5).stderr
    assert shell.git("branch", "--list", "agentrelay/*") == ""


@pytest.mark.parametrize(("key", "value"), [("merge_method", "squash"), ("checks", "all")])
def test_a_setting_for_servers_is_refused_without_one(shell, key, value):
    """What only a forge with a server can do is exit 5 of run, by name, before any effect."""
    shell.graph(f"{key}: {value}\n" + (shell.path / "agentrelay.yaml").read_text())
    assert f"'{key}: {value}' needs a forge with a server" in shell("run", expect=5).stderr
    assert shell.git("branch", "--list", "agentrelay/*") == ""


@pytest.mark.fault("L1")
def test_a_run_that_was_killed_goes_on_with_its_live_agent(shell, tmp_path):
    """The agent is adopted, not started again: it shows one process id, and a counter without a gap."""
    said, go = tmp_path / "said.txt", tmp_path / "go"
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: "
        f"'n=0; while [ ! -e {go} ]; do n=$((n + 1)); echo $$ $n >> {said}; sleep 0.05; done; echo x > work.txt'}}}}\n"
        "defaults: {agent: a}\ntasks: {one: {description: x}}\n"
    )
    run = shell.start("run")
    for line in run.stderr:
        if "at work" in line:
            break
    run.kill()
    run.communicate(timeout=240)
    (_, _, run_id, *_) = shell("status").stdout.split()
    assert find_marked("AGENTRELAY_RUN_ID", run_id)
    again = shell.start("run")
    for line in again.stderr:
        if "launch had happened already" in line:
            break
    go.touch()
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    assert "1 merged" in out
    words = [line.split() for line in said.read_text().splitlines()]
    assert len({pid for pid, _ in words}) == 1
    assert [int(count) for _, count in words] == list(range(1, len(words) + 1))
    assert not find_marked("AGENTRELAY_RUN_ID", run_id)
    assert shell.git("show", "agentrelay/g@default:work.txt") == "x"
