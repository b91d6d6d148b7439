"""Making commits that are the same each time they are made from the same things."""

import os
import re
from collections.abc import Mapping

import attrs

from agentrelay_git_gh.names import IDENTITY_EMAIL, IDENTITY_NAME
from agentrelay_git_gh.trusted import Git

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<date>\d+ [+-]\d+)")
_LONGEST_TITLE = 100


@attrs.frozen(kw_only=True)
class Signature:
    """Who made a commit, and when.

    Args:
        name: The person's name.
        email: The person's address.
        date: Seconds since the epoch and the zone's offset, for example ``1700000000 +0100``.
    """

    name: str = IDENTITY_NAME
    email: str = IDENTITY_EMAIL
    date: str


@attrs.frozen(kw_only=True)
class CommitFacts:
    """What a commit says about itself.

    Args:
        author: Who wrote it.
        committer: Who committed it.
        parents: Full hashes.
    """

    author: Signature
    committer: Signature
    parents: tuple[str, ...]


def read_commit(git: Git, sha: str) -> CommitFacts:
    """Read a commit's signatures and parents."""
    header = git.text("cat-file", "commit", sha).partition("\n\n")[0]
    fields: dict[str, list[str]] = {}
    for line in header.splitlines():
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    return CommitFacts(
        author=_signature(fields["author"][0]),
        committer=_signature(fields["committer"][0]),
        parents=tuple(fields.get("parent", ())),
    )


def commit_tree(
    git: Git,
    tree: str,
    parents: tuple[str, ...],
    message: str,
    author: Signature | None = None,
    committer: Signature | None = None,
) -> str:
    """Make a commit.

    Args:
        git: Our repository.
        tree: Its tree.
        parents: Its parents, full hashes.
        message: Its message.
        author: Its author; `None` means the user, now.
        committer: Its committer; `None` means the user, now.

    Returns:
        Its full hash.
    """
    environment = {}
    for role, signature in (("AUTHOR", author), ("COMMITTER", committer)):
        if signature is not None:
            environment[f"GIT_{role}_NAME"] = signature.name
            environment[f"GIT_{role}_EMAIL"] = signature.email
            environment[f"GIT_{role}_DATE"] = f"@{signature.date}"
    options = [word for parent in parents for word in ("-p", parent)]
    return git.text("commit-tree", tree, *options, stdin=os.fsencode(message), extra=environment)


def with_trailers(subject: str, body: str, trailers: Mapping[str, object]) -> str:
    """A commit message of a subject, a body that may be empty, and trailers."""
    lines = "".join(f"{name}: {value}\n" for name, value in trailers.items())
    return "\n\n".join(part for part in (subject, body.strip(), lines) if part)


def title_of(description: str | None, task_id: str) -> str:
    """What a task's commit and pull request are called: the first line of its description, else its id."""
    lines = (description or "").split("\n")
    first = next((" ".join(line.split()) for line in lines if line.strip()), task_id)
    printable = "".join(character for character in first if character.isprintable()) or task_id
    return printable if len(printable) <= _LONGEST_TITLE else printable[: _LONGEST_TITLE - 1] + "…"


def _signature(text: str) -> Signature:
    match = _PERSON.fullmatch(text)
    if match is None:
        return Signature(date="0 +0000")
    # git takes no empty name and no control characters in one
    return Signature(name=match["name"].strip() or IDENTITY_NAME, email=match["email"], date=match["date"])
