"""Rows of the table of faults that have no better place: a moved target, crafted objects, links, a full disk."""

import os
import subprocess
from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.forges.local_merger import LocalTaskMerger
from agentrelay_git_gh.git import merging
from agentrelay_git_gh.git.merging import MergeMessage, merge_commit
from agentrelay_git_gh.git.transfer import take_over

from agentrelay_core.runtime import AgentFailure, Parked, TaskStatus, Transient
from agentrelay_core.spec import Task

TASK = Task(id="t")


def moving(monkeypatch, user, times: int) -> list[str]:
    """Let somebody move the integration branch each time that a merge is about to."""
    moved: list[str] = []
    send = merging.send

    def sending(*arguments, **more) -> None:
        send(*arguments, **more)
        if len(moved) < times:
            tip = user("rev-parse", "agentrelay/g@default")
            tree = user("rev-parse", f"{tip}^{{tree}}")
            moved.append(user("commit-tree", tree, "-p", tip, "-m", f"pushed {len(moved)}"))
            user("update-ref", "refs/heads/agentrelay/g@default", moved[-1])

    monkeypatch.setattr(merging, "send", sending)
    return moved


@pytest.mark.fault("G8")
async def test_a_target_that_moves_is_merged_into_all_the_same(bench, user, monkeypatch):
    """Somebody who moves the integration branch in between loses nothing, and neither do we."""
    moved = moving(monkeypatch, user, 2)
    await bench.whole_life(TASK, lambda agent: agent.write(a="1\n"))
    history = user("rev-list", "agentrelay/g@default").split()
    assert len(moved) == 2
    assert set(moved) < set(history)
    assert user("show", "agentrelay/g@default:a") == "1"
    assert user("log", "--merges", "--format=%s", "agentrelay/g@default") == "t: t"


@pytest.mark.fault("G8")
async def test_a_target_that_keeps_moving_is_given_up(bench, user, monkeypatch):
    """After five tries the merge is left for later, and the target is as somebody else left it."""
    moved = moving(monkeypatch, user, 100)
    with pytest.raises(Transient, match="moved by others 5 times"):
        await bench.whole_life(TASK, lambda agent: agent.write(a="1\n"))
    assert len(moved) == 5
    assert user("rev-parse", "agentrelay/g@default") == moved[-1]


@pytest.mark.fault("G4", "G9")
def test_an_agents_merge_settings_have_no_say(bench, user):
    """A real merge, of two sides that changed different files, has the same hash whatever is configured."""
    base = user("rev-parse", "main")
    workspace = bench.workspace()
    repository = workspace._ready()
    user("checkout", "-q", "-b", "side")
    user.write(src___one__py="other\n")
    side = user.commit("side")
    user("checkout", "-q", "-b", "target", base)
    user.write(src___two__py="other\n")
    target = user.commit("target")
    user("checkout", "-q", "main")
    take_over(repository, side, target)
    merged = merge_commit(repository, "target", side, MergeMessage(subject="both"), base=base)
    for name, value in (
        ("merge.directoryRenames", "false"),
        ("merge.renames", "false"),
        ("merge.conflictStyle", "diff3"),
    ):
        user("config", name, value)
    user("update-ref", "refs/heads/target", target)
    assert merge_commit(repository, "target", side, MergeMessage(subject="both"), base=base) == merged
    assert user("show", "target:src/one.py") + user("show", "target:src/two.py") == "otherother"


def crafted(user, *entries: tuple[str, str, str, str], base: str) -> str:
    """A commit whose tree holds entries that git itself would not make: mode, type, content or hash, and name."""
    raw = b""
    for mode, kind, content, name in entries:
        sha = content
        if kind != "commit":
            made = ("git", "hash-object", "-w", "-t", kind, "--stdin", "--literally")
            sha = subprocess.run(
                made, cwd=user.path, input=content.encode(), capture_output=True, check=True
            ).stdout.decode()
        raw += f"{mode} {name}".encode() + b"\0" + bytes.fromhex(sha.strip())
    made = ("git", "hash-object", "-w", "-t", "tree", "--stdin", "--literally")
    tree = subprocess.run(made, cwd=user.path, input=raw, capture_output=True, check=True).stdout.decode().strip()
    return user("commit-tree", tree, "-p", base, "-m", "crafted")


CRAFTED = {
    "a .git": ("100644", "blob", "gitdir: /elsewhere\n", ".git"),
    "a .GIT": ("100644", "blob", "gitdir: /elsewhere\n", ".GIT"),
    "a git~1": ("100644", "blob", "gitdir: /elsewhere\n", "git~1"),
    "a parent": ("100644", "blob", "out\n", ".."),
    "a dot": ("100644", "blob", "out\n", "."),
    "a path": ("100644", "blob", "out\n", "../out"),
    "a mode": ("0100644", "blob", "padded\n", "padded"),
    "a link as .gitmodules": ("120000", "blob", "/etc/passwd", ".gitmodules"),
    "an option in .gitmodules": ("100644", "blob", '[submodule "x"]\n\tpath = x\n\turl = -u./evil\n', ".gitmodules"),
    "a module's name": ("100644", "blob", '[submodule "../../x"]\n\tpath = x\n\turl = x\n', ".gitmodules"),
    "a submodule": ("160000", "commit", "1" * 40, "inner"),
}  # fmt: skip


@pytest.mark.fault("G6")
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_trees_are_refused(bench, user, name):
    """What git finds fault with never gets into our repository's branches, and the task fails with the reason."""
    runtime = bench.runtime(TASK)
    agent = bench.prepare(runtime)
    base = agent("rev-parse", "HEAD")
    commit = crafted(user, CRAFTED[name], base=base)
    user("update-ref", "refs/heads/agentrelay/g/t", commit)
    with pytest.raises(AgentFailure):
        bench.workspace().publish(runtime)
    assert not (bench.state / "repository.git" / "refs" / "heads" / "agentrelay" / "g" / "t").exists()
    assert user("for-each-ref", "refs/agentrelay/pr") == ""


@pytest.mark.fault("G6")
def test_a_link_out_of_the_worktree_is_not_followed(bench, user, tmp_path):
    """A directory that became a link leads nowhere: what is outside stays, and the next task has its files."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one.py").write_text("outside\n")
    agent = bench.prepare(bench.runtime(TASK))
    subprocess.run(("rm", "-r", str(agent.path / "src")), check=True)
    (agent.path / "src").symlink_to(outside)
    bench.prepare(bench.runtime(Task(id="next")))
    assert (outside / "one.py").read_text() == "outside\n"
    assert sorted(path.name for path in outside.iterdir()) == ["one.py"]
    assert not (agent.path / "src").is_symlink()
    assert (agent.path / "src" / "one.py").read_text() == "1\n"


@pytest.mark.fault("G6")
def test_names_that_differ_in_case_are_merged_as_they_are(bench, user):
    """Two files whose names differ in case alone both arrive, where the file system knows them apart."""
    runtime = bench.runtime(TASK)
    agent = bench.prepare(runtime)
    agent.write(name="small\n", NAME="large\n")
    if (agent.path / "name").read_text() == "large\n":
        pytest.skip("the file system does not tell case apart")
    workspace = bench.workspace()
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    bench.merge(runtime, url)
    assert user("show", "agentrelay/g@default:name") + user("show", "agentrelay/g@default:NAME") == "smalllarge"


@pytest.mark.fault("G5")
def test_a_damaged_object_does_not_arrive(bench, user):
    """An object of the agent's that does not hold what it is called after is refused, and named by git."""
    runtime = bench.runtime(TASK)
    agent = bench.prepare(runtime)
    agent.write(a="content that is damaged\n")
    agent.commit("mine")
    blob, other = agent("rev-parse", "HEAD:a"), agent("rev-parse", "HEAD:README.md")
    objects = user.path / ".git" / "objects"
    target = objects / blob[:2] / blob[2:]
    target.chmod(0o600)
    target.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    with pytest.raises(AgentFailure, match="cannot be taken over"):
        bench.workspace().publish(runtime)


@pytest.mark.fault("G5")
def test_borrowed_objects_are_copied(bench, user, tmp_path):
    """Work that an agent keeps in another repository, by alternates, is copied: that one may go afterwards."""
    runtime = bench.runtime(TASK)
    agent = bench.prepare(runtime)
    subprocess.run(("git", "clone", "-q", "--bare", str(user.path), str(tmp_path / "alternate")), check=True)
    alternate = tmp_path / "alternate" / "objects"
    (user.path / ".git" / "objects" / "info" / "alternates").write_text(f"{alternate}\n")
    environment = {**os.environ, "GIT_OBJECT_DIRECTORY": str(alternate)}
    agent.write(a="1\n")
    for command in (("add", "-A"), ("commit", "-q", "-m", "elsewhere")):
        subprocess.run(("git", *command), cwd=agent.path, env=environment, check=True)
    workspace = bench.workspace()
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    alternate.parent.rename(tmp_path / "gone")
    ours = attrs.evolve(agent, path=bench.state / "repository.git")
    assert ours("show", f"{workspace.verify(runtime, url).head}:a") == "1"
    assert "missing" not in ours("fsck", "--connectivity-only", "--no-dangling")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one mebibyte, where we may mount one."""
    place = tmp_path / "small"
    place.mkdir(mode=0o700)
    if subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)), capture_output=True, check=False
    ).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(("umount", "-l", str(place)), check=True)


def fill(place: Path) -> Path:
    """Leave no room on a disk; the file that takes it."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError:
            return ballast


@pytest.mark.fault("P6")
async def test_a_full_disk_parks_every_step(bench, user, small_disk):
    """Without room each step is parked and says so, nothing half-made is taken for whole, and with room it goes on."""
    bench.state = small_disk
    runtime = bench.runtime(TASK)
    workspace = bench.workspace()
    workspace.preflight()

    def refused(action) -> None:
        ballast = fill(small_disk)
        with pytest.raises(Parked, match="`agentrelay run`"):
            action()
        ballast.unlink()

    refused(lambda: bench.prepare(runtime))
    assert not list((user.path / ".workflow").rglob("manifest.json"))
    runtime.resumed = True
    agent = bench.prepare(runtime)
    agent.write(a="1\n" * 4096)
    refused(lambda: workspace.publish(runtime))
    url = workspace.publish(runtime)
    refused(lambda: workspace.verify(runtime, url))
    workspace.verify(runtime, url)
    merger = LocalTaskMerger(user.path, "g", run_id=bench.run_id, state_dir=bench.state)
    refused(lambda: merger.merge_pr(runtime, url))
    merger.merge_pr(runtime, url)
    runtime.state.transition(TaskStatus.PR_CREATED)
    runtime.state.transition(TaskStatus.PR_MERGED)
    await bench.teardown(runtime)
    assert user("log", "--merges", "--format=%s", "agentrelay/g@default") == "t: t"
    assert user("show", "agentrelay/g@default:a").startswith("1")
