"""What a run on GitHub needs, of the machine and of the repository there: a sentence for each thing that is missing.

A run is refused by these, and ``agentrelay doctor`` shows them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agentrelay_git_gh.github.failures import allow
from agentrelay_git_gh.github.login import may_write
from agentrelay_git_gh.github.program import Program, installed, problem_of
from agentrelay_git_gh.github.sites import Site, has_login, parse
from agentrelay_git_gh.remote.addresses import Address

METHODS: Final = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}


def of_machine(root: Path, address: Address | None, program: Program | None) -> tuple[str, ...]:
    """What is missing here: a remote on GitHub, `gh`, a login. It asks no server.

    Args:
        root: The user's repository, for messages.
        address: Its remote.
        program: The `gh` that is there.
    """
    site = parse(address.resolved) if address is not None else None
    problems = []
    if address is None:
        problems.append(
            f"forge: github needs a remote, and {root} has none called origin nor exactly one; type "
            "`git remote add origin https://github.com/OWNER/NAME.git`"
        )
    elif site is None:
        problems.append(
            f"forge: github needs a repository on GitHub, and the remote of {root} is {address.url}; change it "
            f"(`git remote set-url {address.remote} https://github.com/OWNER/NAME.git`), or say `forge: local`"
        )
    problem = problem_of(program)
    if problem is not None:
        problems.append(problem)
    elif site is not None and not has_login(site.host):
        problems.append(
            f"forge: github needs a login of gh for {site.host}, and there is none; type "
            f"`gh auth login --hostname {site.host}`"
        )
    return tuple(problems)


def of_place(root: Path, address: Address | None) -> tuple[str, ...]:
    """`of_machine` with the `gh` on PATH."""
    return of_machine(root, address, installed())


def of_scopes(site: Site, scopes: tuple[str, ...] | None, *, private: bool) -> tuple[str, ...]:
    """What the login's token lacks, as far as GitHub tells.

    Args:
        site: The repository.
        scopes: The token's scopes; `None` where they are not told.
        private: Whether the repository is.
    """
    if may_write(scopes, private=private):
        return ()
    told = ", ".join(scopes or ()) or "none"
    return (f"the token for {site.host} may not write: its scopes are {told}, and it needs repo; {allow(site.host)}",)


def of_repository(site: Site, fields: Mapping[str, Any], method: str) -> tuple[str, ...]:
    """What is missing in the repository on GitHub: its name, the right to push, the merge method.

    Args:
        site: The repository.
        fields: What GitHub says of it.
        method: How the graph wants pull requests to be merged.
    """
    problems = []
    full_name = str(fields.get("full_name") or site.full_name)
    if not site.has(full_name):
        problems.append(f"{site} is called {full_name} now; name it so in the remote's URL (`git remote set-url`)")
    if fields.get("archived"):
        problems.append(f"{site} is archived, so nothing in it can be changed; unarchive it in its settings")
    elif (fields.get("permissions") or {}).get("push") is False:
        problems.append(
            f"the login for {site.host} may not push to {site}; ask for the right to, or use another login: "
            f"`gh auth login --hostname {site.host}`"
        )
    allowed = allowed_methods(fields)
    if method not in allowed:
        problems.append(
            f"merge_method: {method} is not allowed in {site}, which allows {' and '.join(allowed) or 'none'}; "
            f"say `merge_method: {allowed[0] if allowed else 'merge'}`, or allow it in the repository's settings"
        )
    return tuple(problems)


def allowed_methods(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The merge methods that a repository allows; all of them where GitHub does not tell."""
    return tuple(method for method, field in METHODS.items() if fields.get(field) is not False)
