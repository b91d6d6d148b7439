"""HTTP on loopback: as a proxy, which is how gh and git are led here without root, or asked directly."""

from __future__ import annotations

import socket
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import unquote, urlsplit

from pytest_agentrelay.github.serving.service import Service
from pytest_agentrelay.github.wire import Answer, DroppedError, Incoming

_PREFIXES: Final = ("/api/v3", "/api")  # as an enterprise server has them
_SILENCE: Final = 60.0  # seconds after which a connection that says nothing is closed


class Server:
    """Serves from threads of its own until it is closed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on loopback."""
        return self._http.server_port

    def close(self) -> None:
        """Stop serving; what is held goes on."""
        self._service.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _SILENCE

        def log_message(self, *_: object) -> None:
            """The emulator keeps its own log."""

        def _serve(self) -> None:
            try:
                answer = service.serve(self._incoming())
            except DroppedError:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            try:
                self._send(answer)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # whoever asked was killed

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names are the base class's

        def _incoming(self) -> Incoming:
            asked = urlsplit(self.path)
            path = unquote(asked.path) or "/"
            for prefix in _PREFIXES:
                if path.startswith(prefix + "/"):
                    path = path.removeprefix(prefix)
                    break
            return Incoming(
                method=self.command,
                host=asked.netloc or self.headers.get("host", ""),
                path=path,
                query=asked.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self._body(),
            )

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b""
            while size := int(self.rfile.readline().partition(b";")[0].strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, answer: Answer) -> None:
            body = answer.encoded()
            self.send_response_only(answer.status)
            headers = {
                "Server": "github.com",
                "Date": formatdate(service.hub.clock(), usegmt=True),
                "Content-Type": "application/json; charset=utf-8",
                **answer.headers,
                "Content-Length": str(len(body)),
            }
            if answer.status in (204, 304):
                del headers["Content-Length"], headers["Content-Type"]
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD" and answer.status not in (204, 304):
                self.wfile.write(body)

    return Handler
