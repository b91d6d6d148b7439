"""The kit's fakes as a plugin in which any one step can be replaced: what mutants differ from."""

import os
import subprocess
import sys
import threading
import time
from typing import Any

from pytest_agentrelay.fakes import (
    FakeCompletionChecker,
    FakeKickoff,
    FakeLauncher,
    FakeMerger,
    FakePreparer,
    FakeRepository,
    FakeTeardown,
    FakeWorkspace,
    InProcess,
)

from agentrelay_core.hooks import Provider, WorkspaceProvider, hookimpl


class Repository(FakeRepository):
    """A repository that counts how often a pull request was merged, by whoever merges."""

    def __init__(self) -> None:
        super().__init__()
        self.merges: list[str] = []

    def merge(self, head: str, base: str, url: str) -> None:
        known = url in self.merged
        super().merge(head, base, url)
        if not known:
            self.merges.append(url)


class Plugin:
    """A plugin of the fakes.

    Args:
        steps: Classes in place of the fakes', by step.
    """

    def __init__(self, **steps: type) -> None:
        self.repository = Repository()
        self.steps: dict[str, type] = {
            "task_preparer": FakePreparer,
            "task_launcher": FakeLauncher,
            "task_kickoff": FakeKickoff,
            "task_completion_checker": FakeCompletionChecker,
            "task_merger": FakeMerger,
            "task_teardown": FakeTeardown,
            **steps,
        }

    def _provider(self, step: str) -> Provider[Any]:
        made = self.steps[step]
        shared = issubclass(made, FakePreparer | FakeMerger)
        return Provider(
            framework="fake",
            environment=InProcess,
            factory=lambda context: made(self.repository) if shared else made(),
        )

    @hookimpl
    def agentrelay_workspace(self) -> list[WorkspaceProvider]:
        return [WorkspaceProvider(name="fake", factory=lambda run: FakeWorkspace(run.state_dir, self.repository))]

    @hookimpl
    def agentrelay_task_preparer(self) -> list[Provider[Any]]:
        return [self._provider("task_preparer")]

    @hookimpl
    def agentrelay_task_launcher(self) -> list[Provider[Any]]:
        return [self._provider("task_launcher")]

    @hookimpl
    def agentrelay_task_kickoff(self) -> list[Provider[Any]]:
        return [self._provider("task_kickoff")]

    @hookimpl
    def agentrelay_task_completion_checker(self) -> list[Provider[Any]]:
        return [self._provider("task_completion_checker")]

    @hookimpl
    def agentrelay_task_merger(self) -> list[Provider[Any]]:
        return [self._provider("task_merger")]

    @hookimpl
    def agentrelay_task_teardown(self) -> list[Provider[Any]]:
        return [self._provider("task_teardown")]


def judges(base: type, step: str, *classes: type, **fields: Any) -> dict[str, type]:
    """A compliance class for each of the classes, to be put into a module.

    Args:
        base: The compliance class of the kind.
        step: The step that the classes are of.
        classes: The reference and its mutants.
        fields: Attributes of all of them.
    """
    return {
        f"Test{each.__name__}": type(
            f"Test{each.__name__}",
            (getattr(each, "judge", base),),
            {
                "__module__": each.__module__,
                "plugin": Plugin(**{step: each}),
                "framework": "fake",
                "environment": "in_process",
                "companions": ("pytest_agentrelay.fakes",),
                "patience": 0.5,
                "capabilities": getattr(each, "capabilities", ()),
                "judged": each,
                **fields,
            },
        )
        for each in classes
    }


def block() -> None:
    """Hold whoever calls for longer than an event loop may be held."""
    time.sleep(0.15)


def leak() -> None:
    """Leave a process that nobody knows; the kit ends it after the check."""
    program = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
    subprocess.Popen(program, start_new_session=True, stdin=subprocess.DEVNULL)


def leak_descriptor() -> None:
    """Leave an open descriptor."""
    os.open(os.devnull, os.O_RDONLY)


def leak_thread() -> None:
    """Leave a thread that ends long after the check."""
    threading.Thread(target=threading.Event().wait, args=(20.0,), daemon=True).start()


def use_undeclared_program() -> None:
    """Start a program that no needs name."""
    subprocess.run(("true",), check=True)


def do_io() -> None:
    """What a constructor must not do."""
    with open(os.devnull) as file:  # noqa: PTH123  # it is about the opening
        file.read()
