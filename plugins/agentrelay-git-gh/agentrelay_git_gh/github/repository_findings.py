"""What GitHub says of a login, a repository and the branch that a graph's work goes into, as findings."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.spec import RunSettings
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.login import Login, login_of
from agentrelay_git_gh.github.quota import quota_findings
from agentrelay_git_gh.github.requirements import allowed_methods, of_repository, of_scopes
from agentrelay_git_gh.github.target import Target, blocking_rules, target_of
from agentrelay_git_gh.github.telling import error, note, warning

_ANY_LANE: Final = "agentrelay/GRAPH@WORKSTREAM"


def repository_findings(api: GitHubApi, branch: str | None, settings: RunSettings) -> Iterator[Finding]:
    """Look at a repository that a run would work with.

    Args:
        api: How GitHub is asked.
        branch: The target of a workstream that names none; `None` where there is none.
        settings: The settings of a run.

    Raises:
        Parked: GitHub does not answer, or the login does not do.
        Throttled: GitHub limits our calls.
    """
    site = api.site
    # An app's token is nobody's, and is told so with 403.
    login = login_of(site.host, api.read("user", accept=(403, 404)))
    yield _login(login, site.host)
    lacking = of_scopes(site, login.scopes, private=False)
    if lacking:  # and a private repository is not even shown to it
        yield from map(error, lacking)
        return
    yield from quota_findings(api)
    fields = api.read(site.path).fields()
    lacking = of_scopes(site, login.scopes, private=bool(fields.get("private")))
    yield from map(error, lacking)
    if not lacking and not login.may_change_workflows:
        yield note(
            "the token lacks the scope workflow, so GitHub refuses to take work that changes .github/workflows",
            f"where tasks do that, type `gh auth refresh --hostname {site.host} --scopes workflow`",
        )
    yield _repository(api, fields)
    yield from map(error, of_repository(site, fields, settings.merge_method))
    target = target_of(api, branch) if branch is not None else None
    yield from _target(api, branch, target, settings)
    rules = blocking_rules(api)
    if rules:
        yield warning(
            f"rules of {site} hold for branches called agentrelay/…, to which a run pushes: {', '.join(rules)}; "
            "exclude `agentrelay/**/*` from that ruleset"
        )
    yield from _plan(branch, target, settings)


def _login(login: Login, host: str) -> Finding:
    user = login.user or "an app, which is no user,"
    if login.scopes is None:
        what = "rights of a finer grain, which GitHub does not tell"
        needed = (
            "give it contents and pull requests to write, and checks, commit statuses, actions and metadata to read"
        )
        return note(f"gh is logged in to {host} as {user} by {login.source}: {what}", needed)
    return note(f"gh is logged in to {host} as {user} by {login.source}, scopes {', '.join(login.scopes) or 'none'}")


def _repository(api: GitHubApi, fields: Mapping[str, Any]) -> Finding:
    kind = "private" if fields.get("private") else "public"
    may = "push and merge" if (fields.get("permissions") or {}).get("push", True) else "read alone"
    parent = (fields.get("parent") or {}).get("full_name")
    fork = ", a fork" + (f" of {parent}" if parent else "") if fields.get("fork") else ""
    note_of_fork = " (pull requests go into the fork itself)" if fork else ""
    methods = ", ".join(allowed_methods(fields)) or "none"
    if may == "read alone":  # then GitHub does not tell them
        methods = "not told"
    return note(f"{api.site} is {kind}{fork}{note_of_fork}; the login may {may}; merge methods: {methods}")


def _target(api: GitHubApi, branch: str | None, target: Target | None, settings: RunSettings) -> Iterator[Finding]:
    if branch is None:
        yield warning(
            "no branch is checked out, and origin/HEAD is not known; name each workstream's merge_target_branch, or "
            "type `git remote set-head origin --auto`"
        )
    elif target is None:
        yield warning(
            f"the branch {branch}, into which workstreams go that name no other, is not in {api.site}; type "
            f"`git push origin {branch}`, or name a merge_target_branch"
        )
    else:
        yield note(f"{branch} asks for {target}")
        method = settings.merge_method
        if target.methods and method not in target.methods and not target.queue:
            allowed = " and ".join(target.methods)
            yield warning(
                f"merge_method: {method} is not allowed into {branch}, whose rules allow {allowed}; "
                f"say `merge_method: {target.methods[0]}`"
            )
        if target.strict:
            yield note(
                f"{branch} wants a source that is up to date: an integration pull request that is behind is brought up "
                "to date, and its checks are waited for anew"
            )


def _plan(branch: str | None, target: Target | None, settings: RunSettings) -> Iterator[Finding]:
    chosen = "`forge: auto` means GitHub here" if settings.forge == "auto" else "`forge: github`"
    how = "its merge queue" if target is not None and target.queue else settings.merge_method
    into = f"into {branch}, by {how}" if branch is not None else "into the merge_target_branch that it names"
    yield note(
        f"{chosen}: a task's pull request goes into its workstream's branch, {_ANY_LANE}, by {settings.merge_method}; "
        f"the workstream's goes {into}, where `auto_merge: true` asks for that, and else is left open for you"
    )
    yield _checks(branch, target, settings.checks)
    if settings.pr == "orchestrator":
        yield note("`pr: orchestrator`: agents are told to open no pull requests, and need no token")


def _checks(branch: str | None, target: Target | None, checks: object) -> Finding:
    if isinstance(checks, tuple):
        return note(f"checks: every merge waits for {', '.join(checks)} to pass")
    if checks == "all":
        return note("checks: all: every merge waits for all checks that there are, and for at least one")
    if checks == "none":
        return note("checks: none: no merge waits for a check that GitHub does not ask for itself")
    if target is None:
        return note("checks: required: each merge waits for the checks that its target asks for")
    if target.checks:
        names = ", ".join(target.checks)
        return note(f"checks: required: a merge into {branch} waits for {names}; one into a workstream's for none")
    return note(
        f"checks: required: {branch} asks for none, so no merge waits for a check",
        "to have merges wait, name checks under `checks:`, or let the branch ask for some",
    )
