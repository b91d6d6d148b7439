"""What a branch on GitHub asks for before something is merged into it, told in one line for people."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs

from agentrelay_core.runtime import Throttled
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Refused
from agentrelay_git_gh.github.protection import ProtectionReader

# A name as our integration branches have one; rules are asked for by name, and hold for branches that are not there.
_LIKE_OURS: Final = "agentrelay/doctor@default"
# Rules that a push of ours runs into, in words for people.
_BLOCKING: Final = {
    "creation": "no branch may be made",
    "update": "no branch may be changed",
    "pull_request": "changes need a pull request",
    "required_status_checks": "pushed commits need checks",
    "required_signatures": "commits must be signed",
    "branch_name_pattern": "a pattern for branches' names",
    "commit_message_pattern": "a pattern for commit messages",
    "commit_author_email_pattern": "a pattern for authors",
    "committer_email_pattern": "a pattern for committers",
    "merge_queue": "a merge queue",
}
_CLASSIC: Final = {
    "required_linear_history": "a linear history",
    "required_signatures": "signed commits",
    "required_conversation_resolution": "every conversation resolved",
    "lock_branch": "nobody may change it",
}
_QUEUE: Final = """\
query($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { mergeQueue(branch: $branch) { id } }
}"""


@attrs.frozen(kw_only=True)
class Target:
    """What a branch asks for.

    Args:
        checks: Names of the checks that must pass.
        reviews: How many approvals it needs.
        strict: Whether what is merged must be up to date with it.
        queue: Whether it has a merge queue.
        methods: The merge methods that its rules allow; empty where they leave it to the repository.
        other: What else, in words for people.
        hidden: Whether there is more, which GitHub tells administrators alone.
    """

    checks: tuple[str, ...] = ()
    reviews: int = 0
    strict: bool = False
    queue: bool = False
    methods: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    hidden: bool = False

    def __str__(self) -> str:
        noun = "the checks" if len(self.checks) > 1 else "the check"
        words = [f"{noun} {', '.join(self.checks)}"] if self.checks else ["no checks"]
        if self.reviews:
            words.append("an approval" if self.reviews == 1 else f"{self.reviews} approvals")
        if self.strict:
            words.append("a source that is up to date")
        if self.queue:
            words.append("its merge queue")
        words += self.other
        told = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
        return f"{told}; reviews that its protection asks for are told to administrators alone" if self.hidden else told


def target_of(api: GitHubApi, branch: str) -> Target | None:
    """What a branch asks for; `None` if it is not on GitHub.

    Raises:
        Parked: GitHub does not tell.
    """
    path = f"{api.site.path}/branches/{quote(branch, safe='')}"
    facts = api.read(path, accept=(404,))
    if facts.status == 404:
        return None
    asked = ProtectionReader(api.site, api.read).of(branch)
    classic: Mapping[str, Any] = {}
    hidden = False
    if (facts.fields().get("protection") or {}).get("enabled"):
        answer = api.read(f"{path}/protection", accept=(403, 404))
        classic, hidden = answer.fields() if answer.status == 200 else {}, answer.status != 200
    reviews = classic.get("required_pull_request_reviews") or {}
    checks = classic.get("required_status_checks") or {}
    other = [words for key, words in _CLASSIC.items() if (classic.get(key) or {}).get("enabled")]
    return Target(
        checks=tuple(dict.fromkeys(requirement.name for requirement in asked.checks)),
        reviews=max(asked.reviews, reviews.get("required_approving_review_count") or 0),
        strict=asked.strict or bool(checks.get("strict")),
        queue=asked.queue or _has_queue(api, branch),
        methods=asked.methods,
        other=tuple(dict.fromkeys((*asked.other, *other))),
        hidden=hidden,
    )


def blocking_rules(api: GitHubApi) -> tuple[str, ...]:
    """The rules that would stand against pushes to branches of ours, in words for people."""
    rules = ProtectionReader(api.site, api.read).rules_of(_LIKE_OURS)
    return tuple(dict.fromkeys(_BLOCKING[rule["type"]] for rule in rules if rule["type"] in _BLOCKING))


def _has_queue(api: GitHubApi, branch: str) -> bool:
    names = {"owner": api.site.owner, "name": api.site.name, "branch": branch}
    try:
        found = api.ask(_QUEUE, names).get("repository") or {}
    except (Refused, Throttled):  # a company's server that is older than merge queues; and what is left is told anyway
        return False
    return bool(found.get("mergeQueue"))
