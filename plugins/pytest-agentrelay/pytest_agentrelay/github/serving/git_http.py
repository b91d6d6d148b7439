"""git's smart protocol over HTTP, by git's own ``http-backend``, behind the same tokens as the APIs."""

from __future__ import annotations

import re
import subprocess
from typing import Final

from pytest_agentrelay.github.serving.login import token_of
from pytest_agentrelay.github.state.accounts import Account, Right, at_least
from pytest_agentrelay.github.state.bare import CLOSED_BRANCHES, HEADS, environment
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.noticing import notice
from pytest_agentrelay.github.state.refusals import Refused
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.state.waiting import settle
from pytest_agentrelay.github.wire import Answer, Incoming

PATH: Final = re.compile(
    r"/(?P<owner>[^/]+)/(?P<name>[^/]+?)\.git/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
_DEADLINE: Final = 120.0  # seconds for one exchange


def exchange(hub: Hub, incoming: Incoming) -> tuple[Answer, str]:
    """Answer a request of git.

    Returns:
        The answer, and the login of who asked.

    Raises:
        Refused: No login, no right, or no such repository.
    """
    found = PATH.fullmatch(incoming.path)
    assert found is not None
    pushing = "git-receive-pack" in (found["rest"], incoming.query.partition("=")[2])
    with hub.lock:
        account = _account(hub, incoming)
        repository = _repository(hub, account, f"{found['owner']}/{found['name']}", "write" if pushing else "read")
        closed = [f"{HEADS}{branch}" for branch, one in repository.protections.items() if one.closed]
    answer = _backend(repository, incoming, found["rest"], account, closed)
    if found["rest"] == "git-receive-pack":
        with hub.lock:
            notice(hub, repository, actor=account.login)
            settle(hub, repository)
    return answer, account.login


def _account(hub: Hub, incoming: Incoming) -> Account:
    try:
        return hub.accounts.known(token_of(incoming) or "")
    except Refused:
        challenge = {"WWW-Authenticate": 'Basic realm="GitHub"'}
        raise Refused("Invalid username or token.", status=401, headers=challenge) from None


def _repository(hub: Hub, account: Account, slug: str, right: Right) -> RepositoryState:
    try:
        repository = hub.repository(slug)
    except Refused:
        raise Refused("Repository not found.", status=404) from None
    hub.accounts.check_single_sign_on(account, repository.owner, hub.host)
    has = hub.accounts.right(account.login, repository.slug, private=repository.settings.private)
    if not at_least(has, "read"):
        raise Refused("Repository not found.", status=404)
    if not at_least(has, right) or not account.has_scope("public_repo"):
        raise Refused(f"Permission to {repository.slug}.git denied to {account.login}.", status=403)
    return repository


def _backend(
    repository: RepositoryState, incoming: Incoming, service: str, account: Account, closed: list[str]
) -> Answer:
    variables = {
        "GIT_PROJECT_ROOT": str(repository.bare.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{service}",
        "QUERY_STRING": incoming.query,
        "REQUEST_METHOD": incoming.method,
        "CONTENT_TYPE": incoming.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(incoming.body)),
        "HTTP_CONTENT_ENCODING": incoming.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": incoming.headers.get("git-protocol", ""),
        "REMOTE_USER": account.login,
        "REMOTE_ADDR": "127.0.0.1",
        CLOSED_BRANCHES: " ".join(closed),
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=incoming.body,
        capture_output=True,
        check=False,
        timeout=_DEADLINE,
        env={**environment(), **variables},
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Answer(status=status, body=body, headers=headers)
