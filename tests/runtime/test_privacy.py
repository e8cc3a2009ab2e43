"""Every field has a class, and what a record may hold follows it."""

import msgspec

from runtime.engine import effects, events
from runtime.engine.state import SlotValue, State
from runtime.privacy import CLASSES, may_be_card, shown, shown_order
from runtime.store.tables import METADATA
from tests.runtime.engine.world import ask, flow
from voiceflow_compiler.artifact import Action, Slot

SLOTS = {
    "pin": Slot("digits", "number", max_length=4, by_keypad=True, secret=True),
    "account": Slot("digits", "account", by_keypad=True),
    "room": Slot("digits", "room", max_length=3, by_keypad=True),
}
ACTIONS = {"pay": Action("Pays.", {"pin": ["name", "slots", "pin"], "of": ["value", 5]}, secrets=("pin",))}


def at(slot: str, **fields):
    """A call that waits for the digits of this slot."""
    node = ask(collect=(slot,), filled="bye", keys={"9": ask().answers["wants_person"]})
    return flow({"n0": node}, slots=SLOTS, actions=ACTIONS), State(node="n0", disclosed=True, **fields)


def test_every_field_has_its_class() -> None:
    """No event, order or table is missing, and no field that does not exist is named."""
    for each in (*events.Event.__args__, *effects.Effect.__args__):
        names = {field.name for field in msgspec.structs.fields(each)}
        assert set(CLASSES[each.__name__]) <= names
    for table in METADATA.sorted_tables:
        assert set(CLASSES[table.name]) <= {column.name for column in table.columns}
    unsafe = {(name, field) for name, fields in CLASSES.items() for field in fields}
    free = {
        (each.__name__, field.name)
        for each in (*events.Event.__args__, *effects.Effect.__args__)
        for field in msgspec.structs.fields(each)
    } - unsafe
    assert {field for _, field in free} == KNOWN_TO_BE_SAFE


# A field under a new name is looked at by whoever adds it: here if it may stand in a log.
KNOWN_TO_BE_SAFE = {
    *(
        "action",
        "answerer_due",
        "at_ms",
        "attempt",
        "by",
        "call_id",
        "detail",
        "direction",
        "final",
        "handoff",
    ),
    *("handoff_id", "heard_ms", "kind", "mode", "ms", "node", "on", "outcome", "protected", "purpose"),
    *(
        "reason",
        "receipt",
        "result",
        "retries",
        "run_id",
        "script",
        "source",
        "speech_id",
        "step",
        "timeout_ms",
    ),
    *("timer", "turn_id", "wait_ms", "why", "within_ms"),
} - {"result"}


def pressed(artifact, state, digits: str) -> list[str]:
    """The digits as a record may hold them."""
    told = [shown(artifact, state, events.DtmfPressed(at_ms=1, digit=digit)) for digit in digits]
    return [event.digit for event in told if isinstance(event, events.DtmfPressed)]


def test_a_digit_of_a_secret_is_a_star() -> None:
    """Digits of a secret are recorded as stars, its end as it is."""
    artifact, state = at("pin")
    assert pressed(artifact, state, "12*#") == ["*", "*", "*", "#"]


def test_a_digit_that_goes_nowhere_is_no_key() -> None:
    """Keys that nothing asked for are not written down; those the flow answers are."""
    artifact, state = at("room", slots={"room": SlotValue("12", sure=True)})
    assert pressed(artifact, state, "19") == ["x", "9"]


def test_digits_that_may_be_a_card_are_held() -> None:
    """Where thirteen digits and more fit, it is not yet known what they are; a room number is no card."""
    artifact, state = at("account", digits="41")
    assert may_be_card(artifact, state)
    assert not may_be_card(*at("room", digits="41"))
    assert not may_be_card(*at("pin", digits="41"))


def test_a_secret_argument_is_stars() -> None:
    """An order's secret arguments are recorded as stars of their length, the others as they are."""
    artifact, _ = at("pin")
    order = effects.RunAction("r1", "pay", {"pin": "1234", "of": 5}, "k", 1000)
    told = effects.RunAction("r1", "pay", {"pin": "****", "of": 5}, "k", 1000)
    assert shown_order(artifact, order) == told
