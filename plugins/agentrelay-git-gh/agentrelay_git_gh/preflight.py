"""What a user's repository must be like, said before anything is touched."""

import os
import re
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import UserError
from agentrelay_git_gh.git.trusted import Git, GitFailed

OLDEST_GIT: Final = (2, 38)  # the first with merge-tree --write-tree

_LFS = re.compile(rb"\bfilter=lfs\b")


def check_repository(path: Path, helper_fds: tuple[int, ...] = ()) -> str:
    """Refuse what cannot be worked with.

    Args:
        path: A directory in the user's checkout.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.

    Returns:
        The repository's object format, ``sha1`` or ``sha256``.

    Raises:
        UserError: What is wrong, and what to do.
    """
    git = Git(git_dir=None, helper_fds=helper_fds)
    version = git.text(
        "version",
    ).removeprefix("git version ")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        raise UserError(f"git {version} is too old; install git {oldest} or newer")
    try:
        questions = ("--is-bare-repository", "--is-shallow-repository", "--show-object-format", "--git-common-dir")
        answers = os.fsdecode(git.run("rev-parse", *questions, cwd=path).stdout).splitlines()
    except GitFailed as failure:
        raise UserError(f"{path} is no usable git repository: {failure.message}") from failure
    bare, shallow, object_format, common = answers[:4]
    if bare == "true":
        raise UserError(f"{path} is a bare repository; agentrelay works in a checkout: clone it and run there")
    if shallow == "true":
        raise UserError(
            f"{path} is a shallow clone, without the history that merging needs; run `git fetch --unshallow`"
        )
    directory = (path / common).resolve()
    if (directory / "reftable").is_dir():
        raise UserError(f"{path} keeps its refs in a reftable; convert it: git refs migrate --ref-format=files")
    _refuse_partial(Git(git_dir=directory, helper_fds=helper_fds), path)
    return object_format


def check_tree(ours: Git, commit: str) -> None:
    """Refuse a commit whose files cannot be checked out and merged whole.

    Args:
        ours: Our repository, which has the commit.
        commit: Full hash.

    Raises:
        UserError: It holds submodules or files kept by Git LFS.
    """
    listed = ours.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0")
    attributes = []
    for line in listed:
        facts, _, name = line.partition(b"\t")
        if facts.startswith(b"160000 "):
            raise UserError(f"{os.fsdecode(name)} is a submodule; repositories with submodules are not supported")
        if name == b".gitattributes" or name.endswith(b"/.gitattributes"):
            attributes.append((facts.split(b" ")[2].decode(), os.fsdecode(name)))
    for blob, path in attributes:
        if _LFS.search(ours.run("cat-file", "blob", blob).stdout):
            raise UserError(f"{path} names files kept by Git LFS; repositories that use it are not supported")


def _refuse_partial(user: Git, path: Path) -> None:
    pattern = r"^(extensions\.partialclone|remote\..*\.promisor)$"
    if user.run("config", "--get-regexp", pattern, accept=(0, 1)).returncode == 0:
        raise UserError(f"{path} is a partial clone, whose missing objects cannot be fetched here; clone it whole")
