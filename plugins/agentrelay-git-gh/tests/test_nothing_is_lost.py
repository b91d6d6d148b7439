"""No byte that an agent left becomes unreachable, on any path by which something of a run is removed.

Random worktrees: untracked, changed, deleted and staged files, unmerged commits, a bare commit checked out, binary
content, odd names, links, exec bits, line ends that git would convert. AGENTRELAY_RANDOM_WORKTREES says how many.
"""

import asyncio
import os
import random
import subprocess

import pytest
from agentrelay_git_gh.repairs.offers import GitRepairs

from agentrelay_core.journal import RunState, TaskRecord
from agentrelay_core.orchestrator.repair.carrying_out import carry_out
from agentrelay_core.orchestrator.repair.planning import plan_cancel, plan_clean, plan_reset
from agentrelay_core.orchestrator.repair.recorded import RecordedRun
from agentrelay_core.runtime import TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

COUNT = int(os.environ.get("AGENTRELAY_RANDOM_WORKTREES", "30"))
NAMES = [
    "a",
    "with space",
    'quo"te',
    "tab\there",
    "new\nline",
    "-rf",
    "ünï",
    "back\\slash",
    "x/y/z",
    "notes.txt",
    "é/ß",
]
NAMES += [
    "notes.txt",
    "é/ß",
    "README.md",
    "src/one.py",
    "src/two.py",
    os.fsdecode(b"\xff\xfe.bin"),
    "CON",
    "a.b.c",
    ".hidden",
    "%s$HOME",
]
DEEDS = ["write", "write", "write", "delete", "stage", "stage", "commit", "stage-and-go", "intend"]
ATTRIBUTES = ["", "* text=auto\n", "*.txt text eol=crlf\n", "* ident\n", "*.py -text\n*.txt filter=none\n"]


def git(path, *arguments, **given):
    """Run git as an agent would, or as a user afterwards."""
    settled = {"check": True, **given}
    done = subprocess.run(("git", *arguments), cwd=path, capture_output=True, **settled)
    return done.stdout


def content(chance):
    """Bytes of some kind."""
    kind = chance.randrange(6)
    if kind == 0:
        return b""
    if kind == 1:
        return chance.randbytes(chance.randrange(1, 5000))
    if kind == 2:
        return b"one\r\ntwo\nthree\r\n" + str(chance.random()).encode()
    if kind == 3:
        return b"$Id: something $\n" + str(chance.random()).encode()
    return "".join(chance.choices("abc \n\r\0é", k=chance.randrange(1, 200))).encode()


def write(chance, root):
    """Write a file, a link or an exec bit somewhere."""
    path = root / chance.choice(NAMES)
    if path.is_dir() and not path.is_symlink():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return
    path.unlink(missing_ok=True)
    if chance.random() < 0.15:
        path.symlink_to(chance.choice(["/nowhere", "README.md", "..", "é"]))
        return
    path.write_bytes(content(chance))
    if chance.random() < 0.2:
        path.chmod(0o755)


def files_of(root):
    """The files of a worktree, as git would list them."""
    listed = git(root, "ls-files", "-z", "-c", "-o", "--exclude-standard").split(b"\0")[:-1]
    return sorted({os.fsdecode(name) for name in listed if os.path.lexists(root / os.fsdecode(name))})


def mess(chance, root):
    """Leave a worktree as careless agents do."""
    if chance.random() < 0.4:
        (root / ".gitattributes").write_text(chance.choice(ATTRIBUTES))
    for _ in range(chance.randrange(1, 14)):
        files = files_of(root)
        match chance.choice(
            ["write", "write", "write", "delete", "stage", "stage", "commit", "stage-and-go", "intend"]
        ):
            case "write":
                write(chance, root)
            case "delete" if files:
                (root / chance.choice(files)).unlink()
            case "stage" if files:
                git(root, "add", "-A", "--", f":(literal){chance.choice(files)}")
            case "stage-and-go" if files:
                name = chance.choice(files)
                (root / name).unlink()
                (root / name).write_bytes(content(chance))
                git(root, "add", "--", f":(literal){name}")
                (root / name).unlink()
            case "intend" if files:
                git(root, "add", "-N", "--", f":(literal){chance.choice(files)}")
            case "commit":
                git(root, "-c", "core.safecrlf=false", "commit", "-q", "-a", "--allow-empty", "-m", "some")
    if chance.random() < 0.25:
        git(root, "checkout", "-q", "--detach")
        write(chance, root)
        git(root, "add", "-A")
        git(root, "commit", "-q", "--allow-empty", "-m", "on no branch")
        write(chance, root)
    if chance.random() < 0.2:
        git(root, "checkout", "-q", "-b", f"mine-{chance.randrange(1000)}")


def on_disk(root):
    """What there is: files with their raw bytes and modes, staged blobs, and the commit that is checked out."""
    files = {}
    git(root, "update-index", "--refresh", "-q", check=False)
    same = ("ls-files", "-z"), ("diff", "--name-only", "-z", "HEAD"), ("ls-files", "-z", "-m", "-o", "-d")
    tracked, differ, dirty = ({os.fsdecode(x) for x in git(root, *words).split(b"\0")} for words in same)
    unchanged = tracked - differ - dirty  # git can make these again, with whatever line ends it had given them
    for name in files_of(root):
        path = root / name
        if path.is_symlink():
            files[os.fsencode(name)] = ("120000", os.fsencode(path.readlink()))
        elif name not in unchanged:
            mode = "100755" if path.stat().st_mode & 0o100 else "100644"
            files[os.fsencode(name)] = (mode, path.read_bytes())
    index = git(root, "ls-files", "-s", "-z").split(b"\0")[:-1]
    staged = {line.split()[1].decode() for line in index}
    return files, staged, git(root, "rev-parse", "HEAD").decode().strip()


def check(user, root, before, heads):
    """Everything is where it was, or reachable from refs: files by name, mode and bytes; blobs and commits."""
    files, staged, head = before
    still = on_disk(root) if (root / ".git").exists() else ({}, set(), "")
    files = {name: fact for name, fact in files.items() if still[0].get(name) != fact}
    staged = staged - still[1]
    heads = {*heads, head} - {still[2]}
    refs = git(user.path, "for-each-ref", "--format=%(refname) %(objecttype)").decode().splitlines()
    commits = [line.split()[0] for line in refs if line.endswith(" commit")]
    reachable = {line.split()[0] for line in git(user.path, "rev-list", "--objects", *commits).decode(
        errors="replace").splitlines()}  # fmt: skip
    empty = git(user.path, "hash-object", "-t", "blob", "/dev/null").decode().strip()
    assert heads <= reachable, "a commit is lost"
    assert staged - {empty} <= reachable, "what was staged is lost"
    trees = {}
    for commit in commits:
        for line in git(user.path, "ls-tree", "-r", "-z", commit).split(b"\0")[:-1]:
            facts, name = line.split(b"\t", 1)
            trees.setdefault(name, set()).add(tuple(facts.decode().split()[::2]))
    for name, (mode, raw) in files.items():
        blob = git(user.path, "hash-object", "--no-filters", "--stdin", input=raw).decode().strip()
        assert (mode, blob) in trees.get(name, ()), f"{name!r} is lost"


def recorded(bench, runtime, repairs):
    """The run as the commands find it, without its processes."""
    status = TaskStatus.FAILED if runtime.state.status == TaskStatus.FAILED else TaskStatus.RUNNING
    record = TaskRecord(id="t", workstream_id="default", status=status, started_at=1.0)
    state = RunState(run_id=bench.run_id, graph="g", tasks={"t": record})
    return RecordedRun(
        graph="g",
        repository=bench.user.path,
        state_dir=bench.state,
        state=state,
        run_ids=frozenset({bench.run_id}),
        leftovers=tuple(repairs.leftovers()),
    )


async def tear_down(bench, runtime, repairs):
    """A failed task is torn down."""
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)


async def close(bench, runtime, repairs):
    """Its workstream is closed."""
    bench.workspace().close_workstream(WorkstreamSpec(id="default"))


async def tear_down_and_close(bench, runtime, repairs):
    """Both, as at the end of every run."""
    await tear_down(bench, runtime, repairs)
    await close(bench, runtime, repairs)


async def prepare_the_next(bench, runtime, repairs):
    """The next task gets the worktree."""
    bench.prepare(bench.runtime(Task(id="next")))


async def clean(bench, runtime, repairs):
    """`agentrelay clean`."""
    await carried(bench, plan_clean(recorded(bench, runtime, repairs)), repairs)


async def reset(bench, runtime, repairs):
    """`agentrelay reset t`."""
    await carried(bench, plan_reset(recorded(bench, runtime, repairs), ["t"]), repairs)


async def reset_all(bench, runtime, repairs):
    """`agentrelay reset --all`."""
    await carried(bench, plan_reset(recorded(bench, runtime, repairs), everything=True), repairs)


async def cancel_and_clean(bench, runtime, repairs):
    """`agentrelay cancel`, then `agentrelay clean`."""
    await carried(bench, plan_cancel(recorded(bench, runtime, repairs)), repairs)
    await clean(bench, runtime, repairs)


async def carried(bench, plan, repairs):
    """Carry a plan out twice: who was stopped halfway types the command again, and that is no problem."""
    for _ in range(2):
        done = await carry_out(plan, bench.user.path, repairs)
        assert done.problems == ()


PATHS = [tear_down, close, tear_down_and_close, prepare_the_next, clean, reset, reset_all, cancel_and_clean]


@pytest.mark.fault("D1")
@pytest.mark.fault("D3")
@pytest.mark.parametrize("seed", range(COUNT))
def test_no_byte_is_lost(bench, seed):
    """Whatever was on disk before a removal can be had from a ref of the user's repository after it."""
    chance = random.Random(seed)
    if chance.random() < 0.3:
        bench.user("config", "core.autocrlf", chance.choice(["true", "input"]))
    runtime = bench.runtime(Task(id="t"))
    root = bench.prepare(runtime).path
    mess(chance, root)
    before = on_disk(root)
    heads = git(bench.user.path, "for-each-ref", "--format=%(objectname)", "refs/heads").decode().split()
    workspace = bench.workspace()
    repairs = workspace.repairs
    assert isinstance(repairs, GitRepairs)
    asyncio.run(PATHS[seed % len(PATHS)](bench, runtime, repairs))
    check(bench.user, root, before, heads)
    assert git(bench.user.path, "fsck", "--strict", "--no-dangling", "--no-progress") == b""
