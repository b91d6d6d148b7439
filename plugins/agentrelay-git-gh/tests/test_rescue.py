"""Nothing that holds work is destroyed: dirty worktrees are kept byte for byte before they are used anew or removed."""

import os
import subprocess

import pytest
from agentrelay_git_gh import inspection

from agentrelay_core.runtime import AgentAddress, AgentFailure, Parked, TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

ODD = [
    "with space",
    'quo"te',
    "tab\there",
    "new\nline",
    "-rf",
    "ünïcödé",
    "back\\slash",
    "deep/er/file",
    b"\xff\xfe.bin",
]


def litter(path):
    """Leave untracked files of all kinds of names and contents; what was left, by name."""
    left = {}
    for number, name in enumerate(ODD):
        file = path / os.fsdecode(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        content = bytes(range(256)) * number + b"\r\nno newline at the end"
        file.write_bytes(content)
        left[os.fsencode(name)] = content
    (path / "link").symlink_to("/nowhere/at all")
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    (path / "README.md").write_bytes(b"changed\r\n")
    (path / "src" / "one.py").unlink()
    return left | {b"README.md": b"changed\r\n", b"run.sh": b"#!/bin/sh\n", b"link": b"/nowhere/at all"}


def content_of(user, commit):
    """Every file of a commit, by name, and the modes that are not plain."""
    listed = subprocess.run(
        ("git", "ls-tree", "-r", "-z", commit), cwd=user.path, capture_output=True, check=True
    ).stdout
    files, modes = {}, {}
    for line in listed.split(b"\0")[:-1]:
        facts, name = line.split(b"\t", 1)
        mode, _, blob = facts.decode().split()
        shown = subprocess.run(("git", "cat-file", "blob", blob), cwd=user.path, capture_output=True, check=True)
        files[name] = shown.stdout
        modes[name] = mode
    return files, modes


def check_rescued(user, ref, left):
    files, modes = content_of(user, ref)
    assert {name: files[name] for name in left} == left
    assert b"src/one.py" not in files
    assert (modes[b"link"], modes[b"run.sh"]) == ("120000", "100755")


@pytest.mark.fault("D1")
async def test_teardown_keeps_what_a_failed_task_left(bench, user):
    """A failed task's files are under its rescue ref, in the user's repository and in ours, and its commits stay."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(committed="1\n")
    head = agent.commit("some")
    left = litter(agent.path)
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)
    ref = f"refs/agentrelay/rescue/{bench.run_id}/t/0"
    check_rescued(user, ref, left)
    assert user("rev-parse", f"{ref}^1") == head == user("rev-parse", "agentrelay/g/t")
    ours = type(user)(bench.state / "repository.git")
    assert ours("rev-parse", ref) == user("rev-parse", ref)
    assert agent("status", "--porcelain") == ""
    await bench.teardown(runtime)
    assert user("fsck", "--strict", "--no-dangling") == ""


def test_the_next_task_finds_a_clean_worktree(bench, user):
    """Without a teardown, preparing the next task keeps the earlier one's files first."""
    runtime = bench.runtime(Task(id="one"))
    left = litter(bench.prepare(runtime).path)
    agent = bench.prepare(bench.runtime(Task(id="two")))
    check_rescued(user, f"refs/agentrelay/rescue/{bench.run_id}/one/0", left)
    assert agent("status", "--porcelain") == ""
    assert sorted(path.name for path in agent.path.iterdir()) == [".git", ".gitignore", "README.md", "src"]


@pytest.mark.fault("D1")
async def test_closing_keeps_everything_and_removes_the_worktree(bench, user):
    """Closing a dirty workstream keeps its files, then removes worktree and record; closing again is nothing."""
    await bench.whole_life(Task(id="t"), lambda agent: agent.write(a="1\n"))
    path = user.path / ".agentrelay/worktrees/g/default"
    left = litter(path)
    (path / "locked").mkdir()
    (path / "locked" / "f").write_text("x")
    (path / "locked").chmod(0o555)
    bench.workspace().close_workstream(WorkstreamSpec(id="default"))
    check_rescued(user, f"refs/agentrelay/rescue/{bench.run_id}/default/0", left | {b"locked/f": b"x"})
    assert not (user.path / ".agentrelay").exists()
    assert len(user("worktree", "list").splitlines()) == 1
    bench.workspace().close_workstream(WorkstreamSpec(id="default"))


@pytest.mark.fault("D2")
def test_ignored_files_keep_the_worktree(bench, user, caplog):
    """Ignored files are not saved, so a worktree that holds some stays and is named; caches do not count."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(build___out="1\n", secret__log="1\n")
    bench.workspace().close_workstream(WorkstreamSpec(id="default"))
    assert agent.path.is_dir()
    assert "build/, secret.log" in caplog.text
    for name in ("build/out", "secret.log"):
        (agent.path / name).unlink()
    (agent.path / "build").rmdir()
    agent.write(build___CACHEDIR__TAG="Signature: 8a477f597d28d172789f06886806bc55\n", build___x="1")
    bench.workspace().close_workstream(WorkstreamSpec(id="default"))
    assert not agent.path.exists()


@pytest.mark.fault("D1")
def test_a_repository_inside_the_worktree_is_never_removed(bench, user):
    """Files of a nested repository cannot be kept in a commit, so nothing is removed and a person is told."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    (agent.path / "nested").mkdir()
    nested = type(user)(agent.path / "nested")
    nested("init", "-q")
    nested.write(f="1\n")
    with pytest.raises(AgentFailure, match="nested/ is a git repository of its own"):
        bench.workspace().publish(runtime)
    with pytest.raises(Parked, match="nested/ is a git repository of its own"):
        bench.workspace().close_workstream(WorkstreamSpec(id="default"))
    with pytest.raises(Parked):
        bench.prepare(bench.runtime(Task(id="next")))
    assert (nested.path / "f").read_text() == "1\n"


@pytest.mark.fault("G6")
def test_a_committed_repository_is_refused(bench, user):
    """An agent that commits a nested repository is told so, and nothing runs inside of it."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    (agent.path / "nested").mkdir()
    nested = type(user)(agent.path / "nested")
    nested("init", "-q")
    nested.write(f="1\n")
    nested.commit("inner")
    agent.commit("outer")
    witness = user.path.parent / "witness"
    script = user.path.parent / "evil"
    script.write_text(f"#!/bin/sh\ntouch {witness}\n")
    script.chmod(0o755)
    nested("config", "core.fsmonitor", str(script))
    nested.write(f="2\n")
    with pytest.raises(AgentFailure, match="nested is a git repository of its own"):
        bench.workspace().publish(runtime)
    with pytest.raises(Parked, match="nested is a git repository of its own"):
        bench.workspace().close_workstream(WorkstreamSpec(id="default"))
    nested("config", "--unset", "core.fsmonitor")
    assert not witness.exists()
    assert (nested.path / "f").read_text() == "2\n"


@pytest.mark.fault("A7")
def test_work_on_another_branch_does_not_count(bench, user):
    """An agent that left its branch gets no evidence; its files are kept and a concern says where."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent("checkout", "-q", "-b", "mine")
    agent.write(a="1\n")
    elsewhere = agent.commit("elsewhere")
    agent.write(b="1\n")
    with pytest.raises(AgentFailure, match="the agent changed nothing"):
        bench.workspace().publish(runtime)
    ref = f"refs/agentrelay/rescue/{bench.run_id}/t/0"
    assert runtime.artifacts.concerns == [f"work on mine instead of agentrelay/g/t was set aside under {ref}"]
    assert user("rev-parse", f"{ref}^1") == elsewhere == user("rev-parse", "mine")
    assert user("show", f"{ref}:b") == "1"
    assert agent("status", "--porcelain", "--branch") == "## agentrelay/g/t"


@pytest.mark.fault("D1")
def test_a_detached_head_is_kept(bench, user):
    """Commits on no branch at all are kept under the rescue ref."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent("checkout", "-q", "--detach")
    agent.write(a="1\n")
    lost = agent.commit("on no branch")
    with pytest.raises(AgentFailure):
        bench.workspace().publish(runtime)
    assert user("rev-parse", f"refs/agentrelay/rescue/{bench.run_id}/t/0^1") == lost


@pytest.mark.fault("D1")
def test_a_second_rescue_keeps_the_first(bench, user):
    """What is rescued twice for one attempt is a history: nothing is overwritten."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    ref = f"refs/agentrelay/rescue/{bench.run_id}/t/0"
    for name in ("one", "two"):
        agent("checkout", "-q", "--detach")
        agent.write(**{name: "1\n"})
        agent.commit(name)
        with pytest.raises(AgentFailure):
            bench.workspace().publish(runtime)
    assert {"one", "two"} <= set(user("log", "--format=%s", ref).splitlines())


def test_hidden_changes_are_seen(bench, user):
    """Files that an agent hides from git by flags of its index are committed all the same."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent("update-index", "--assume-unchanged", "README.md")
    agent("update-index", "--skip-worktree", "src/one.py")
    agent.write(README__md="hidden\n", src___one__py="hidden\n")
    bench.workspace().publish(runtime)
    assert user("show", "agentrelay/g/t:README.md") == user("show", "agentrelay/g/t:src/one.py") == "hidden"


@pytest.mark.fault("G6")
def test_a_file_that_is_too_large_is_refused(bench, monkeypatch):
    """A file over the limit fails the attempt by name, committed or not."""
    monkeypatch.setattr(inspection, "LARGEST_FILE", 1024)
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(big="x" * 2000)
    with pytest.raises(AgentFailure, match=r"^big has "):
        bench.workspace().publish(runtime)
    agent.commit("big")
    with pytest.raises(AgentFailure, match=r"^big has "):
        bench.workspace().publish(runtime)


class Address(AgentAddress):
    """An agent that remembers how it was torn down."""

    label = "fake"

    def __init__(self):
        self.calls = []

    async def teardown(self, signal_dir=None, keep_panes=False):
        self.calls.append((signal_dir, keep_panes))


async def test_the_agent_is_torn_down_first(bench):
    """The agent's address gets its teardown, also when nothing was ever prepared."""
    runtime = bench.runtime(Task(id="t"))
    runtime.artifacts.agent_address = address = Address()
    await bench.teardown(runtime)
    bench.prepare(runtime)
    await bench.teardown(runtime)
    assert address.calls == [(None, False), (runtime.state.signal_dir, False)]


@pytest.mark.fault("D1")
async def test_an_unmerged_branch_stays(bench, user):
    """A failed task's commits are not merged, so its branch is kept; one without commits goes."""
    for name, change in (("kept", True), ("gone", False)):
        runtime = bench.runtime(Task(id=name))
        agent = bench.prepare(runtime)
        if change:
            agent.write(a="1\n")
            agent.commit("a")
        runtime.state.transition(TaskStatus.FAILED)
        await bench.teardown(runtime)
        await bench.teardown(runtime)
    assert user("branch", "--list", "--format=%(refname:short)", "agentrelay/g/*") == "agentrelay/g/kept"
