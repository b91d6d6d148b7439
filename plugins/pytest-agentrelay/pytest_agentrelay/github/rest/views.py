"""Repositories, pull requests, checks and commits, as REST shows them."""

from __future__ import annotations

from typing import Any

from pytest_agentrelay.github.state.accounts import at_least
from pytest_agentrelay.github.state.asking import Asking, stamp
from pytest_agentrelay.github.state.bare import Commit
from pytest_agentrelay.github.state.checks import Check
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.judging import judge
from pytest_agentrelay.github.state.records import PullRequest
from pytest_agentrelay.github.state.repository import RepositoryState


def user(hub: Hub, login: str) -> dict[str, Any]:
    """A user."""
    return {
        "login": login,
        "id": 1,
        "node_id": f"U_{login}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "url": f"{hub.api}/users/{login}",
        "html_url": f"{hub.web}/{login}",
    }


def repository(asking: Asking, shown: RepositoryState) -> dict[str, Any]:
    """A repository."""
    hub, settings, right = asking.hub, shown.settings, asking.right(shown)
    view = {
        "id": shown.number,
        "node_id": shown.node_id,
        "name": shown.name,
        "full_name": shown.slug,
        "owner": user(hub, shown.owner),
        "private": settings.private,
        "visibility": "private" if settings.private else "public",
        "fork": shown.parent is not None,
        "archived": settings.archived,
        "disabled": False,
        "default_branch": shown.bare.default_branch,
        "url": f"{hub.api}/repos/{shown.slug}",
        "html_url": f"{hub.web}/{shown.slug}",
        "clone_url": f"{hub.web}/{shown.slug}.git",
        "ssh_url": f"git@{hub.host}:{shown.slug}.git",
        "permissions": {
            "admin": right == "admin",
            "maintain": right == "admin",
            "push": at_least(right, "write"),
            "triage": at_least(right, "write"),
            "pull": at_least(right, "read"),
        },
    }
    if at_least(right, "write"):  # as GitHub: others are not told
        view |= {
            "allow_merge_commit": "merge" in settings.methods,
            "allow_squash_merge": "squash" in settings.methods,
            "allow_rebase_merge": "rebase" in settings.methods,
            "allow_auto_merge": settings.auto_merge,
            "delete_branch_on_merge": settings.delete_branch_on_merge,
        }
    return view


def pull(asking: Asking, shown: RepositoryState, one: PullRequest, *, alone: bool = True) -> dict[str, Any]:
    """A pull request; `alone` for all of it, otherwise what a list tells."""
    hub = asking.hub
    source = hub.repository(one.head_repository)
    url = f"{hub.api}/repos/{shown.slug}/pulls/{one.number}"
    base_sha = shown.seen.get(one.base, one.base_sha) if one.open else one.base_sha
    wanted = one.auto_merge
    view: dict[str, Any] = {
        "id": one.number,
        "node_id": one.node_id,
        "number": one.number,
        "url": url,
        "html_url": f"{hub.web}/{shown.slug}/pull/{one.number}",
        "state": "open" if one.open else "closed",
        "locked": False,
        "title": one.title,
        "body": one.body or None,
        "user": user(hub, one.author),
        "draft": one.draft,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "closed_at": stamp(one.closed_at),
        "merged_at": stamp(one.merged_at),
        "merge_commit_sha": one.merge_commit,
        "head": _end(asking, source, one.head, one.head_sha),
        "base": _end(asking, shown, one.base, base_sha),
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "auto_merge": None
        if wanted is None
        else {
            "enabled_by": user(hub, wanted.by),
            "merge_method": wanted.method,
            "commit_title": wanted.title,
            "commit_message": wanted.message,
        },
    }
    if alone:
        verdict = judge(shown, one)
        changes = shown.bare.changes(base_sha, one.head_sha)
        view |= {
            "merged": one.state == "merged",
            "merged_by": user(hub, one.merged_by) if one.merged_by else None,
            "mergeable": {"MERGEABLE": True, "CONFLICTING": False}.get(verdict.mergeable),
            "mergeable_state": verdict.status.lower(),
            "rebaseable": verdict.mergeable == "MERGEABLE",
            "maintainer_can_modify": False,
            "comments": len(one.comments),
            "commits": len(shown.bare.commits(base_sha, one.head_sha)),
            "additions": sum(change[1] for change in changes),
            "deletions": sum(change[2] for change in changes),
            "changed_files": len(changes),
        }
    return view


def _end(asking: Asking, shown: RepositoryState, branch: str, sha: str) -> dict[str, Any]:
    return {
        "label": f"{shown.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": user(asking.hub, shown.owner),
        "repo": repository(asking, shown),
    }


def check_run(hub: Hub, shown: RepositoryState, sha: str, check: Check) -> dict[str, Any]:
    """A check run."""
    return {
        "id": check.number,
        "node_id": f"CR_{check.number}",
        "name": check.name,
        "head_sha": sha,
        "external_id": check.external_id,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": stamp(check.started_at),
        "completed_at": stamp(check.completed_at),
        "url": f"{hub.api}/repos/{shown.slug}/check-runs/{check.number}",
        "html_url": check.details_url,
        "details_url": check.details_url,
        "output": {"title": check.name, "summary": check.summary, "text": None, "annotations_count": 0},
        "app": {"id": 1, "slug": check.app, "name": check.app},
        "check_suite": {"id": check.run},
        "pull_requests": [{"number": one.number} for one in shown.pulls.values() if one.head_sha == sha],
    }


def commit_status(hub: Hub, shown: RepositoryState, check: Check) -> dict[str, Any]:
    """A commit status."""
    return {
        "id": check.number,
        "node_id": f"SC_{check.number}",
        "context": check.name,
        "state": check.conclusion or "pending",
        "description": check.summary,
        "target_url": check.details_url,
        "url": f"{hub.api}/repos/{shown.slug}/statuses/{check.number}",
        "created_at": stamp(check.started_at),
        "updated_at": stamp(check.completed_at or check.started_at),
    }


def commit(hub: Hub, shown: RepositoryState, one: Commit) -> dict[str, Any]:
    """A commit."""
    person = {"name": one.author[0], "email": one.author[1], "date": one.date}
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": f"{hub.api}/repos/{shown.slug}/commits/{one.sha}",
        "html_url": f"{hub.web}/{shown.slug}/commit/{one.sha}",
        "commit": {"message": one.message, "tree": {"sha": one.tree}, "author": person, "committer": person},
        "parents": [{"sha": sha} for sha in one.parents],
    }


def changed_file(change: tuple[str, int, int, str]) -> dict[str, Any]:
    """A file that a pull request changes."""
    letter, added, deleted, path = change
    words = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
    return {
        "filename": path,
        "status": words[letter],
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
    }
