"""Which forge a graph's pull requests live on, and at which address: found out once, and noted where no agent writes.

An agent can change the remotes of the user's repository, and a login can expire. Neither moves a graph that is under
way to another place.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.hooks import ForgeProvider
from agentrelay_core.runtime import Internal, UserError
from agentrelay_git_gh.git.outward import OutwardGit
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.setup import replace_text
from agentrelay_git_gh.refusing import refuse
from agentrelay_git_gh.remote.addresses import address_of

SCHEMA: Final = 1

_LOG = logging.getLogger(__name__)
_NOTE: Final = "forge.json"


@attrs.frozen(kw_only=True)
class Choice:
    """Where a graph's pull requests live.

    Args:
        asked: What the settings said when it was chosen.
        forge: The forge's name.
        url: The remote's address as git is given it, without credentials; `None` for a forge without one.
        resolved: The same after the abbreviations of the user's own configuration.
    """

    asked: str
    forge: str
    url: str | None = None
    resolved: str | None = None


LOCAL: Final = Choice(asked="local", forge="local")


def chosen(repository: Repository, asked: str, forges: Sequence[ForgeProvider]) -> Choice:
    """Find the forge that a graph uses; the first time, choose it.

    Args:
        repository: Both repositories; ours is there.
        asked: What the settings say: ``auto`` or a forge's name.
        forges: What is installed.

    Raises:
        UserError: The forge that is named is not there, or cannot work with this repository.
    """
    if asked == "local":
        return LOCAL
    path = repository.our_directory / _NOTE
    noted = _read(path)
    if noted is not None and noted.asked == asked:
        return noted
    choice = _choose(repository, asked, forges)
    replace_text(path, json.dumps({"schema": SCHEMA} | attrs.asdict(choice), indent=2) + "\n")
    return choice


def _choose(repository: Repository, asked: str, forges: Sequence[ForgeProvider]) -> Choice:
    provider = next((forge for forge in forges if forge.name == asked), None)
    if asked != "auto" and provider is None:
        known = ", ".join(sorted({"auto", "local", *(forge.name for forge in forges)}))
        raise UserError(f"forge: {asked} is not available in this version; what there is: {known}")
    outward = OutwardGit(git_dir=repository.our_directory, helper_fds=repository.helper_fds)
    address = address_of(repository.user, outward)
    resolved = address.resolved if address is not None else None
    choice = Choice(asked=asked, forge=asked, url=address.url if address is not None else None, resolved=resolved)
    if asked == "auto":
        recognised = [forge.name for forge in forges if resolved is not None and forge.recognises(resolved)]
        if not recognised and resolved is not None:
            _tell_of_missing_login(resolved)
        return attrs.evolve(choice, forge=recognised[0]) if recognised else Choice(asked=asked, forge="local")
    if asked == "github":
        from agentrelay_git_gh.github.requirements import of_place  # for GitHub alone

        refuse(of_place(repository.root, address))
    return choice


def _tell_of_missing_login(resolved: str) -> None:
    from agentrelay_git_gh.github.sites import parse

    site = parse(resolved)
    if site is not None and site.is_on_github:
        _LOG.warning(
            "%s is on GitHub, and gh has no login there, so this graph's pull requests are local ones; for the other "
            "kind type `gh auth login --hostname %s` and say `forge: github`",
            site,
            site.host,
        )


def _read(path: Path) -> Choice | None:
    if not path.is_file():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    if fields.pop("schema") != SCHEMA:
        raise Internal("the choice of a forge was written by a newer agentrelay; install that version")
    return Choice(**fields)
