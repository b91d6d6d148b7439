"""The way of every request: it is named, meets its faults, has its effect, and is written down."""

from __future__ import annotations

import threading

import attrs

from pytest_agentrelay.github.faults import Fault, Scripts
from pytest_agentrelay.github.serving import git_http
from pytest_agentrelay.github.serving.api import Outcome, call, operation_of
from pytest_agentrelay.github.state.events import Request
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.refusals import Refused
from pytest_agentrelay.github.wire import Answer, DroppedError, Incoming


class Service:
    """Answers requests.

    Args:
        hub: The memory.
        scripts: The faults.

    Attributes:
        closing: Set when the emulator ends; nothing waits then.
    """

    def __init__(self, hub: Hub, scripts: Scripts) -> None:
        self.hub = hub
        self.scripts = scripts
        self.closing = threading.Event()

    def serve(self, incoming: Incoming) -> Answer:
        """Answer a request.

        Raises:
            DroppedError: It gets no answer.
        """
        at_git = git_http.PATH.fullmatch(incoming.path) is not None
        operation = None if at_git else operation_of(incoming)
        if at_git:
            what = f"git {incoming.method} {incoming.path}" + (f"?{incoming.query}" if incoming.query else "")
        else:
            what = operation.label if operation else f"{incoming.method} {incoming.path}"
        at = self.hub.clock()
        self.hub.events.arrive(what)
        faults = self.scripts.due(what)
        self._before(faults)
        outcome = Outcome(answer=Answer())
        if all(fault.effect for fault in faults):
            if at_git:
                outcome = self._git(incoming)
            else:
                with self.hub.lock:
                    outcome = call(self.hub, incoming, operation)
        answer = self._after(faults, outcome.answer)
        dropped = any(fault.drop for fault in faults)
        request = Request(
            what=what,
            status=0 if dropped else answer.status,
            who=outcome.who,
            cost=outcome.cost,
            resource="" if at_git else outcome.resource,
            at=at,
            faults=len(faults),
        )
        self.hub.events.answer(request)
        if dropped:
            raise DroppedError
        return answer

    def _git(self, incoming: Incoming) -> Outcome:
        try:
            answer, who = git_http.exchange(self.hub, incoming)
        except Refused as refusal:
            text = f"remote: {refusal.message}\n".encode()
            headers = {"Content-Type": "text/plain; charset=utf-8", **refusal.headers}
            return Outcome(answer=Answer(status=refusal.status, body=text, headers=headers))
        return Outcome(answer=answer, who=who)

    def _before(self, faults: list[Fault]) -> None:
        for fault in faults:
            if fault.hold_before is not None:
                fault.hold_before.wait(self.closing)
            if fault.before is not None:
                fault.before()

    def _after(self, faults: list[Fault], answer: Answer) -> Answer:
        for fault in faults:
            if fault.after is not None:
                fault.after()
            if fault.hold_after is not None:
                fault.hold_after.wait(self.closing)
            if fault.answer is not None:
                headers = {**answer.headers, **fault.answer.headers}
                answer = attrs.evolve(fault.answer, headers=headers)
            if fault.rewrite is not None and not isinstance(answer.body, bytes):
                body = fault.rewrite(answer.body)
                lying = isinstance(body, dict) and set(body) == {"message"}
                answer = attrs.evolve(answer, body=body, status=405 if lying else answer.status)
        return answer
