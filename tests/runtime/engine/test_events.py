"""Events hold what a record can hold: what was lived through and what is replayed are the same."""

import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine import events as ev
from runtime.engine.events import recordable

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=4)
from_outside = st.recursive(
    scalars | st.binary(max_size=2) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), from_outside, max_size=4))
def test_an_event_comes_back_from_its_record_as_it_was(sent) -> None:
    """Whatever a CRM, a model or an action sends, the event read from a record equals the one written."""
    for event in (
        ev.ContextLoaded(at_ms=1, facts=sent),
        ev.TurnReported(at_ms=1, turn_id="t", arguments=sent),
        ev.ActionRequested(at_ms=1, call_id="c", action="a", arguments=sent),
        ev.ActionSucceeded(at_ms=1, run_id="r", result=sent),
    ):
        assert msgspec.json.decode(msgspec.json.encode(event), type=ev.Event) == event


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, b"x", Decimal(1), object()])
def test_what_json_cannot_hold_is_taken_out(value) -> None:
    """A value that no record can hold never reaches the engine, wherever it stands."""
    assert recordable({"a": value, "b": [value, 1]}) == {"a": None, "b": [None, 1]}


def test_half_a_character_becomes_a_question_mark() -> None:
    """A text that cannot be written as UTF-8 is made writable."""
    assert recordable({"\ud83d": "a\ud800b"}) == {"?": "a?b"}
