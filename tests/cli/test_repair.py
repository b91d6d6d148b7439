"""The commands that repair and clean, as a user types them, in real repositories with real agents."""

import json
import os
import pty
import signal
import subprocess

import pytest

from agentrelay_core.processes import find_marked

FLAG = """\
name: g
agents:
  a: {framework: command, command: 'if test -e ../../../../flag; then echo "$AGENTRELAY_TASK_ID" > "$AGENTRELAY_TASK_ID.txt"; else echo part > part.txt; exit 3; fi'}
  b: {framework: command, command: 'echo x > "$AGENTRELAY_TASK_ID.txt"'}
defaults: {agent: a}
tasks:
  free: {description: Works always, agent: b, workstream_id: side}
  one: {description: First}
  two: {description: Second, dependencies: [one]}
workstreams:
  side: {}
"""  # noqa: E501  # a shell command on one line
SLEEPS = """\
name: g
agents:
  a: {framework: command, command: 'echo part > part.txt; (setsid sleep 300 &) ; sleep 300 & sleep 300'}
defaults: {agent: a}
max_concurrency: 2
tasks:
  one: {description: First}
  two: {description: Second, workstream_id: side}
  three: {description: Third, dependencies: [one]}
workstreams:
  side: {}
"""


def plan_of(done):
    """The plan that a command printed as JSON."""
    return json.loads(done.stdout.splitlines()[0])["plan"]


def carried(done):
    """What came of it."""
    return json.loads(done.stdout.splitlines()[1])["carried_out"]


def statuses(shell):
    (run,) = json.loads(shell("status", "--json").stdout)["runs"]
    return {task["id"]: task["status"] for task in run["tasks"]}


@pytest.fixture
def failed(shell):
    """A run of three tasks: one is merged, one failed and left a file, one hangs on it."""
    shell.graph(FLAG)
    shell("run", expect=1)
    return shell


def at_work(shell, tasks=2):
    """Start a run whose agents sleep; the process, once so many are at work."""
    shell.graph(SLEEPS)
    run = shell.start("run")
    for line in run.stderr:
        tasks -= "at work" in line
        if not tasks:
            return run
    raise AssertionError("the run ended")


def run_id(shell):
    (run,) = json.loads(shell("status", "--json").stdout)["runs"]
    return run["run_id"]


def test_failed_tasks_are_pending_again_and_attempts_are_counted_on(failed):
    """Retry shows what it does, changes what failed and what hangs on it, and no branch is used twice."""
    assert statuses(failed) == {"free": "pr_merged", "one": "failed", "two": "pending"}
    plan = plan_of(failed("retry", "--json", "--dry-run"))
    assert statuses(failed)["one"] == "failed"
    done = failed("retry", "--json")
    assert plan_of(done) == plan
    changes = {change["task_id"]: (change["becomes"], change["attempt_num"]) for change in plan["tasks"]}
    assert changes == {"one": ("pending", 1), "two": ("pending", 0)}
    assert "agentrelay run" in done.stderr
    assert "is not over; `agentrelay run` goes on" in failed("status").stdout
    assert statuses(failed) == {"free": "pr_merged", "one": "pending", "two": "pending"}
    assert "run one wave 1, attempt 2" in " ".join(failed("plan").stdout.split())
    (failed.path / "flag").touch()
    assert "3 merged" in failed("run").stdout
    assert failed.git("log", "--format=%s", "--merges", "agentrelay/g@default").count("\n") == 1, (
        "each of the two is merged once"
    )
    failed("retry", expect=6)


def test_retry_runs_at_once_when_told_to(failed):
    """--run goes on in the same command."""
    (failed.path / "flag").touch()
    assert "3 merged" in failed("retry", "one", "--run").stdout


def test_what_has_not_failed_is_not_retried(failed):
    """An unknown task is a mistake with a hint; one that is merged is exit 6, with what to type."""
    assert "did you mean 'one'" in failed("retry", "onne", expect=2).stderr
    assert "agentrelay reset free" in failed("retry", "free", expect=6).stderr


def test_a_task_is_done_again_with_what_hangs_on_it(failed):
    """Reset asks for --yes where nobody can be asked, keeps commits that would be lost, and the next attempt is new."""
    (failed.path / "flag").touch()
    failed("run")
    refused = failed("reset", "one", expect=2)
    assert "--yes" in refused.stderr
    assert "pending one, was pr_merged; attempt 3 is next" in " ".join(refused.stdout.split())
    assert statuses(failed)["one"] == "pr_merged"
    plan = plan_of(failed("reset", "one", "--yes", "--json"))
    assert [(change["task_id"], change["reason"]) for change in plan["tasks"]] == [
        ("one", "what is merged stays merged"),
        ("two", "hangs on one, what is merged stays merged"),
    ]
    assert statuses(failed) == {"free": "pr_merged", "one": "pending", "two": "pending"}
    failed("reset", expect=2)
    failed("reset", "one", "--all", expect=2)


def test_a_whole_run_is_forgotten_and_nothing_is_lost(failed):
    """After reset --all the next run is a new one from the start, and every commit and file of the old one is kept."""
    (old,) = json.loads(failed("status", "--json").stdout)["runs"]
    tips = failed.git("for-each-ref", "--format=%(objectname)", "refs/heads/agentrelay").split()
    kept_before = failed.git("for-each-ref", "--format=%(objectname)", "refs/agentrelay/rescue").split()
    assert tips
    assert kept_before
    plan = plan_of(failed("reset", "--all", "--dry-run", "--json"))
    assert failed.git("for-each-ref", "refs/heads/agentrelay")
    done = failed("reset", "--all", "--yes", "--json")
    assert plan_of(done) == plan
    assert not carried(done)["problems"]
    assert failed.git("for-each-ref", "refs/heads/agentrelay") == ""
    assert "was reset" in failed("status").stdout
    for commit in (*tips, *kept_before):
        assert failed.git("for-each-ref", f"--contains={commit}"), commit
    (failed.path / "flag").touch()
    assert "3 merged" in failed("run").stdout
    assert run_id(failed) != old["run_id"]
    assert failed.git("show", "agentrelay/g@default:two.txt") == "two"
    assert failed.git("fsck", "--strict", "--no-progress") == ""


def test_what_is_not_ours_stays(failed):
    """Branches that a user made below our names, or has checked out, are told with the reason and left."""
    failed.git("branch", "agentrelay/g/mine")
    failed.git("worktree", "add", "-q", "../looking", "agentrelay/g@default")
    done = failed("reset", "--all", "--yes")
    assert "keep branch agentrelay/g/mine: it is not ours" in " ".join(done.stdout.split())
    assert "looking" in done.stdout
    assert failed.git("rev-parse", "agentrelay/g/mine")
    assert failed.git("rev-parse", "agentrelay/g@default")


@pytest.mark.fault("D2")
def test_clean_removes_what_nobody_needs(failed):
    """Merged branches, worktrees and old protocol files go; ignored files stay until --ignored."""
    (failed.path / ".git" / "info" / "exclude").write_text("*.log\n")
    graph = (failed.path / "agentrelay.yaml").read_text().replace("echo part", "echo s > secret.log; echo part")
    failed.graph(graph)
    failed("run", "--accept-graph", expect=1)
    worktree = failed.path / ".agentrelay" / "worktrees" / "g" / "default"
    assert (worktree / "secret.log").is_file()
    (worktree / "more.txt").write_text("more\n")
    done = failed("clean", "--yes")
    assert "secret.log" in done.stdout
    assert (worktree / "secret.log").is_file()
    done = failed("clean", "--yes", "--ignored")
    assert not worktree.exists()
    kept = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("kept")]
    assert any(failed.git("show", f"{ref}:more.txt") == "more" for ref in kept)
    directories = sorted(path.name for path in (failed.path / ".workflow/g/signals/one").iterdir())
    assert [name.rpartition("-")[2] for name in directories] == ["1"]
    assert "nothing to do" in failed("clean", "--yes").stdout
    (failed.path / "flag").touch()
    assert "3 merged" in failed("run").stdout


def test_files_that_the_protocol_does_not_know_are_kept(failed):
    """What an agent put into its own directory of an old attempt keeps that directory, and is named."""
    failed("run", expect=1)
    (old,) = (failed.path / ".workflow/g/signals/one").glob("*-0")
    (old / "notes.md").write_text("mine\n")
    half = old.with_name(f".{old.name}.part")
    half.mkdir()
    assert "notes.md" in failed("clean", "--yes").stdout
    assert not half.exists()
    assert (old / "notes.md").is_file()


@pytest.mark.fault("D4")
def test_a_task_of_a_live_run_is_cancelled_by_its_owner(shell, tmp_path):
    """The owner ends the agent and all that it started, the rest goes on; the task is failed and its files are kept."""
    run = at_work(shell)
    try:
        done = shell("cancel", "one", "--yes")
        assert "end one, attempt 1" in " ".join(done.stdout.split())
        found = statuses(shell)
        assert (found["one"], found["two"]) == ("failed", "running")
        left = find_marked("AGENTRELAY_TASK_ID", "one")
        assert not [each for each in left if each in find_marked("AGENTRELAY_RUN_ID", run_id(shell))]
        assert run.poll() is None
        (kept,) = json.loads(shell("rescue", "list", "--json").stdout)["rescued"]
        assert shell.git("show", f"{kept['ref']}:part.txt") == "part"
        assert "did you mean" in shell("cancel", "onne", "--yes", expect=2).stderr
        shell("cancel", "one", "--yes", expect=6)
        shell("clean", "--yes", expect=75)
        shell("cancel", "--yes")
        run.communicate(timeout=240)
        assert run.returncode == 1
        assert not find_marked("AGENTRELAY_RUN_ID", run_id(shell))
    finally:
        run.kill()
        run.communicate(timeout=240)


def test_a_task_that_has_not_begun_will_not_begin(shell):
    """Cancelled by name in a live run, a pending task fails when its turn comes, without an agent."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: 'until test -e ../../../../go; do read -t 0.1 x; done; "
        "echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt'}}\ndefaults: {agent: a}\n"
        "tasks: {one: {description: x}, two: {description: y, dependencies: [one]}}\n"
    )
    run = shell.start("run")
    for line in run.stderr:
        if "at work" in line:
            break
    shell("cancel", "two", "--yes")
    (shell.path / "go").touch()
    out, _ = run.communicate(timeout=240)
    assert "1 merged, 1 failed" in out
    assert "CancelledError: cancelled" in out


@pytest.mark.fault("D4")
def test_what_a_killed_owner_left_is_cancelled_by_the_command(shell):
    """Without an owner the command ends the agents with their detached children, keeps their files, marks the tasks."""
    run = at_work(shell)
    run.kill()
    run.communicate(timeout=240)
    identity = run_id(shell)
    mine = os.getpid()
    assert len(find_marked("AGENTRELAY_RUN_ID", identity)) >= 4
    plan = plan_of(shell("cancel", "--dry-run", "--json"))
    assert {agent["task_id"] for agent in plan["stops"]} == {"one", "two"}
    assert find_marked("AGENTRELAY_RUN_ID", identity)
    done = shell("cancel", "--yes")
    assert os.getpid() == mine
    assert not find_marked("AGENTRELAY_RUN_ID", identity)
    assert {status for task, status in statuses(shell).items() if task != "three"} == {"failed"}
    assert "cancelled" in shell("status").stdout
    kept = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("kept")]
    assert sorted(shell.git("show", f"{ref}:part.txt") for ref in kept) == ["part", "part"]
    assert "nothing to cancel" in shell("cancel", "--yes", expect=6).stderr


@pytest.mark.fault("D6")
def test_what_is_at_work_is_not_cleaned(shell):
    """Agents of attempts that have not ended are left alone by clean, with their worktrees and branches."""
    run = at_work(shell)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=240)
    before = len(find_marked("AGENTRELAY_RUN_ID", run_id(shell)))
    assert before
    try:
        done = shell("clean", "--yes")
        assert "at work" in done.stdout
        assert len(find_marked("AGENTRELAY_RUN_ID", run_id(shell))) == before
        assert (shell.path / ".agentrelay/worktrees/g/default/part.txt").is_file()
    finally:
        shell("cancel", "--yes")
    assert shell("clean", "--yes")
    assert not (shell.path / ".agentrelay").exists()


def answered(shell, answer, *arguments):
    """Type a command on a terminal and answer its question; its exit code."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        shell.command(*arguments), cwd=shell.path, env=shell.environment, stdin=theirs, stdout=subprocess.DEVNULL
    )
    os.close(theirs)
    os.write(ours, answer)
    code = command.wait(60)
    os.close(ours)
    return code


def test_on_a_terminal_it_is_asked(failed):
    """No leaves everything as it is, exit 130; yes does what was shown."""
    assert answered(failed, b"n\n", "reset", "free") == 130
    assert statuses(failed)["free"] == "pr_merged"
    assert answered(failed, b"y\n", "reset", "free") == 0
    assert statuses(failed)["free"] == "pending"


def test_before_any_run_there_is_nothing_to_put_in_order(shell):
    """Without a record each of the commands says how to begin, exit 2."""
    for words in (["retry"], ["reset", "--all"], ["clean"], ["cancel"]):
        assert "agentrelay run" in shell(*words, expect=2).stderr
