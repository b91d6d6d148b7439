"""Where a repository's remote is, as the user's own configuration means it. It asks nobody."""

import os
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.git.outward import OutwardGit, without_credentials
from agentrelay_git_gh.git.trusted import Git

USUAL: Final = "origin"


@attrs.frozen(kw_only=True)
class Address:
    """A remote of the user's repository.

    Args:
        remote: What it is called.
        url: Its address as the repository gives it, without credentials.
        resolved: The same after the abbreviations (`url.….insteadOf`) of the user's own configuration.
    """

    remote: str
    url: str
    resolved: str


def address_of(user: Git, outward: OutwardGit) -> Address | None:
    """The address of ``origin``, else of the only remote; `None` where there is neither.

    Args:
        user: git on the user's repository.
        outward: git with the user's configuration, and not by what the repository says.
    """
    answer = user.run("config", "-z", "--get-regexp", r"^remote\..*\.url$", accept=(0, 1))
    urls: dict[str, str] = {}
    for item in os.fsdecode(answer.stdout).split("\0"):
        name, _, url = item.partition("\n")
        if url:
            urls.setdefault(name.removeprefix("remote.").removesuffix(".url"), url)
    remote = USUAL if USUAL in urls else next(iter(urls)) if len(urls) == 1 else None
    if remote is None:
        return None
    url = without_credentials(urls[remote])
    answer = outward.run("ls-remote", "--get-url", "--", url, cwd=outward.git_dir or Path("/"))
    return Address(remote=remote, url=url, resolved=without_credentials(os.fsdecode(answer.stdout).rstrip("\n")))
