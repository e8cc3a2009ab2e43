"""What is proved of conditions, held against the engine's own evaluation of them."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.conditions import holds
from runtime.engine.state import State
from voiceflow_compiler import pipeline
from voiceflow_compiler.checks.base import conditions
from voiceflow_compiler.flow import Flow

BASE = Path(__file__).parents[2] / "cases" / "checks" / "base.yaml"
INTENTS = ("agreement", "too_expensive", "what_is_this", "denial", "unclear")


@cache
def flow() -> Flow:
    """The base flow: a bounded integer slot, an email and a fact of three choices."""
    loaded = pipeline.load(str(BASE)).flow
    assert loaded is not None
    return loaded


def _compare(
    name: list[str], values: st.SearchStrategy[Any], signs: tuple[str, ...]
) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda sign, value: [sign, ["name", *name], ["value", value]], st.sampled_from(signs), values
    )


ORDERED = ("==", "!=", "<", "<=", ">", ">=")
atoms = st.one_of(
    _compare(["slots", "team_size"], st.integers(-2, 8) | st.sampled_from([2.5, 999, 1000, 1001]), ORDERED),
    _compare(["facts", "account"], st.sampled_from(["none", "trial", "customer"]), ("==", "!=")),
    _compare(["turn", "number"], st.integers(0, 3), ORDERED),
    _compare(["intent", "family"], st.sampled_from(["agreement", "objection"]), ("==", "!=")),
    _compare(["intent", "name"], st.sampled_from(INTENTS), ("==", "!=")),
    _compare(["slots", "email"], st.sampled_from(["a@b.example", "c@d.example"]), ("==", "!=")),
    st.lists(st.sampled_from(["none", "trial", "customer"]), min_size=1, max_size=3).map(
        lambda items: ["in", ["name", "facts", "account"], ["list", *(["value", item] for item in items)]]
    ),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ["and", *parts]),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ["or", *parts]),
        inner.map(lambda part: ["not", part]),
    ),
    max_leaves=5,
)


@st.composite
def states(draw: st.DrawFn) -> State:
    """Where a call may stand: values known or not, a turn heard or not."""
    slots: dict[str, Any] = {}
    size = draw(st.none() | st.integers(1, 8) | st.sampled_from([999, 1000]))
    email = draw(st.sampled_from([None, "a@b.example", "x@y.example"]))
    slots |= {} if size is None else {"team_size": {"value": size}}
    slots |= {} if email is None else {"email": {"value": email}}
    intent = draw(st.sampled_from(["", *INTENTS]))
    family = flow().intents[intent].family if intent else ""
    heard = {"intent": intent, "family": family, "confidence": 0.9 if intent else 0.0}
    facts = {"account": draw(st.sampled_from(["none", "trial", "customer"]))}
    counts = {"turns": draw(st.integers(0, 5))}
    return msgspec.convert({"slots": slots, "facts": facts, "heard": heard, "counts": counts}, State)


@given(expr=expressions, state=states())
@settings(max_examples=400)
def test_what_holds_on_a_call_is_not_called_impossible(expr: Any, state: State) -> None:
    """A condition that holds somewhere is never said to hold nowhere."""
    if holds(expr, state):
        assert not conditions.never_true(expr, flow(), conditions.domains(flow()))


@given(cases=st.lists(expressions, min_size=2, max_size=4), state=states())
@settings(max_examples=400)
def test_a_case_that_is_taken_is_not_called_shadowed(cases: list[Any], state: State) -> None:
    """The case that a call takes, or its `otherwise`, is one that the worlds leave somebody for."""
    found = conditions.worlds(cases, flow(), conditions.domains(flow()))
    assert found is not None
    left = found.all
    for expr, held in zip(cases, found.holding, strict=True):
        if holds(expr, state):
            assert held & left
            return
        left &= ~held
    assert left


def test_whole_numbers_and_unions_are_seen() -> None:
    """No whole number lies between two and three, and two halves are a whole."""
    size = ["name", "slots", "team_size"]
    known = conditions.domains(flow())
    between = ["and", [">", size, ["value", 2]], ["<", size, ["value", 3]]]
    assert conditions.never_true(between, flow(), known)
    halves = [["<", size, ["value", 10]], [">=", size, ["value", 10]]]
    found = conditions.worlds(halves, flow(), known, sure=lambda name: True)
    assert found is not None
    assert found.holding[0] | found.holding[1] == found.all
