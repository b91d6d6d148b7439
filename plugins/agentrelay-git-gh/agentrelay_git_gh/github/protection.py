"""What a branch asks for before something is merged into it: its protection, of the old kind and by rulesets."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs

from agentrelay_core.runtime import IntegrationBoundary, Parked
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.checks import Requirement
from agentrelay_git_gh.github.sites import Site

Read = Callable[..., Answer]
"""`GitHubApi.read`."""

_ANY_APP: Final = -1
_NOT_TOLD: Final = (403, 404)
# Rules of a ruleset that stand against a merge and that no other waiting state speaks of, in words for people.
_RULES: Final = {
    "required_signatures": "signed commits",
    "required_linear_history": "a linear history",
    "required_deployments": "deployments",
    "code_scanning": "code scanning",
    "code_quality": "code quality",
    "workflows": "workflows",
    "commit_message_pattern": "a pattern for commit messages",
    "commit_author_email_pattern": "a pattern for authors",
    "committer_email_pattern": "a pattern for committers",
    "update": "nobody but a few may change it",
}


@attrs.frozen(kw_only=True)
class Protection:
    """What a branch asks for.

    Args:
        checks: Checks that must pass.
        other: What else its rulesets ask for, in words for people.
        reviews: How many approvals its rulesets ask for.
        strict: Whether its rulesets ask for a source that is up to date.
        queue: Whether its rulesets have a merge queue.
        methods: The merge methods that its rulesets allow; empty where they leave it to the repository.
    """

    checks: tuple[Requirement, ...] = ()
    other: tuple[str, ...] = ()
    reviews: int = 0
    strict: bool = False
    queue: bool = False
    methods: tuple[str, ...] = ()


@attrs.define
class ProtectionReader:
    """Reads what branches ask for, and again only what has changed.

    Args:
        site: The repository.
        read: How GitHub is asked.
    """

    site: Site
    read: Read
    _known: dict[str, Answer] = attrs.field(factory=dict, init=False)

    def of(self, branch: str) -> Protection:
        """What a branch asks for, by two calls.

        Raises:
            Parked: GitHub does not say, and to take that for nothing would be a guess.
        """
        name = quote(branch, safe="")
        facts = self._get(f"{self.site.path}/branches/{name}")
        if facts.status != 200:
            raise Parked(
                f"GitHub does not tell what {branch} of {self.site} asks for before a merge "
                f"(HTTP {facts.status}); name the checks that must pass under `checks:` in the graph, or let the login "
                "read the repository (`gh auth refresh -s repo`); then: agentrelay run",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        listed = self.rules_of(branch)
        checks = [*_classic(facts.json()), *_required(listed)]
        return Protection(
            checks=tuple(dict.fromkeys(checks)),
            other=tuple(dict.fromkeys(_others(listed))),
            reviews=max((_asked(rule).get("required_approving_review_count") or 0 for rule in listed), default=0),
            strict=any(_asked(rule).get("strict_required_status_checks_policy") for rule in listed),
            queue=any(rule["type"] == "merge_queue" for rule in listed),
            methods=_methods(listed),
        )

    def rules_of(self, branch: str) -> list[Mapping[str, Any]]:
        """The rules that hold for a branch, which need not be there yet, by one call."""
        answer = self._get(f"{self.site.path}/rules/branches/{quote(branch, safe='')}", per_page=100)
        # Servers of companies may be older than rulesets; then there are none.
        rules: list[Mapping[str, Any]] = answer.json() if answer.status == 200 else []
        return rules

    def _get(self, path: str, **query: object) -> Answer:
        known = self._known.get(path)
        etag = known.etag if known is not None else None
        answer = self.read(path, query=query, etag=etag, accept=_NOT_TOLD)
        if answer.status == 304 and known is not None:
            return known
        self._known[path] = answer
        return answer


def _classic(branch: Mapping[str, Any]) -> list[Requirement]:
    asked = (branch.get("protection") or {}).get("required_status_checks") or {}
    if asked.get("enforcement_level") == "off":
        return []
    found = [_requirement(check["context"], check.get("app_id")) for check in asked.get("checks") or []]
    named = {requirement.name for requirement in found}
    return found + [Requirement(name=name) for name in asked.get("contexts") or [] if name not in named]


def _required(rules: list[Mapping[str, Any]]) -> list[Requirement]:
    return [
        _requirement(check["context"], check.get("integration_id"))
        for rule in rules
        if rule["type"] == "required_status_checks"
        for check in rule["parameters"]["required_status_checks"]
    ]


def _requirement(name: str, app_id: int | None) -> Requirement:
    return Requirement(name=name, app_id=None if app_id == _ANY_APP else app_id)


def _others(rules: list[Mapping[str, Any]]) -> list[str]:
    words = [_RULES[rule["type"]] for rule in rules if rule["type"] in _RULES]
    if any(_asked(rule).get("required_review_thread_resolution") for rule in rules):
        words.append("every conversation resolved")
    return words


def _methods(rules: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """What all rules that speak of it allow."""
    spoken = [_asked(rule)["allowed_merge_methods"] for rule in rules if _asked(rule).get("allowed_merge_methods")]
    return tuple(method for method in spoken[0] if all(method in other for other in spoken)) if spoken else ()


def _asked(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = rule.get("parameters") or {}
    return parameters
