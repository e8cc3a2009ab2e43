"""The tools the model is given: `take_turn`, and one per action that may run on request."""

from collections.abc import Mapping
from typing import Any, Final

from voiceflow_compiler.artifact import Action, Expr, Intent, Slot, Tool

SENTIMENTS: Final = ("positive", "neutral", "negative")

_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "choice": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "money": {"type": "number"},
    "phone": {"type": "string"},
    "email": {"type": "string", "format": "email"},
    "digits": {"type": "string", "pattern": "^[0-9*#]+$"},
}
# How a value is written, where the type alone does not say it.
_WRITTEN: Final = {"date": "YYYY-MM-DD", "time": "HH:MM, 24 h", "phone": "+ and digits"}


def take_turn(intents: Mapping[str, Intent], slots: Mapping[str, Slot], currency: str) -> Tool:
    """The report of one caller turn. Secrets and what is typed on the keypad are not in it."""
    values = {name: slot_schema(slot, currency) for name, slot in slots.items() if _reported(slot)}
    properties = {
        "intent": {"type": "string", "enum": list(intents)},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "slots": _object(values),
        "sentiment": {"type": "string", "enum": list(SENTIMENTS)},
        "heard": {"type": "string", "description": "The caller's words, as exactly as you can."},
    }
    parameters = _object(properties) | {"required": list(properties)}
    return Tool("take_turn", "Report what the caller just said, before you speak.", parameters)


def action_tool(name: str, action: Action, slots: Mapping[str, Slot], currency: str) -> Tool:
    """A tool named as its action. Its parameters are the slots the action takes and the model may report.

    None of them is required: what the call knows already need not be said again.
    """
    wanted = [slot for slot in map(_slot_of, action.takes.values()) if slot in slots]
    values = {slot: slot_schema(slots[slot], currency) for slot in wanted if _reported(slots[slot])}
    return Tool(name, action.does, _object(values))


def slot_schema(slot: Slot, currency: str) -> dict[str, Any]:
    """The JSON Schema of one value, as a model is asked to write it."""
    limits = {
        "enum": list(slot.choices) or None,
        "minimum": slot.minimum,
        "maximum": slot.maximum,
        "minLength": slot.min_length,
        "maxLength": slot.max_length,
    }
    written = currency if slot.type == "money" else _WRITTEN.get(slot.type)
    return {
        **_TYPES[slot.type],
        **{key: _whole(value) for key, value in limits.items() if value is not None},
        "description": f"{slot.meaning} ({written})" if written else slot.meaning,
    }


def _reported(slot: Slot) -> bool:
    return not slot.secret and not slot.by_keypad


def _slot_of(expr: Expr) -> str:
    """The slot an argument is read from, or nothing: facts and literals are the engine's alone."""
    match expr:
        case ["name", "slots", str(name)]:
            return name
    return ""


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _whole(value: Any) -> Any:
    """A limit as people write it: 100000, not 100000.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
