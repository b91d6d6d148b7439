"""A scripted model on loopback, which the real Claude Code takes for Anthropic's: the Messages API, streaming.

It holds no conversation. Which reply is due follows from the request alone: the script is named by the last prompt
that names one, by ``[[script:NAME]]`` or by the path of a task's instructions, and its step is the number of the
model's turns since. So agents may run beside each other, be killed, and go on.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

_NAMED = re.compile(r"\[\[script:([\w.-]+)\]\]|/signals/([\w.-]+)/[\w.-]+/instructions\.md")
_LAST = "Nothing is left to do."


@attrs.frozen(kw_only=True)
class Reply:
    """One turn of the model.

    Args:
        text: What it says, if anything.
        tools: Tools that it uses, as pairs of name and input.
        hold: What the reply waits for, `None` for nothing.
    """

    text: str = ""
    tools: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    hold: threading.Event | None = None


@attrs.frozen(kw_only=True)
class Refusal:
    """An error of the endpoint, some times; then the reply.

    Args:
        status: The HTTP status.
        kind: The error's type.
        message: Its text.
        times: How often; requests of every agent count together.
        headers: Headers of the answer, for example ``retry-after``.
        then: What follows.
    """

    status: int
    kind: str
    message: str
    times: int = 1_000_000
    headers: Mapping[str, str] = attrs.field(factory=dict)
    then: Reply = attrs.field(factory=lambda: Reply(text=_LAST))


def say(text: str) -> Reply:
    """The model says something and ends its turn."""
    return Reply(text=text)


def run(command: str, hold: threading.Event | None = None) -> Reply:
    """The model has a shell command run; its request is answered once `hold`, if there is one, is set."""
    return Reply(tools=(("Bash", {"command": command, "description": "work"}),), hold=hold)


class ScriptedModel:
    """The endpoint, serving from a thread of its own.

    Attributes:
        requests: The scripts that were asked for, with the step of each, in order.
        prompts: The bodies of those requests.
        keys: The key, or the token, of every request.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.prompts: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()
        self._scripts: dict[str, tuple[Reply | Refusal, ...]] = {}
        self._refused: dict[tuple[str, int], int] = {}
        self._lock = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def script(self, name: str, *steps: Reply | Refusal) -> None:
        """Say how the model behaves for the prompts that name a script."""
        self._scripts[name] = steps

    def wait_for_requests(self, count: int, seconds: float = 60.0) -> bool:
        """Wait until so many scripted requests have come, but no longer than this; whether they have."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self.requests) >= count, seconds)

    def close(self) -> None:
        """Stop serving."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict[str, Any]) -> tuple[Reply, Refusal | None]:
        """The reply that is due, and the refusal that comes instead."""
        if not body.get("tools"):
            return Reply(text="A title"), None  # asked beside the work
        name, step = _position(body.get("messages", []))
        steps = self._scripts.get(name, ())
        due = steps[step] if step < len(steps) else Reply(text=_LAST)
        with self._lock:
            self.requests.append((name, step))
            self.prompts.append(body)
            self._lock.notify_all()
            if not isinstance(due, Refusal):
                return due, None
            refused = self._refused[name, step] = self._refused.get((name, step), 0) + 1
        return due.then, due if refused <= due.times else None


def _position(messages: list[dict[str, Any]]) -> tuple[str, int]:
    name, begun = "default", 0
    for index, message in enumerate(messages):
        found = _NAMED.findall(_text(message.get("content"))) if message.get("role") == "user" else []
        if found and "".join(found[0]) != name:
            name, begun = "".join(found[0]), index
    return name, sum(message.get("role") == "assistant" for message in messages[begun:])


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text") or "" for block in content or () if isinstance(block, dict))


def _events(model: str, reply: Reply) -> list[dict[str, Any]]:
    """A reply as the events of the stream."""
    usage = {"input_tokens": 10, "output_tokens": 1}
    message = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "usage": usage,
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}}
    ]
    blocks: list[tuple[dict[str, Any], dict[str, Any]]] = []
    if reply.text:
        blocks.append(({"type": "text", "text": ""}, {"type": "text_delta", "text": reply.text}))
    for name, given in reply.tools:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", "name": name, "input": {}}
        blocks.append((block, {"type": "input_json_delta", "partial_json": json.dumps(given)}))
    for index, (block, delta) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": "tool_use" if reply.tools else "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 20}})
    return [*events, {"type": "message_stop"}]


def _handler(endpoint: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests ask the endpoint instead."""

        def do_HEAD(self) -> None:  # the name is the base class's
            self.send_response(200)
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815 - the name is the base class's

        def do_POST(self) -> None:  # the name is the base class's
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            authorization = self.headers.get("authorization", "").removeprefix("Bearer ")
            endpoint.keys.append(self.headers.get("x-api-key") or authorization)
            reply, refusal = endpoint.answer(body)
            try:
                if refusal is not None:
                    self._refuse(refusal)
                else:
                    self._stream(body.get("model", ""), reply)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the agent was killed

        def _refuse(self, refusal: Refusal) -> None:
            error = {"type": "error", "error": {"type": refusal.kind, "message": refusal.message}}
            self.send_response(refusal.status)
            for name, value in refusal.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(error).encode())

        def _stream(self, model: str, reply: Reply) -> None:
            while reply.hold is not None and not endpoint.closing.is_set() and not reply.hold.wait(0.05):
                pass
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for event in _events(model, reply):
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    return Handler
