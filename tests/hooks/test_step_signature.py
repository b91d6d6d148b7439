"""A step that cannot do its step is named before it is called."""

import functools
from collections.abc import Awaitable
from types import SimpleNamespace
from unittest.mock import AsyncMock, Mock

import pytest

from agentrelay_core.runtime import Internal, TaskRuntime
from agentrelay_core.task_runner import TaskCompletionSignal
from agentrelay_core.task_runner.signature import StepSignatureError, check_step


class Sound:
    """Every method in a form that is fine."""

    def prepare(self, runtime):
        pass

    async def launch(self, runtime):
        pass

    def kickoff(self, runtime, agent, tries=3, **more):
        pass

    async def wait_for_completion(self, runtime):
        pass

    def merge_pr(self, *arguments):
        pass

    @staticmethod
    def teardown(runtime):
        pass


METHODS = ("prepare", "launch", "kickoff", "wait_for_completion", "merge_pr", "teardown")


@pytest.mark.parametrize("method", METHODS)
def test_a_sound_step_passes_as_class_and_as_object(method):
    """Plain and async methods, optional parameters, ``*args`` and static methods are all fine."""
    check_step(Sound, method)
    check_step(Sound(), method)


def test_a_plain_wait_is_refused():
    """A plain ``def wait_for_completion`` would block every other task, and the message says what is due."""

    class Blocking:
        def wait_for_completion(self, runtime):
            pass

    with pytest.raises(StepSignatureError) as caught:
        check_step(Blocking, "wait_for_completion")
    text = str(caught.value)
    assert "Blocking has `def wait_for_completion(self, runtime)` (" in text
    assert f"{__file__}:" in text
    assert text.endswith(
        "which is not async and would block every other task; due is "
        "`async def wait_for_completion(self, runtime) -> TaskCompletionSignal`"
    )
    assert isinstance(caught.value, Internal)


class Wraps:
    """Methods that only look wrong."""

    def __init__(self):
        self.prepare = lambda runtime: None

    def wait_for_completion(self, runtime: TaskRuntime) -> Awaitable[TaskCompletionSignal]:
        raise NotImplementedError


def test_a_plain_wait_that_says_it_returns_an_awaitable_passes():
    """A wrapper that hands on a coroutine need not be async itself, as long as its return type says so."""
    check_step(Wraps, "wait_for_completion")


def test_a_method_on_the_object_is_seen_on_the_object_alone():
    """A function assigned in ``__init__`` counts when the step itself is given."""
    check_step(Wraps(), "prepare")
    with pytest.raises(
        StepSignatureError, match=r"Wraps has no prepare; due is `def prepare\(self, runtime\) -> None`"
    ):
        check_step(Wraps, "prepare")


@pytest.mark.parametrize(
    "step",
    [
        Mock(),
        AsyncMock(),
        SimpleNamespace(wait_for_completion=functools.partial(Sound.wait_for_completion, Sound())),
        SimpleNamespace(wait_for_completion=functools.wraps(Sound().wait_for_completion)(lambda *a: None)),
    ],
    ids=["mock", "async-mock", "partial", "wrapped"],
)
def test_stand_ins_and_wrapped_coroutines_pass(step):
    """Mocks, partials and decorated coroutine functions can be awaited, or cannot be judged, and pass."""
    check_step(step, "wait_for_completion")


@pytest.mark.parametrize(
    ("method", "has", "problem"),
    [
        ("prepare", "`def prepare(self)`", "cannot be called with (runtime)"),
        ("launch", "`def launch(self, runtime, where)`", "cannot be called with (runtime)"),
        ("kickoff", "`async def kickoff(self, runtime)`", "cannot be called with (runtime, agent)"),
        ("merge_pr", "`def merge_pr(self, runtime, *, pr_url)`", "cannot be called with (runtime, pr_url)"),
        ("teardown", "`def teardown(self, runtime)`", "is a generator, whose body would never run"),
    ],
)
def test_a_method_of_another_shape_is_refused(method, has, problem):
    """Wrong parameters and generators are named as they stand, with what is wrong about them."""

    class Odd:
        def prepare(self):
            pass

        def launch(self, runtime, where):
            pass

        async def kickoff(self, runtime):
            pass

        def merge_pr(self, runtime, *, pr_url):
            pass

        def teardown(self, runtime):
            yield

    with pytest.raises(StepSignatureError) as caught:
        check_step(Odd, method)
    assert has in str(caught.value)
    assert problem in str(caught.value)


def test_what_is_no_function_is_refused():
    """An attribute of the right name that cannot be called is named with its type."""
    with pytest.raises(StepSignatureError, match="has prepare of type str"):
        check_step(SimpleNamespace(prepare="yes"), "prepare")
