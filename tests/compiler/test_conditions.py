"""The language of conditions: what is lowered, and where a mistake is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceflow_compiler.conditions import FAMILIES, TURN, Named, condition, intent_names, value

NAMES = {
    "slots": {
        "seats": Named("integer"),
        "timeline": Named("choice", ("this_quarter", "later")),
        "email": Named("email"),
        "owner": Named("boolean"),
        "day": Named("date"),
        "hour": Named("time"),
        "price": Named("money"),
    },
    "facts": {"tickets": Named("integer"), "status": Named("choice", ("none", "trial"))},
    "results": {"book.time": Named("text")},
    "intent": intent_names(("agreement", "unclear")),
    "turn": TURN,
}
SEATS = ["name", "slots", "seats"]


@pytest.mark.parametrize(
    ("text", "lowered"),
    [
        ("slots.seats >= 50", [">=", SEATS, ["value", 50]]),
        ("slots.owner", ["name", "slots", "owner"]),
        ("not slots.owner", ["not", ["name", "slots", "owner"]]),
        ("slots.seats not in [1, 2]", ["not in", SEATS, ["list", ["value", 1], ["value", 2]]]),
        ("results.book.time == 'noon'", ["==", ["name", "results", "book", "time"], ["value", "noon"]]),
        ('slots.timeline == "later"', ["==", ["name", "slots", "timeline"], ["value", "later"]]),
        ("slots.price > 9.5", [">", ["name", "slots", "price"], ["value", 9.5]]),
        ("slots.day < '2026-12-31'", ["<", ["name", "slots", "day"], ["value", "2026-12-31"]]),
        (
            "slots.owner or slots.seats > 1 and not (slots.seats > 5)",
            [
                "or",
                ["name", "slots", "owner"],
                ["and", [">", SEATS, ["value", 1]], ["not", [">", SEATS, ["value", 5]]]],
            ],
        ),
        (
            "slots.seats == 1 or slots.seats == 2 or slots.seats == 3",
            ["or", *(["==", SEATS, ["value", number]] for number in (1, 2, 3))],
        ),
    ],
)
def test_a_condition_is_lowered(text: str, lowered: list[object]) -> None:
    """`and` binds tighter than `or`, `not` tighter than both, and chains stay flat."""
    assert condition(text, NAMES) == (lowered, [])


@pytest.mark.parametrize(
    ("text", "code", "marked", "tip"),
    [
        ("slots.seets > 1", "VF131", "seets", "Did you mean `slots.seats`?"),
        ("slot.seats > 1", "VF131", "slot", "Did you mean `slots.seats`?"),
        ("seats > 1", "VF131", "seats", "Did you mean `slots.seats`?"),
        ("slots > 1", "VF131", "slots", "There are: seats, timeline, email, owner, day, hour, price."),
        ("slots.seats > 'ten'", "VF132", "'ten'", "Text stands in 'quotes', numbers do not."),
        ("slots.seats", "VF132", "slots.seats", "Compare it with something: `==`, `>=`, `in`."),
        ("slots.owner > true", "VF132", "slots.owner > true", "Use `==`, `!=` or `in`."),
        ("slots.email < 'b'", "VF132", "slots.email < 'b'", "Use `==`, `!=` or `in`."),
        ("slots.day < 'soon'", "VF132", "'soon'", "Write it as '2026-12-31'."),
        ("slots.seats in 5", "VF132", "5", "Write `in ['one', 'other']`."),
        ("slots.timeline == 'latter'", "VF133", "'latter'", "Did you mean 'later'?"),
        ("slots.timeline in ['later', 'x']", "VF133", "'x'", "It can be: this_quarter, later."),
        ("'escalaton' == intent.family", "VF133", "'escalaton'", "Did you mean 'escalation'?"),
        ("slots.seats = 1", "VF130", "=", "Write `==`."),
        ("slots.owner && slots.owner", "VF130", "&&", "Write `and`."),
        ("slots.seats is 1", "VF130", "is", "Write `==`."),
        ("1 < slots.seats < 5", "VF130", "<", "Compare two things at a time, joined by `and`."),
        ("(slots.owner", "VF130", "(", "Close it with `)`."),
        ("slots.timeline == 'later", "VF130", "'", "Close it with the same quote."),
        ("slots.owner.upper()", "VF130", "(", None),
        ("__import__('os')", "VF130", "(", None),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, code: str, marked: str, tip: str | None) -> None:
    """Each mistake has its code, the very characters that are wrong, and what to write instead."""
    expr, problems = condition(text, NAMES)
    assert expr is None
    assert problems[0].code == code
    assert text[problems[0].start : problems[0].end] == marked
    assert tip in (None, problems[0].tip)


def test_all_type_mistakes_are_told_at_once() -> None:
    """A condition with three wrong names gives three problems."""
    _, problems = condition("slots.a > 1 and facts.b > 1 or not turn.c", NAMES)
    assert [problem.code for problem in problems] == ["VF131"] * 3


def test_a_value_is_one_name_or_one_literal() -> None:
    """What an action takes may not be computed."""
    assert value("slots.email", NAMES) == (["name", "slots", "email"], [])
    assert value("'demo'", NAMES) == (["value", "demo"], [])
    assert value("slots.seats > 1", NAMES)[1][0].code == "VF135"


@given(st.text(max_size=200))
def test_any_text_is_lowered_or_explained(text: str) -> None:
    """Whatever is written ends in an expression or in problems inside the text, never in an exception."""
    expr, problems = condition(text, NAMES)
    assert (expr is None) == bool(problems)
    assert all(0 <= problem.start < problem.end <= max(len(text), 1) + 1 for problem in problems)


ATOMS = st.sampled_from(
    [
        "slots.seats > 1",
        "slots.owner",
        "facts.status == 'trial'",
        "turn.number in [1, 2]",
        "intent.confidence < 0.5",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"not ({part})"),
    ),
    max_leaves=8,
)


@given(CONDITIONS)
def test_every_good_condition_passes(text: str) -> None:
    """What is built by the rules of the language has no problems."""
    assert condition(text, NAMES)[1] == []


def test_every_family_can_be_asked_for() -> None:
    """`intent.family` knows every family of the language."""
    assert all(condition(f"intent.family == '{family}'", NAMES)[1] == [] for family in FAMILIES)
