"""``agentrelay doctor`` for a repository on GitHub: what is there, what is missing, and what a run would do with it.

What a run would be refused for is an error, by the same sentences. Each call has a deadline and is made once; when
GitHub does not answer, that is one line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.orchestrator.places import common_git_directory
from agentrelay_core.runtime import Parked, Throttled
from agentrelay_core.spec import RunSettings
from agentrelay_git_gh.defaults import expected_default
from agentrelay_git_gh.forges.sharing_forge import local_problems
from agentrelay_git_gh.git.outward import OutwardGit
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import LoginRefused
from agentrelay_git_gh.github.program import OLDEST_TRIED, Program, installed, problem_of
from agentrelay_git_gh.github.repository_findings import repository_findings
from agentrelay_git_gh.github.requirements import of_machine
from agentrelay_git_gh.github.sites import Site, parse
from agentrelay_git_gh.github.telling import error, note, warning
from agentrelay_git_gh.refusing import parted
from agentrelay_git_gh.remote.addresses import Address, address_of
from agentrelay_git_gh.remote.patience import Unanswered

DEADLINE: Final = 10.0  # seconds for one call


def findings(repository: Path, settings: RunSettings) -> Iterator[Finding]:
    """What the forge ``github`` finds out about a repository.

    Args:
        repository: Its top directory.
        settings: The settings of a run, which name this forge or ``auto``.
    """
    user = Git(git_dir=common_git_directory(repository))
    address = address_of(user, OutwardGit(git_dir=None))
    site = parse(address.resolved) if address is not None else None
    program = installed()
    problems = of_machine(repository, address, program)
    if address is not None:
        yield _remote(address, site)
    if settings.forge != "github" and (address is None or site is None or problems):
        yield from _local(address, site, problems, settings)
        return
    if program is not None and problem_of(program) is None:
        yield _program(program)
    yield from map(error, problems)
    if problems or site is None:
        return
    api = GitHubApi(site, deadline=DEADLINE, tries=1)
    try:
        yield from repository_findings(api, expected_default(user), settings)
    except LoginRefused as refused:
        yield error(refused.message)
    except (Parked, Throttled) as failure:
        yield _unanswered(failure, site)


def _remote(address: Address, site: Site | None) -> Finding:
    where = f", which your git configuration turns into {address.resolved}" if address.resolved != address.url else ""
    what = f"the repository {site.full_name} of {site.host}" if site is not None else "no address of a GitHub host"
    return note(f"the remote {address.remote} is {address.url}{where}: {what}")


def _program(program: Program) -> Finding:
    if program.version and program.numbers < OLDEST_TRIED:
        oldest = ".".join(map(str, OLDEST_TRIED))
        return warning(f"gh {program.version}, {program.path}, is older than what was tried; install {oldest} or newer")
    return note(f"gh {program.version}, {program.path}")


def _local(
    address: Address | None, site: Site | None, problems: tuple[str, ...], settings: RunSettings
) -> Iterator[Finding]:
    """Why ``auto`` means pull requests without a server, and what stands against those."""
    mend = ""
    if address is None:
        why = "there is no remote called origin, nor exactly one"
    elif site is None:
        why = "the remote is not on a GitHub host"
    elif site.is_on_github:
        why, mend = parted(problems[0])
        why = why.removeprefix("forge: github needs ")
        why = f"{site} is on GitHub, but a run there needs {why}"
    else:
        why = f"gh is not there, or has no login for {site.host}"
    told = f"`forge: auto` means local pull requests here: {why}"
    yield note(told, mend)
    yield from map(error, local_problems(settings))


def _unanswered(failure: Parked | Throttled, site: Site) -> Finding:
    cause = failure.__cause__
    if isinstance(cause, Unanswered):
        return warning(
            f"{site.host} does not answer, so nothing more is known ({cause}); look at the connection, or wait"
        )
    if isinstance(failure, Throttled):
        return warning(f"{failure.message}; a run would wait as long, while agents go on")
    return warning(failure.message)
