"""Nothing that an agent can plant runs, and nothing of the user's is touched."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from agentrelay_core.runtime import TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

FORBIDDEN = {"merge", "checkout", "reset", "stash", "switch", "restore", "clean", "pull", "rebase", "status", "commit"}


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def plant(repository: Path, witness: Path) -> None:
    """Plant programs that leave a witness wherever git could be made to run one."""
    program = executable(witness.parent / "evil", f'#!/bin/sh\necho "$0 $*" >> {witness}\ncat\n')
    hooks = "post-checkout post-index-change reference-transaction pre-commit post-commit post-merge pre-auto-gc"
    for hook in hooks.split():
        executable(repository / ".git" / "hooks" / hook, f"#!/bin/sh\necho {hook} >> {witness}\n")
    settings = {
        "core.fsmonitor": str(program),
        "core.hooksPath": str(repository / ".git" / "hooks"),
        "core.sshCommand": str(program),
        "core.pager": str(program),
        "core.editor": str(program),
        "core.askPass": str(program),
        "core.alternateRefsCommand": str(program),
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.process": str(program),
        "merge.evil.driver": f"{program} %A",
        "diff.external": str(program),
        "diff.evil.textconv": str(program),
        "uploadpack.packObjectsHook": str(program),
        "credential.helper": str(program),
        "gpg.program": str(program),
        "commit.gpgSign": "true",
        "remote.evil.url": str(repository),
        "remote.evil.promisor": "true",
        "remote.evil.uploadpack": str(program),
        "extensions.partialClone": "evil",
        "core.repositoryFormatVersion": "1",
        "alias.merge-tree": f"!{program}",
    }
    for name, value in settings.items():
        subprocess.run(("git", "config", name, value), cwd=repository, check=True)
    (repository / ".git" / "info" / "attributes").write_text("* filter=evil merge=evil diff=evil\n")


@pytest.mark.fault("G1", "G2", "G3", "G4", "G5")
async def test_planted_programs_never_run(bench, user, tmp_path):
    """Hooks, filters, fsmonitor, drivers and promisors planted after preparing run in no later step."""
    witness = tmp_path / "plants" / "witness"
    witness.parent.mkdir()
    other = bench.runtime(Task(id="other", workstream_id="b"))
    bench.prepare(other).write(o="1\n")
    workspace = bench.workspace()
    workspace.preflight()
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent.write(one="1\n", __gitattributes="* filter=evil merge=evil diff=evil\n")
    agent.commit("mine")
    agent.write(two="2\n")
    plant(user.path, witness)
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    bench.merge(runtime, url)
    runtime.state.transition(TaskStatus.PR_CREATED)
    runtime.state.transition(TaskStatus.PR_MERGED)
    agent.write(three="3\n")
    await bench.teardown(runtime)
    workspace.update_workstream(WorkstreamSpec(id="b"), [WorkstreamSpec(id="default")])
    again = bench.runtime(Task(id="next"), workspace=workspace)
    bench.prepare(again).write(four="4\n")
    workspace.publish(again)
    await bench.teardown(again)
    workspace.close_workstream(WorkstreamSpec(id="default"))
    assert not witness.exists(), witness.read_text()
    user("status", check=False)
    assert witness.exists()  # the plants do work


def snapshot(path: Path) -> dict[str, bytes]:
    """Every file of the user's checkout, and of git's what says where the user stands."""
    kept = {"index", "HEAD", "config", "refs/heads/main"}
    files = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name.startswith((".agentrelay/", ".workflow/")) or not file.is_file():
            continue
        if not name.startswith(".git/") or name.removeprefix(".git/") in kept:
            files[name] = file.read_bytes()
    return files


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Every git command line that is run, by a recording `git` in front on PATH."""
    log = tmp_path / "calls"
    real = subprocess.run(("sh", "-c", "command -v git"), capture_output=True, check=True, text=True).stdout.strip()
    executable(
        tmp_path / "bin" / "git",
        f'#!/bin/sh\nprintf "%s\\t" "$GIT_DIR" "$@" >> {log}\necho >> {log}\nexec {real} "$@"\n',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return lambda: [line.split("\t")[:-1] for line in log.read_text().splitlines()]


def command(words: list[str]) -> str:
    """The git command in a recorded line."""
    rest = iter(words[1:])
    for word in rest:
        if word == "-c":
            next(rest)
        elif not word.startswith("-"):
            return word
    return ""


async def test_the_users_checkout_is_never_touched(bench, user, recorded):
    """No merge, checkout, reset or stash runs in the user's repository; its files and index stay byte for byte."""
    user.write(README__md="changed, not staged\n", src___one__py="staged\n", untracked="u\n")
    user("add", "src/one.py")
    before = snapshot(user.path)
    mine = len(recorded())
    await bench.whole_life(Task(id="one"), lambda agent: agent.write(a="1\n"))
    await bench.whole_life(Task(id="two"), lambda agent: agent.write(b="1\n"))
    workspace = bench.workspace()
    await workspace.integrate(WorkstreamSpec(id="default"))
    workspace.close_workstream(WorkstreamSpec(id="default"))
    seen = recorded()[mine:]
    assert len(seen) > 20
    assert {command(words) for words in seen}.isdisjoint(FORBIDDEN)
    ours = str(bench.state)
    in_users = {command(words) for words in seen if not words[0].startswith(ours)}
    assert "add" not in in_users
    assert not any(word in ("--force", "-f", "-D") for words in seen for word in words)
    assert snapshot(user.path) == before


async def test_git_processes_of_a_task(bench, recorded):
    """A task's life costs at most 11 git processes besides the checkout, its merge one of them."""
    await bench.whole_life(Task(id="first"), lambda agent: agent.write(a="1\n"))
    runtime = bench.runtime(Task(id="t"))
    workspace = bench.workspace()
    workspace.preflight()
    start = len(recorded())
    agent = bench.prepare(runtime)
    counts = {"prepare": len(recorded()) - start}

    def count(name: str) -> None:
        counts[name] = len(recorded()) - start - sum(counts.values())

    agent.write(b="1\n")
    url = workspace.publish(runtime)
    count("publish")
    workspace.verify(runtime, url)
    count("verify")
    bench.merge(runtime, url)
    count("merge")
    runtime.state.transition(TaskStatus.PR_CREATED)
    runtime.state.transition(TaskStatus.PR_MERGED)
    await bench.teardown(runtime)
    count("teardown")
    assert counts["merge"] <= 1, counts
    assert sum(counts.values()) - 1 <= 11, counts
