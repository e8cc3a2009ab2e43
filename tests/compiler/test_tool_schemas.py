"""The tools: JSON Schemas that accept what the engine can use and nothing else."""

import jsonschema
import pytest

from voiceflow_compiler.artifact import Action, Intent, Slot, Tool
from voiceflow_compiler.tool_schemas import action_tool, slot_schema, take_turn

INTENTS = {
    "agreement": Intent("agreement", "accepts"),
    "unclear": Intent("unclear", "anything else", built_in=True),
}
SLOTS = {
    "size": Slot("integer", "how many people", minimum=1.0, maximum=100000.0),
    "when": Slot("choice", "when to start", choices=("now", "later")),
    "pin": Slot("digits", "their pin", by_keypad=True),
    "password": Slot("text", "their password", secret=True),
}
REPORT = take_turn(INTENTS, SLOTS, "USD")
GOOD = {
    "intent": "agreement",
    "confidence": 0.9,
    "slots": {"size": 5},
    "sentiment": "neutral",
    "heard": "yes, five",
}


def accepts(tool: Tool, arguments: object) -> bool:
    """Whether a tool's parameters allow these arguments."""
    jsonschema.Draft202012Validator.check_schema(tool.parameters)
    return jsonschema.Draft202012Validator(tool.parameters).is_valid(arguments)


def test_the_report_is_the_contracts() -> None:
    """The whole schema of take_turn is the one of docs/prompting.md."""
    expected = Tool(
        name="take_turn",
        description="Report what the caller just said, before you speak.",
        parameters={
            "type": "object",
            "additionalProperties": False,
            "required": ["intent", "confidence", "slots", "sentiment", "heard"],
            "properties": {
                "intent": {"type": "string", "enum": ["agreement", "unclear"]},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "slots": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "size": {
                            "type": "integer",
                            "minimum": 1,
                            "maximum": 100000,
                            "description": "how many people",
                        },
                        "when": {"type": "string", "enum": ["now", "later"], "description": "when to start"},
                    },
                },
                "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
                "heard": {"type": "string", "description": "The caller's words, as exactly as you can."},
            },
        },
    )
    assert expected == REPORT


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"slots": {}}, True),
        ({"slots": {"when": "now", "size": 1}}, True),
        ({"intent": "agreemnt"}, False),
        ({"confidence": 1.2}, False),
        ({"slots": {"size": 0}}, False),
        ({"slots": {"size": "five"}}, False),
        ({"slots": {"when": "soon"}}, False),
        ({"slots": {"pin": "1234"}}, False),
        ({"slots": {"password": "sesame"}}, False),
        ({"sentiment": "furious"}, False),
        ({"go": "to_sales"}, False),
    ],
)
def test_a_report_holds_what_the_flow_declares(change: dict, good: bool) -> None:
    """A report names a declared intent and valid values of slots the model may know, and chooses no way."""
    assert accepts(REPORT, GOOD | change) is good


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_report_is_whole(missing: str) -> None:
    """No part of a report may be left out."""
    assert not accepts(REPORT, {key: value for key, value in GOOD.items() if key != missing})


@pytest.mark.parametrize(
    ("slot", "schema"),
    [
        (Slot("text", "a", min_length=2, max_length=5), {"type": "string", "minLength": 2, "maxLength": 5}),
        (Slot("number", "a", minimum=0.5), {"type": "number", "minimum": 0.5}),
        (Slot("boolean", "a"), {"type": "boolean"}),
        (Slot("date", "a"), {"type": "string", "format": "date", "description": "a (YYYY-MM-DD)"}),
        (Slot("time", "a"), {"type": "string", "format": "time", "description": "a (HH:MM, 24 h)"}),
        (Slot("money", "a"), {"type": "number", "description": "a (EUR)"}),
        (Slot("phone", "a"), {"type": "string", "description": "a (+ and digits)"}),
        (Slot("email", "a"), {"type": "string", "format": "email"}),
        (Slot("digits", "a"), {"type": "string", "pattern": "^[0-9*#]+$"}),
    ],
    ids=lambda value: value.type if isinstance(value, Slot) else None,
)
def test_every_type_has_its_schema(slot: Slot, schema: dict) -> None:
    """Each type of slot is asked for in the form the contract names."""
    assert slot_schema(slot, "EUR") == {"description": "a", **schema}


def test_a_tool_on_request_takes_slots_the_model_may_know() -> None:
    """Its parameters are the slots behind its arguments; facts, literals and secrets are the engine's."""
    takes = {
        "people": ["name", "slots", "size"],
        "pin": ["name", "slots", "pin"],
        "password": ["name", "slots", "password"],
        "account": ["name", "facts", "account"],
        "plan": ["value", "basic"],
    }
    tool = action_tool("look_up_price", Action("Looks up a price.", takes=takes), SLOTS, "USD")
    assert (tool.name, tool.description) == ("look_up_price", "Looks up a price.")
    assert list(tool.parameters["properties"]) == ["size"]
    assert accepts(tool, {})
    assert accepts(tool, {"size": 3})
    assert not accepts(tool, {"account": "A1"})
