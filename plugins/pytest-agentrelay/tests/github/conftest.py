"""A repository on the emulated GitHub, and three ways to ask: directly, by the real gh, by the real git."""

import http.client
import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from pytest_agentrelay.github import EmulatedGitHub, HostedRepository
from pytest_agentrelay.github.programs import real_gh


@attrs.frozen(kw_only=True)
class Answered:
    """An answer; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """Asks the emulator directly."""

    def __init__(self, github: EmulatedGitHub) -> None:
        self._github = github

    def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Answered:
        place = self._github.url.removeprefix("http://")
        connection = http.client.HTTPConnection(place, timeout=240)
        sent = {"Authorization": f"token {self._github.token if token is None else token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        as_json = text and "json" in told.get("content-type", "")
        return Answered(status=answer.status, headers=told, body=json.loads(text) if as_json else text.decode())

    def graphql(self, query: str, **variables: Any) -> Any:
        """The body of the answer to a GraphQL request."""
        return self("POST", "/graphql", {"query": query, "variables": variables}).body


@pytest.fixture
def ask(emulated_github):
    return Client(emulated_github)


@pytest.fixture
def hosted(emulated_github) -> HostedRepository:
    """``o/r`` with a commit on ``main`` and, one commit further each, ``one`` and ``two``."""
    emulated_github.add_repository("o", "r")
    repository = emulated_github.repository("o/r")
    repository.push("main", {"README": "hello\n"}, message="first")
    for name in ("one", "two"):
        repository.push(name, {f"{name}.txt": f"{name}\n"}, message=f"Write {name}")
    return repository


@pytest.fixture
def pull(hosted) -> int:
    """The number of a pull request from ``one`` into ``main``."""
    return hosted.open("one", "main", title="Write one").number


Gh = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["old", "new"])
def gh(request, emulated_github, tmp_path, real_program) -> Gh:
    """Runs a real gh, logged in as by `gh auth login`, outside of any repository."""
    program, version = real_gh(request.param)
    real_program("gh", version)

    def run(*arguments: str, login: str = "file") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(program), *arguments],
            cwd=tmp_path,
            env={**os.environ, **emulated_github.environment(login)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return run


@pytest.fixture
def git(emulated_github, tmp_path):
    """Runs the real git in ``tmp_path``; ``git(*words, cwd=…, login=…)``."""

    def run(*arguments: str, cwd: str = ".", login: str = "file") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["git", *arguments],
            cwd=tmp_path / cwd,
            env={**os.environ, **emulated_github.environment(login)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return run
