"""The real gh, old and new, recorded as it is started, and a server that answers what a test writes down."""

import contextlib
import functools
import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest
from pytest_agentrelay.github.programs import real_gh

TOKEN = "gho_16C7e42F292c6912E7710c838347Ae178B4a"
HOST = "github.localhost"

_gh = functools.cache(real_gh)


@attrs.frozen
class RecordedGh:
    """A gh on PATH that notes how it is started, and then is the real one.

    Args:
        directory: Where its notes are.
    """

    directory: Path

    @property
    def command_lines(self) -> list[str]:
        """The command line of each start, as everybody on the machine could read it; words end with a space."""
        path = self.directory / "command-lines"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def surroundings(self) -> str:
        """The working directory and the environment of each start."""
        return (self.directory / "surroundings").read_text()


def put_on_path(program: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedGh:
    """Let `gh` be a program, recorded."""
    directory.mkdir()
    script = directory / "gh"
    notes = shlex.quote(str(directory))
    script.write_text(
        "#!/bin/sh\n"
        f"{{ tr '\\0' ' ' </proc/$$/cmdline; echo; }} >>{notes}/command-lines\n"
        f"{{ pwd; env; }} >>{notes}/surroundings\n"
        f'exec {shlex.quote(program)} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return RecordedGh(directory)


@pytest.fixture(params=["new", "old"])
def gh(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    real_program: Callable[[str, str], None],
) -> RecordedGh:
    """The gh of a test; both the new and the old one take their turn."""
    program, version = _gh(request.param)
    real_program("gh", version)
    return put_on_path(str(program), tmp_path / "bin", monkeypatch)


@pytest.fixture(scope="session")
def new_program() -> tuple[Path, str]:
    """The new gh and its version, found before a test changes its environment."""
    return _gh("new")


@pytest.fixture
def new_gh(
    new_program: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    real_program: Callable[[str, str], None],
) -> RecordedGh:
    """The new gh alone, where the two do not differ."""
    program, version = new_program
    real_program("gh", version)
    return put_on_path(str(program), tmp_path / "bin", monkeypatch)


class TestClock:
    """A time that passes when somebody pauses, and not otherwise."""

    __test__ = False

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@attrs.frozen(kw_only=True)
class Request:
    """What a server was asked."""

    method: str
    path: str
    headers: Message
    body: bytes


@attrs.frozen(kw_only=True)
class Reply:
    """What it answers; with ``broken``, no more than so many bytes of the body, none of anything for -1."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = attrs.field(factory=dict)
    broken: int | None = None
    late: bool = False


@attrs.define
class ScriptedServer:
    """Answers one request after the other as it was told; what it was not told is answered with 500."""

    replies: list[Reply] = attrs.field(factory=list)
    requests: list[Request] = attrs.field(factory=list)
    release: threading.Event = attrs.field(factory=threading.Event)

    def will(self, status: int = 200, body: bytes | str = b"{}", **headers: object) -> None:
        """Answer the next request so; underscores in headers are hyphens."""
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self.replies.append(Reply(status=status, body=body.encode() if isinstance(body, str) else body, headers=named))

    @property
    def asked(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.path}" for request in self.requests]


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def answer(self) -> None:
            path = self.path.removeprefix(f"http://api.{HOST}/")
            server.requests.append(Request(method=self.command, path=path, headers=self.headers, body=self._body()))
            reply = server.replies.pop(0) if server.replies else Reply(status=500)
            if reply.late:
                server.release.wait(60)
            if reply.broken != -1:
                self.send_response_only(reply.status)  # without a date, so that a test's clock counts
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if reply.status != 304:
                    with contextlib.suppress(ConnectionError):  # who waited for it has given up
                        self.wfile.write(reply.body[: reply.broken])
            if reply.broken is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # what the base class calls

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedServer]:
    """A server to which gh is led, as a user that is logged in by GH_TOKEN."""
    scripted = ScriptedServer()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted))
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    lead_gh(monkeypatch, tmp_path, listening.server_port)
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    yield scripted
    scripted.release.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


def lead_gh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int) -> None:
    """Let gh speak with a port of this machine, without a login of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("GH_", "GITHUB_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    configuration = tmp_path / "gh-config"
    configuration.mkdir()
    monkeypatch.setenv("GH_CONFIG_DIR", str(configuration))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")


@attrs.define
class World:
    """A run in a clone of a repository on the emulated GitHub.

    Args:
        bench: The run.
        github: The emulated GitHub.
        hosted: The repository there.
        monkeypatch: Sets the login.
    """

    bench: Any
    github: Any
    hosted: Any
    monkeypatch: pytest.MonkeyPatch

    def workspace(self) -> Any:
        """The run's workspace, as a process has it that has just started."""
        return self.bench.workspace()

    def log_in(self) -> None:
        """Give gh, and git, the user's login."""
        self._set("file")

    def log_out(self) -> None:
        """Take it away."""
        for name in ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"):
            self.monkeypatch.delenv(name, raising=False)
        self._set("none")

    def _set(self, login: str) -> None:
        for name, value in self.github.environment(login).items():
            self.monkeypatch.setenv(name, value)


@pytest.fixture
def world(emulated_github: Any, new_gh: RecordedGh, bench: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """A run with ``forge: github``, logged in; the user's ``main`` is on the server."""
    from agentrelay_git_gh import agentrelay_forges

    emulated_github.add_repository("acme", "widget", from_=bench.user.path)
    bench.user("remote", "add", "origin", emulated_github.remote_url("acme", "widget"))
    bench.forge, bench.forges = "github", tuple(agentrelay_forges())
    made = World(bench, emulated_github, emulated_github.repository("acme/widget"), monkeypatch)
    made.log_in()
    return made
