"""Finding rescued work again, and giving it back: as a new branch, or byte for byte as files.

Files are written by a throw-away repository that borrows the user's objects and has no configuration of theirs, so that
no filter runs and no line end is converted: what was kept is what comes back.
"""

import re
import tempfile
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import UserError
from agentrelay_core.task_runner.repairs import Rescued
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git, GitFailed
from agentrelay_git_gh.names import RESCUED, head_ref

_FORM: Final = "--format=%(objecttype) %(objectname) %(committerdate:unix) %(refname)"
_NO_CONVERSION: Final = "* -text -ident -filter -eol -working-tree-encoding\n"
_NUMBER: Final = re.compile(r"\d+")


def rescued_work(repository: Repository) -> list[Rescued]:
    """All rescue refs of the user's repository, the oldest first; what an agent made of the name is no surprise.

    Args:
        repository: Both repositories; ours need not be there.
    """
    found = []
    for line in repository.user.text("for-each-ref", "--sort=committerdate", _FORM, RESCUED).splitlines():
        kind, sha, date, ref = line.split(" ", 3)
        if kind != "commit":
            continue
        parts = ref.removeprefix(f"{RESCUED}/").split("/")
        whole = len(parts) == 3 and _NUMBER.fullmatch(parts[2]) is not None
        files, size = _differences(repository.user, sha)
        found.append(
            Rescued(
                ref=ref,
                commit=sha,
                run_id=parts[0] if whole else "",
                name=parts[1] if whole else parts[-1][:12],
                attempt_num=int(parts[2]) if whole else 0,
                saved_at=float(date),
                files=files,
                size=size,
            )
        )
    return found


def restore_branch(repository: Repository, rescued: Rescued, branch: str) -> None:
    """Make a new branch at rescued work; nothing that exists is moved.

    Args:
        repository: Both repositories.
        rescued: The work.
        branch: The name of the branch.

    Raises:
        UserError: There is such a branch, or it cannot be called so.
    """
    if not repository.user.says("check-ref-format", head_ref(branch)) or branch.startswith("-"):
        raise UserError(f"a branch cannot be called {branch!r}; give another name with `--branch NAME`")
    try:
        repository.move(head_ref(branch), rescued.commit, None)
    except RefMoved:
        raise UserError(f"the branch {branch} is there already; give another name with `--branch NAME`") from None
    except GitFailed as failure:
        said = failure.captured.stderr.decode(errors="replace").strip()
        raise UserError(f"the branch {branch} cannot be made: {said}; choose another with `--branch NAME`") from failure


def restore_files(repository: Repository, rescued: Rescued, directory: Path) -> int:
    """Write the files of rescued work into a directory.

    Args:
        repository: Both repositories.
        rescued: The work.
        directory: Made if it is not there; otherwise it must be empty.

    Returns:
        How many files there are.

    Raises:
        UserError: The directory holds something, or cannot be written.
    """
    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UserError(f"{directory} is not empty; name a new directory with `--to DIRECTORY`")
    except OSError as error:
        raise UserError(f"{directory} cannot be written: {error.strerror}; name another with `--to`") from error
    with tempfile.TemporaryDirectory(prefix="agentrelay-restore-") as aside:
        bare = Path(aside) / "repository.git"
        # hash format and objects are the user's; nothing else is
        form = repository.user.text("rev-parse", "--show-object-format")
        Git(git_dir=None).run(
            "init", "--bare", "--quiet", "--template=", f"--object-format={form}", str(bare), cwd=Path(aside)
        )
        (bare / "info").mkdir(exist_ok=True)
        (bare / "info" / "attributes").write_text(_NO_CONVERSION)
        git = Git(git_dir=bare, work_tree=directory, index=Path(aside) / "index", borrow=repository.common / "objects")
        git.run("read-tree", rescued.commit, deadline=TRANSFER_DEADLINE)
        git.run("checkout-index", "--all", "--quiet", deadline=TRANSFER_DEADLINE)
        return attrs.evolve(git, work_tree=None).run("ls-files", "-z").stdout.count(b"\0")


def _differences(git: Git, commit: str) -> tuple[int, int]:
    """How many files of a commit differ from its first parent, and how many bytes those that are there have."""
    parents = git.text("rev-list", "--parents", "--max-count=1", commit).split()[1:]
    if not parents:
        parents = [git.text("hash-object", "-t", "tree", "/dev/null")]
    raw = git.run("diff-tree", "-r", "-z", "--no-renames", parents[0], commit, deadline=TRANSFER_DEADLINE).stdout
    facts = [item.split() for item in raw.split(b"\0") if item.startswith(b":")]
    blobs = [fact[3] for fact in facts if fact[1] != b"000000" and fact[1] != b"160000"]
    asked = b"".join(blob + b"\n" for blob in blobs)
    sizes = git.run("cat-file", "--batch-check=%(objectsize)", stdin=asked).stdout.split() if blobs else []
    return len(facts), sum(int(size) for size in sizes if size.isdigit())
