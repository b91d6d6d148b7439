"""One by one: what an agent can plant so that git runs a program, and that ours never does, from open to close."""

import os
import stat
import subprocess
from pathlib import Path

import attrs
import pytest

from agentrelay_core.runtime import TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

FIRST, SECOND = WorkstreamSpec(id="default", merge_target_branch="release", auto_merge=True), WorkstreamSpec(id="b")


@attrs.frozen(kw_only=True)
class Plant:
    """Something planted in a user's repository.

    Args:
        row: The row of the table of faults.
        settings: Configuration; ``PROGRAM`` stands for a program that leaves a witness.
        hooks: Hooks that leave a witness.
        attributes: What `.gitattributes` and `info/attributes` say of every file.
        works: Commands in the user's checkout that make git run it.
        late: Whether it is planted after preflight, which refuses such a repository.
    """

    row: str
    settings: dict[str, str] = attrs.field(factory=dict)
    hooks: tuple[str, ...] = ()
    attributes: str = ""
    works: tuple[str, ...]
    late: bool = False


WRITE = "echo changed >> README.md"
CONFLICT = "git checkout -qb one && echo 1 > README.md && git commit -qam 1 && git checkout -qb two HEAD~ && "
CONFLICT += "echo 2 > README.md && git commit -qam 2 && git merge -q one"

PLANTS = {
    "hooks": Plant(
        row="G1",
        hooks=("post-checkout", "post-index-change", "reference-transaction", "pre-commit", "post-commit", "post-merge",
               "pre-auto-gc", "update", "pre-receive", "post-update", "post-rewrite", "prepare-commit-msg"),
        works=("git checkout -q -b mine",),
    ),
    "a hooks directory of its own": Plant(
        row="G1", settings={"core.hooksPath": "HOOKS"}, hooks=("reference-transaction",), works=("git branch mine",)
    ),
    "fsmonitor": Plant(row="G2", settings={"core.fsmonitor": "PROGRAM"}, works=("git status",)),
    "an included file": Plant(row="G2", settings={"include.path": "INCLUDED"}, works=("git status",)),
    "a worktree's configuration": Plant(
        row="G2",
        settings={"extensions.worktreeConfig": "true"},
        works=("git config --worktree core.fsmonitor PROGRAM && git status",),
    ),
    "a clean filter": Plant(
        row="G3", settings={"filter.evil.clean": "PROGRAM"}, attributes="filter=evil", works=(f"{WRITE} && git add -A",)
    ),
    "a smudge filter": Plant(
        row="G3",
        settings={"filter.evil.smudge": "PROGRAM"},
        attributes="filter=evil",
        works=("rm README.md && git checkout -- README.md",),
    ),
    "a filter process": Plant(
        row="G3",
        settings={"filter.evil.process": "PROGRAM", "filter.evil.required": "true"},
        attributes="filter=evil",
        works=(f"{WRITE} && git add -A",),
    ),
    "a merge driver": Plant(
        row="G4", settings={"merge.evil.driver": "PROGRAM %A"}, attributes="merge=evil", works=(CONFLICT,)
    ),
    "an external diff": Plant(row="G4", settings={"diff.external": "PROGRAM"}, works=(f"{WRITE} && git diff",)),
    "a diff driver": Plant(
        row="G4", settings={"diff.evil.command": "PROGRAM"}, attributes="diff=evil", works=(f"{WRITE} && git diff",)
    ),
    "textconv": Plant(
        row="G4", settings={"diff.evil.textconv": "PROGRAM"}, attributes="diff=evil", works=(f"{WRITE} && git diff",)
    ),
    "a promisor remote": Plant(
        row="G5",
        settings={
            "remote.evil.url": "ROOT",
            "remote.evil.promisor": "true",
            "remote.evil.uploadpack": "PROGRAM",
            "extensions.partialClone": "evil",
            "core.repositoryFormatVersion": "1",
        },
        works=("git cat-file -p 1234567890123456789012345678901234567890",),
        late=True,
    ),
    "insteadOf": Plant(
        row="G5",
        settings={"url.ext::PROGRAM .insteadOf": "ROOT", "protocol.ext.allow": "always"},
        works=("git ls-remote ROOT",),
    ),
    "sshCommand": Plant(row="G5", settings={"core.sshCommand": "PROGRAM"}, works=("git ls-remote ssh://localhost/x",)),
    "a credential helper": Plant(
        row="G5",
        settings={"credential.helper": "PROGRAM"},
        works=("printf 'protocol=https\\nhost=localhost\\n\\n' | git credential fill",),
    ),
    "aliases": Plant(
        row="G5",
        settings={f"alias.{name}": "!PROGRAM" for name in ("merge-tree", "update-ref", "ls-files", "evil")},
        works=("git evil",),
    ),
    "an editor": Plant(row="G5", settings={"core.editor": "PROGRAM"}, works=("git commit --allow-empty",)),
    "gpg": Plant(
        row="G5",
        settings={"gpg.program": "PROGRAM", "commit.gpgSign": "true", "tag.gpgSign": "true"},
        works=("git commit -q --allow-empty -m signed",),
    ),
    "a trailer command": Plant(
        row="G5",
        settings={"trailer.evil.cmd": "PROGRAM"},
        works=("echo | git interpret-trailers --trailer evil=1",),
    ),
    "a command for alternates": Plant(
        row="G5",
        settings={"core.alternateRefsCommand": "PROGRAM", "uploadpack.packObjectsHook": "PROGRAM"},
        works=("git clone -q --bare . ../alternate && echo ../../../alternate/objects > $COMMON/objects/info/alternates"
               " && git fetch -q ../alternate HEAD",),
    ),
}  # fmt: skip


@pytest.fixture
def witness(tmp_path):
    """The file in which a planted program would leave word."""
    (tmp_path / "plants").mkdir()
    return tmp_path / "plants" / "witness"


def planted(plant: Plant, root: Path, witness: Path):
    """Plant it; gives a function that fills in places."""

    def program(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$0 $*" >> {witness}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    evil = program(witness.parent / "evil")
    (witness.parent / "included").write_text(f"[core]\n\tfsmonitor = {evil}\n")
    places = {"PROGRAM": evil, "HOOKS": witness.parent / "hooks", "INCLUDED": witness.parent / "included", "ROOT": root}

    def filled(text: str) -> str:
        for name, path in places.items():
            text = text.replace(name, str(path))
        return text

    for hook in plant.hooks:
        folder = places["HOOKS"] if "core.hooksPath" in plant.settings else root / ".git" / "hooks"
        program(folder / hook)
    if plant.attributes:
        (root / ".git" / "info").mkdir(exist_ok=True)
        (root / ".git" / "info" / "attributes").write_text(f"* {plant.attributes}\n")
    for name, value in plant.settings.items():
        subprocess.run(("git", "config", filled(name), filled(value)), cwd=root, check=True)
    return filled


async def life(bench, workspace, attributes: str) -> None:
    """Everything that our git does for two workstreams, with committed, left and forgotten work."""
    other = bench.runtime(Task(id="other", workstream_id="b"), spec=SECOND, workspace=workspace)
    bench.prepare(other).write(README__md="other\n")
    runtime = bench.runtime(Task(id="t"), spec=FIRST, workspace=workspace)
    agent = bench.prepare(runtime)
    agent.write(README__md="changed\n", __gitattributes=f"* {attributes}\n" if attributes else "\n")
    await changed_by_the_agent(agent.path)
    agent.write(two="2\n", src___one__py="changed\n")
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    bench.merge(runtime, url)
    runtime.state.transition(TaskStatus.PR_CREATED)
    runtime.state.transition(TaskStatus.PR_MERGED)
    agent.write(three="3\n")
    await bench.teardown(runtime)
    workspace.publish(other)
    workspace.update_workstream(SECOND, [])
    later = bench.runtime(Task(id="next"), spec=FIRST, workspace=workspace)
    bench.prepare(later).write(four="4\n")
    workspace.publish(later)
    await bench.teardown(later)
    await workspace.integrate(FIRST)
    workspace.close_workstream(FIRST)
    workspace.close_workstream(SECOND)


async def changed_by_the_agent(path: Path) -> None:
    """Commit as an agent whose own git runs nothing that was planted, so that a witness is ours alone."""
    environment = {**os.environ, "GIT_WORK_TREE": str(path)}
    pointer = (path / ".git").read_text().removeprefix("gitdir: ").strip()
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false")
    quiet += ("-c", "filter.evil.clean=", "-c", "filter.evil.process=", "-c", "filter.evil.required=false")
    for command in (("add", "-A"), ("commit", "-q", "-m", "mine")):
        done = subprocess.run(  # noqa: ASYNC221  # nothing else runs in this loop
            ("git", *quiet, *command),
            cwd=path,
            env={**environment, "GIT_DIR": pointer},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.fault(plant.row)) for name, plant in PLANTS.items()]
)
async def test_what_is_planted_never_runs(bench, user, witness, name):
    """Planted before anything is opened, it runs in none of our steps; a user's own git does run it."""
    user("branch", "release")
    plant = PLANTS[name]
    workspace = bench.workspace()
    if plant.late:
        workspace.preflight()
    filled = planted(plant, user.path, witness)
    await life(bench, workspace, plant.attributes)
    assert not witness.exists(), witness.read_text()
    assert user("show", "release:two") == "2"
    assert user("show", "release:README.md") == "changed"
    environment = {**os.environ, "COMMON": str(user.path / ".git"), "GIT_ALLOW_PROTOCOL": "ext:file:ssh"}
    for command in plant.works:
        subprocess.run(  # noqa: ASYNC221  # nothing else runs in this loop
            ("sh", "-c", filled(command)), cwd=user.path, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, check=False, timeout=240,
        )  # fmt: skip
    assert witness.exists(), "the plant does not work"
