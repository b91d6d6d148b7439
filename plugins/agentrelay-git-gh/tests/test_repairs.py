"""Finding and letting go of what runs left: each reason why something stays, and what is never touched."""

from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.git.trusted import Git

from agentrelay_core.runtime import Parked, TaskStatus
from agentrelay_core.spec import Task
from agentrelay_core.task_runner.repairs import Leftover, Repairs


@pytest.fixture
def repairs(bench):
    return bench.workspace().repairs


def found(repairs, kind, name=""):
    """The one leftover of a kind whose name ends so."""
    (leftover,) = [each for each in repairs.leftovers() if each.kind == kind and each.name.endswith(name)]
    return leftover


async def unmerged(bench):
    """A failed task whose branch has a commit that nothing else reaches."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(a="1\n")
    tip = agent.commit("some")
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)
    return tip


def test_the_workspace_can_repair(repairs):
    """It has all that the core asks for."""
    assert isinstance(repairs, Repairs)
    assert repairs.leftovers() == []


async def test_commits_that_nothing_else_reaches_are_kept(bench, user, repairs):
    """An unmerged branch goes and its tip is under a rescue ref; kept twice for one attempt it is a history."""
    tips = [await unmerged(bench), user("commit-tree", "main^{tree}", "-p", "main", "-m", "other")]
    for tip in tips:
        if not user("branch", "--list", "agentrelay/g/t"):
            user("branch", "agentrelay/g/t", tip)
        branch = found(repairs, "branch", "/t")
        assert (branch.task_id, branch.safe_in, branch.tip) == ("t", (), tip)
        ref = repairs.let_go(branch)
        assert ref == f"refs/agentrelay/rescue/{bench.run_id}/t/0"
        assert repairs.let_go(branch) is None
    assert user("branch", "--list", "agentrelay/g/t") == ""
    for tip in tips:
        assert f"refs/agentrelay/rescue/{bench.run_id}/t/0" in user("for-each-ref", f"--contains={tip}")
    ours = type(user)(bench.state / "repository.git")
    assert ours("rev-parse", ref) == user("rev-parse", ref)


async def test_a_branch_that_was_moved_meanwhile_stays(bench, user, repairs):
    """What was shown is what goes: another tip than the one that was found is left, and so is a foreign branch."""
    await unmerged(bench)
    branch = found(repairs, "branch", "/t")
    with pytest.raises(Parked, match="was moved meanwhile"):
        repairs.let_go(attrs.evolve(branch, tip="0" * 40))
    user("branch", "agentrelay/g/foreign")
    foreign = found(repairs, "branch", "/foreign")
    assert foreign.stays == "it is not ours"
    with pytest.raises(Parked, match="is not ours"):
        repairs.let_go(foreign)
    user("worktree", "add", "-q", str(user.path.parent / "look"), "agentrelay/g/t", "--force")
    with pytest.raises(Parked, match="is checked out in"):
        repairs.let_go(found(repairs, "branch", "/t"))
    assert user("rev-parse", "agentrelay/g/t") == branch.tip


def test_worktrees_that_cannot_go_say_why(bench, user, repairs):
    """Locked, unknown to git, or with a repository inside: each is told, and stays whole when it is tried."""
    agent = bench.prepare(bench.runtime(Task(id="t")))
    agent.write(left="1\n")
    tree = found(repairs, "worktree")
    assert (tree.task_id, tree.checked_out, tree.files) == ("t", "agentrelay/g/t", 1)
    user("worktree", "lock", str(agent.path))
    assert "locked" in found(repairs, "worktree").stays
    with pytest.raises(Parked, match="stays"):
        repairs.let_go(tree)
    user("worktree", "unlock", str(agent.path))
    nested = agent.path / "inner"
    nested.mkdir()
    type(user)(nested)("init", "-q")
    assert "inner/" in found(repairs, "worktree").stays
    with pytest.raises(Parked, match="repository of its own"):
        repairs.let_go(tree)
    assert (agent.path / "left").is_file()
    strange = agent.path.parent / "strange"
    strange.mkdir()
    (strange / "file").write_text("1\n")
    assert "git knows no such worktree" in found(repairs, "worktree", "strange").stays
    assert (strange / "file").is_file()


def test_a_link_in_place_of_a_worktree_is_not_followed(bench, user, repairs):
    """An agent that puts a link to the user's files where its worktree was gets nothing of them touched."""
    agent = bench.prepare(bench.runtime(Task(id="t")))
    tree = found(repairs, "worktree")
    agent.path.rename(user.path.parent / "moved")
    agent.path.symlink_to(user.path)
    user.write(README__md="mine\n")
    assert "link" in found(repairs, "worktree").stays
    for act in (repairs.let_go, repairs.keep):
        with pytest.raises(Parked, match="link"):
            act(tree)
    assert (user.path / "README.md").read_text() == "mine\n"


def test_half_made_directories_go_and_nothing_that_is_called_otherwise(bench, user, repairs):
    """What a killed process left goes, also where it may not be written; any other directory is left alone."""
    bench.prepare(bench.runtime(Task(id="t")))
    above = user.path / ".agentrelay" / "worktrees" / "g"
    made = [
        bench.state / "transfer-x",
        above / ".removed-x",
        bench.state / "repository.git/worktrees/g/default/aside-x",
    ]
    for path in made:
        (path / "deep").mkdir(parents=True)
        (path / "deep" / "file").write_text("1\n")
        (path / "deep").chmod(0o500)
    listed = [each for each in repairs.leftovers() if each.kind == "directory"]
    assert {each.name for each in listed} >= {str(path) for path in made[1:]}
    for each in listed:
        repairs.let_go(each)
    assert not any(path.exists() for path in made)
    mine = user.path / "mine"
    mine.mkdir()
    repairs.let_go(Leftover(kind="directory", name=str(mine)))
    assert mine.is_dir()


async def test_what_was_staged_and_deleted_is_kept(bench, user):
    """Content that only the agent's index names is a further parent of the rescue commit."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(staged="only here\n")
    agent("add", "staged")
    (agent.path / "staged").unlink()
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)
    assert user("show", f"refs/agentrelay/rescue/{bench.run_id}/t/0^2:staged") == "only here"


async def test_a_damaged_index_is_in_nobody_s_way(bench, user):
    """An index that git cannot read keeps nothing from being kept."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(left="1\n")
    type(user)(Path(agent("rev-parse", "--git-dir"))).write(index="DIRC rubbish")
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)
    assert user("show", f"refs/agentrelay/rescue/{bench.run_id}/t/0:left") == "1"


async def test_a_usual_life_costs_no_look_at_the_index(bench, user, monkeypatch):
    """Where an agent left its index alone, nothing is asked of git about it."""
    asked = []
    run = Git.run

    def spy(self, *arguments, **given):
        asked.append(arguments)
        return run(self, *arguments, **given)

    monkeypatch.setattr(Git, "run", spy)
    await bench.whole_life(Task(id="t"), lambda agent: agent.write(a="1\n"))
    await bench.whole_life(Task(id="u"), lambda agent: agent.write(b="1\n"))
    assert not [words for words in asked if words[:2] == ("ls-files", "-s")]
