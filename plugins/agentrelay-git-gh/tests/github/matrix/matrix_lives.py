"""A user's repository, its namesake on the emulated GitHub, one task in it, and what is different from life to life."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs
from agentrelay_git_gh.names import verified_ref
from pytest_agentrelay.github import EmulatedGitHub, Fault, HostedRepository, PullRequest, Script

RUN, GRAPH, TASK = "20261123T090000Z-beef", "g", "one"
BRANCH, LANE = "agentrelay/g/one", "agentrelay/g@default"
SLUG = "acme/widget"


@attrs.define(kw_only=True)
class Plan:
    """What is different from one life to another.

    Args:
        method: How it is merged.
        checks: What the lane's pull requests must pass, as a graph says it.
        required: What they must pass, whoever says it.
        integrates: Whether the lane is merged into ``main`` afterwards.
        url: What the agent says is its pull request; `None` leaves the opening to us.
        pushes: Whether the agent pushes its branch itself.
        deletes: Whether GitHub deletes the source of what it has merged.
        patience: Seconds that a merge is waited for.
        answer_within: Seconds for one call of gh.
        later: What the agent does after it has given its signal.
        failpoints: Where the first session is killed.
    """

    method: str = "merge"
    checks: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    integrates: bool = False
    url: str | None = None
    pushes: bool = False
    patience: float = 120.0
    deletes: bool = False
    answer_within: float = 30.0
    later: Callable[[Path], None] | None = None
    failpoints: str = ""


@attrs.frozen
class Ended:
    """How a session ended.

    Args:
        kind: ``done``, ``killed``, ``hung``, ``broken``, or the failure's class.
        message: What it said.
    """

    kind: str
    message: str = ""


@attrs.define(kw_only=True)
class Life:
    """A user's repository, its namesake on the emulated GitHub, and one task in it.

    Args:
        root: A directory of its own.
        github: The emulated GitHub.
        hosted: The repository there.
        plan: What is different in this life.
        pid: The process of the session.
        mend: What happens between its sessions, where the scenario leaves that to the life.
        ends: How its sessions ended.
        faults: What was scripted to go wrong.
        deleted: Where branches stood that somebody has deleted.
        checks: Conclusions by commit and name, as they were set.
        at_merge: The same at each moment at which GitHub was asked to merge.
        shown: Targets by number, as they were at the last look at pull requests.
        believed: The same when GitHub was last asked to merge.
    """

    root: Path
    github: EmulatedGitHub
    hosted: HostedRepository
    plan: Plan = attrs.Factory(Plan)
    pid: int = 0
    mend: Callable[[], None] | None = None
    ends: list[Ended] = attrs.Factory(list)
    faults: list[Script] = attrs.Factory(list)
    deleted: dict[str, str] = attrs.Factory(dict)
    checks: dict[tuple[str, str], str] = attrs.Factory(dict)
    at_merge: list[dict[tuple[str, str], str]] = attrs.Factory(list)
    shown: dict[int, str] = attrs.Factory(dict)
    believed: dict[int, str] = attrs.Factory(dict)

    @property
    def user(self) -> Path:
        """The user's repository."""
        return self.root / "repository"

    def git(self, *arguments: str) -> str:
        """Run git in the user's repository; empty where it fails."""
        return git_at(self.user, *arguments, check=False)

    def script(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.faults.append(self.github.script(fault))

    def look(self) -> None:
        """Note what a look at pull requests shows of their targets."""
        self.shown = {pull.number: pull.base for pull in self.hosted.pulls}

    def be_asked_to_merge(self) -> None:
        """Note what is known at this moment."""
        self.at_merge.append(dict(self.checks))
        self.believed = dict(self.shown)

    @property
    def verified(self) -> str:
        """The commit that was verified, by our own repository."""
        ours = next((self.root / "state").rglob("repository.git"), None)
        return git_at(ours, "rev-parse", "--verify", "-q", verified_ref(RUN, TASK, 0), check=False) if ours else ""

    @property
    def pull(self) -> PullRequest | None:
        """The pull request that this life is about: the task's, or where that counts the lane's."""
        wanted = (LANE, "main") if self.plan.integrates else (BRANCH, LANE)
        found = [one for one in self.hosted.pulls if (one.head, one.base, one.head_repository) == (*wanted, SLUG)]
        return found[0] if found else None


def git_at(path: Path, *arguments: str, check: bool = True) -> str:
    """Run git somewhere; what it printed."""
    done = subprocess.run(("git", *arguments), cwd=path, capture_output=True, text=True, check=False, timeout=240)
    if check and done.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()
