"""What the checks of a forge share: a run's forge, branches to be merged, and how a forge is called and answers."""

import inspect
import re
import secrets
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import pytest

from agentrelay_core.hooks import ForgeProvider, PullRequest, RunInfo
from pytest_agentrelay.compliance.base import RUN, Compliance
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.repositories import finished, git, make_repository
from pytest_agentrelay.compliance.steps import awaited

# What a title must survive: quotes, letters from elsewhere, and what a shell would take for its own.
TITLE: Final = "Say \"hello\" to Zoë & 'all' of $HOME"
BODY: Final = "# Why\n\nBecause `it` is due.\n"
_FULL_HASH: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What the core calls each method with.
_ARGUMENTS: Final = {
    "find": ("head", "base"),
    "open": ("head", "base", "title", "body"),
    "state": ("pr",),
    "merge": ("pr", "head_sha"),
}
# A commit with a new file, as `git fast-import` reads it.
_COMMIT: Final = """\
commit refs/heads/{branch}
committer Kit <kit@localhost> 1767225600 +0000
data 4
Work
from {parent}
M 100644 inline {file}
data 5
work

"""


@attrs.frozen(kw_only=True)
class Offer:
    """Two branches of which one is to be merged into the other.

    Args:
        head: The source branch.
        base: The target branch.
        sha: The commit at the tip of the source, full hash.
    """

    head: str
    base: str
    sha: str


class ForgeCalls(Compliance):
    """How a forge is made and asked.

    Attributes:
        forge: What ``forge:`` in a graph file calls it.
    """

    forge: ClassVar[str] = ""

    def offer(self, head: str, base: str) -> str:
        """Make both branches, with a new commit on the source, where the forge looks for them.

        By default that is the repository of the check. Override it for a forge that is somewhere else: push them there.

        Args:
            head: The source branch; it may be there already, and gets one more commit then.
            base: The target branch; it may be there already, and stays as it is then.

        Returns:
            The commit at the tip of the source, full hash.
        """
        repository = make_repository(self.place / "repository")
        listed = git(repository, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        tips = dict(line.split() for line in listed.splitlines())
        script = "" if base in tips else f"reset refs/heads/{base}\nfrom {tips['main']}\n\n"
        parent = tips.get(head) or tips.get(base) or tips["main"]
        script += _COMMIT.format(branch=head, parent=parent, file=f"{secrets.token_hex(8)}.txt")
        git(repository, "fast-import", "--quiet", stdin=script)
        return self.tip_here(head)

    def tip(self, branch: str) -> str:
        """The commit at the tip of a branch where the forge merges, full hash: by evidence, not by the forge's word.

        By default it is looked for in the repository of the check. Override it together with `offer`.

        Args:
            branch: A branch that `offer` made.
        """
        return self.tip_here(branch)

    def tip_here(self, branch: str) -> str:
        """The commit at the tip of a branch in the repository of the check."""
        return git(make_repository(self.place / "repository"), "rev-parse", f"refs/heads/{branch}")

    @property
    def repository(self) -> Path | None:
        """A repository with one commit."""
        return make_repository(self.place / "repository")

    @property
    def record(self) -> ForgeProvider:
        """The forge as the plugin declares it."""
        known = {record.name: record for record in self.catalog.forges}
        if self.forge not in known:
            fault(
                f"no plugin of {type(self).__name__} declares the forge {self.forge!r}.",
                "set `forge` in the class to a name that your agentrelay_forges yields: "
                f"there are {', '.join(sorted(known)) or 'none'}.",
            )
        return known[self.forge]

    def make_run(self) -> RunInfo:
        """The run whose forge it is. Override it to give `plugin_options`, for example the address of a server."""
        run = super().make_run()
        return attrs.evolve(run, forges=self.catalog.forges, settings=attrs.evolve(run.settings, forge=self.forge))

    def make_forge(self) -> Any:
        """Make the run's forge by the plugin's factory, as another session of the run does too."""
        run = self.make_run()
        workspace: Any = self.catalog.workspace(run)
        if workspace is not None and hasattr(workspace, "preflight"):
            finished(workspace.preflight)  # which has seen the repository before any forge is made
        return self.record.factory(run)

    def ready_forge(self) -> Any:
        """As `make_forge`; skips the check where none can be made, of which another check tells."""
        record = self.record
        try:
            forge = self.make_forge()
        except Exception as error:
            pytest.skip(f"the forge {record.name!r} cannot be made ({raised(error)}); see test_signature")
        if misshapen(forge) is not None:
            pytest.skip(f"the forge {record.name!r} cannot be called; see test_signature")
        return forge

    def offered(self, name: str = "one", base: str = "") -> Offer:
        """Branches of which a pull request can be made.

        Args:
            name: Distinguishes sources.
            base: Distinguishes targets; default the source's own.
        """
        head, target = f"agentrelay/{RUN}/{name}", f"agentrelay/{RUN}@{base or name}"
        return Offer(head=head, base=target, sha=self.offer(head, target))

    async def find(self, forge: Any, offer: Offer) -> Any:
        """The pull request that the forge finds."""
        return await self.answer(forge, "find", offer.head, offer.base)

    async def opened(self, forge: Any, offer: Offer) -> str:
        """Open a pull request; its URL."""
        answer = await self.answer(forge, "open", offer.head, offer.base, TITLE, BODY)
        return self.checked(forge, "open", answer).url

    async def state(self, forge: Any, url: str) -> PullRequest:
        """What the forge says of a pull request."""
        return self.checked(forge, "state", await self.answer(forge, "state", url))

    async def merged(self, forge: Any, url: str, sha: str) -> str:
        """Merge a pull request; what the forge calls the merge commit, which may be anything."""
        return str(await self.answer(forge, "merge", url, sha))

    async def answer(self, forge: Any, method: str, *arguments: Any) -> Any:
        """Call the forge as the core does; what it raises is a fault, for in these calls everything is in order."""
        try:
            return await awaited(forge, method, *arguments)
        except Exception as error:
            fault(
                f"{name_of(forge, method)} {raised(error)} for {', '.join(map(repr, arguments[:2]))}.",
                "let it succeed: the branches are where `offer` of the check puts them (override `offer` and `tip` if "
                "the forge looks elsewhere), and the pull request is one that it opened.",
            )

    def checked(self, forge: Any, method: str, answer: Any) -> PullRequest:
        """An answer that must be a pull request with a URL."""
        if not isinstance(answer, PullRequest) or not isinstance(answer.url, str) or not answer.url:
            fault(
                f"{name_of(forge, method)} returned {answer!r}.",
                "return an agentrelay_core.PullRequest with the URL by which `state` and `merge` know it.",
            )
        return answer


def misshapen(forge: Any) -> tuple[str, str] | None:
    """What is wrong with the methods of a forge, and what is due; `None` where they can be called."""
    for method, arguments in _ARGUMENTS.items():
        due = (
            f"declare `def {method}(self, {', '.join(arguments)})`; it may be async, and further parameters must have "
        )
        function = getattr(forge, method, None)
        if not callable(function):
            return f"{name_of(forge)} has no {method}.", f"{due}defaults."
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            called = f"{name_of(forge, method)} cannot be called with ({', '.join(arguments)})"
            return f"{called}: {error}.", f"{due}defaults."
    return None


def is_full_hash(text: object) -> bool:
    """Whether something is the name of a commit that cannot mean another one."""
    return isinstance(text, str) and _FULL_HASH.fullmatch(text) is not None
