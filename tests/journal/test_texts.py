"""Texts of the encoder that is kept are those of Python's own."""

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentrelay_core.journal.texts import encoder

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)
VALUES = st.lists(PLAIN) | st.dictionaries(st.text(), PLAIN | st.just(PurePosixPath("a/b")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_texts_are_those_of_json(value: Any) -> None:
    """Whatever is encoded, keys sorted or not, has the text that a new encoder gives it."""
    for sort_keys in (False, True):
        assert encoder(str, sort_keys=sort_keys)(value) == json.dumps(
            value, default=str, sort_keys=sort_keys, separators=(",", ":")
        )


def test_a_python_without_c_parts_has_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no encoder in C, the text is the same."""
    value = {"b": [1, 2.5, None], "a": PurePosixPath("x")}
    fast = encoder(str, sort_keys=True)(value)
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert encoder(str, sort_keys=True)(value) == fast == '{"a":"x","b":[1,2.5,null]}'
