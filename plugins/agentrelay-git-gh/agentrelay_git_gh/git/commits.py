"""Making commits that are the same each time they are made from the same things.

A usual commit is written here as git's ``commit-tree`` would write it. Where that would change what it is given, for
example a name with odd characters at its ends, it is asked.
"""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.git import loose
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.names import IDENTITY_EMAIL, IDENTITY_NAME

IDENTITY_FILE: Final = "agentrelay.identity"  # in our repository: the user's name and address, a line each

_USUAL_WORD = re.compile(r"[^\x00-\x20.,:;<>\"\\'](?:[^\x00-\x1f<>]*[^\x00-\x20.,:;<>\"\\'])?")
_USUAL_DATE = re.compile(r"(?:0|[1-9]\d{0,9}) (?:\+|-(?!0000))(?:0\d|1[0-4])[0-5]\d")
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
        tree: Its tree, full hash.
    """

    author: Signature
    committer: Signature
    tree: str


def read_commit(git: Git, sha: str) -> CommitFacts:
    """Read a commit's signatures and its tree."""
    found = loose.read(_objects(git), sha)
    text = os.fsdecode(found.content) if found is not None else git.text("cat-file", "commit", sha)
    header = text.partition("\n\n")[0]
    fields: dict[str, list[str]] = {}
    for line in header.splitlines():
        name, _, value = line.partition(" ")
        fields.setdefault(name, []).append(value)
    return CommitFacts(
        author=_signature(fields["author"][0]),
        committer=_signature(fields["committer"][0]),
        tree=fields["tree"][0],
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
    people = [signature or _user_now(git) for signature in (author, committer)]
    if "\0" not in message and all(person is not None and _is_usual(person) for person in people):
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [
            f"{role} {person.name} <{person.email}> {person.date}"
            for role, person in zip(("author", "committer"), people, strict=True)
            if person is not None
        ]
        content = os.fsencode("\n".join((*lines, "", message)))
        return loose.write(_objects(git), "commit", content, loose.algorithm_of(tree))
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


def _objects(git: Git) -> Path:
    assert git.git_dir is not None
    return git.git_dir / "objects"


def _is_usual(person: Signature) -> bool:
    """Whether git writes a signature as it is."""
    return all(_USUAL_WORD.fullmatch(word) for word in (person.name, person.email)) and (
        _USUAL_DATE.fullmatch(person.date) is not None
    )


def _user_now(git: Git) -> Signature | None:
    """The user's signature; `None` where git has to work it out."""
    assert git.git_dir is not None
    try:
        name, email = (git.git_dir / IDENTITY_FILE).read_text(errors="surrogateescape").splitlines()
    except (OSError, ValueError):
        return None
    return Signature(name=name, email=email, date=f"{int(time.time())} {time.strftime('%z')}")
