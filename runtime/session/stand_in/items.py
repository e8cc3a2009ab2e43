"""Conversation items: what the client may create, where an item goes, and what a model would read in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime import audio
from runtime.session.stand_in.configuration import Json, Problem
from runtime.session.stand_in.turns import Entry

CONTENT = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text", "output_audio"),
}
NEEDS = {
    "input_text": "text",
    "output_text": "text",
    "output_audio": "text",
    "input_audio": "audio",
    "input_image": "image_url",
}
FIELDS = {
    "message": (),
    "function_call": ("name", "arguments"),
    "function_call_output": ("call_id", "output"),
}


@dataclass(slots=True)
class Item:
    """One item: its wire form, and what the wire does not show (mu-law audio, the words in it, where it was
    cut)."""

    wire: Json
    audio: bytearray = field(default_factory=bytearray)
    heard: str | None = None
    cut_ms: int | None = None

    @property
    def id(self) -> str:
        return str(self.wire["id"])

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // audio.BYTES_PER_MS

    @property
    def is_caller_audio(self) -> bool:
        return self.wire.get("role") == "user" and any(
            part["type"] == "input_audio" for part in parts_of(self.wire)
        )

    @property
    def is_assistant_audio(self) -> bool:
        return self.wire.get("role") == "assistant" and any(
            part["type"] == "output_audio" for part in parts_of(self.wire)
        )

    def entry(self) -> Entry:
        """The item as a policy reads it."""
        match self.wire["type"]:
            case "function_call":
                return Entry("call", self.wire["arguments"], self.wire["name"], self.wire["call_id"])
            case "function_call_output":
                return Entry("output", str(self.wire["output"]), call_id=self.wire["call_id"])
            case "message":
                return Entry(self.wire["role"], self._words())
            case _:
                return Entry("system", "")

    def _words(self) -> str:
        if self.is_caller_audio:
            return self.heard or ""
        parts = (part.get("text") or part.get("transcript") or "" for part in self.wire["content"])
        return "\n".join(part for part in parts if part)


def parts_of(wire: Json) -> list[Json]:
    """The content of a message; other items have none that is ours to read."""
    return list(wire["content"]) if wire["type"] == "message" else []


def check_item(item: Any, path: str = "item") -> Problem | None:
    """What is wrong with an item a client wants to add."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return _missing(f"{path}.type")
    kind = item["type"]
    for name in ("id", "call_id"):
        if not isinstance(item.get(name), str | None):
            return Problem(
                "invalid_type", f"Invalid type for '{path}.{name}': expected a string.", f"{path}.{name}"
            )
    if kind not in FIELDS:
        return None if kind.startswith("mcp_") else _unsupported(kind, f"{path}.type", FIELDS)
    absent = next((name for name in FIELDS[kind] if not isinstance(item.get(name), str)), None)
    if absent:
        return _missing(f"{path}.{absent}")
    return _check_message(item, path) if kind == "message" else None


def _check_message(item: Json, path: str) -> Problem | None:
    role = item.get("role")
    if not isinstance(role, str) or role not in CONTENT:
        return _missing(f"{path}.role") if role is None else _unsupported(role, f"{path}.role", CONTENT)
    if not isinstance(item.get("content"), list):
        return _missing(f"{path}.content")
    for number, part in enumerate(item["content"]):
        where = f"{path}.content[{number}]"
        if not isinstance(part, dict) or part.get("type") not in CONTENT[role]:
            return _unsupported(
                (part or {}).get("type") if isinstance(part, dict) else part, f"{where}.type", CONTENT[role]
            )
        if not isinstance(part.get(NEEDS[part["type"]]), str):
            return _missing(f"{where}.{NEEDS[part['type']]}")
    return None


def _missing(where: str) -> Problem:
    return Problem("missing_required_parameter", f"Missing required parameter: '{where}'.", where)


def _unsupported(value: Any, where: str, allowed: Any) -> Problem:
    listed = ", ".join(f"'{one}'" for one in allowed)
    return Problem("invalid_value", f"Invalid value: '{value}'. Supported values are: {listed}.", where)


def completed(item: Json, item_id: str, call_id: str) -> Json:
    """A client's item in full wire form: its own id if it gave one; audio bytes are not echoed."""
    whole = {**item, "id": item.get("id") or item_id, "object": "realtime.item", "status": "completed"}
    if item["type"] == "function_call":
        whole["call_id"] = item.get("call_id") or call_id
    if item["type"] == "message":
        whole["content"] = [_without_audio(part) for part in item["content"]]
    return whole


def _without_audio(part: Json) -> Json:
    if part["type"] != "input_audio":
        return part
    return {"type": "input_audio", "transcript": part.get("transcript")}


def position(items: Sequence[Item], previous_id: str | None) -> int | None:
    """The index at which an item goes that should follow `previous_id` ("root": first; None: last); None if
    unknown."""
    if previous_id is None:
        return len(items)
    if previous_id == "root":
        return 0
    return next((n + 1 for n, item in enumerate(items) if item.id == previous_id), None)


def find(items: Sequence[Item], item_id: Any) -> Item | None:
    """The item with this id."""
    return next((item for item in items if item.id == item_id), None)


def named(items: Sequence[Item], event: Json, verb: str) -> Item | Problem:
    """The item a client event is about; `verb` (delete, retrieve, truncate) words the refusal."""
    item_id = event.get("item_id")
    if not isinstance(item_id, str):
        return _missing("item_id")
    text = f"Error {verb.removesuffix('e')}ing item: the item with id '{item_id}' does not exist."
    return find(items, item_id) or Problem(f"item_{verb}_invalid_item_id", text, "item_id")


def unplaceable(items: Sequence[Item], value: Json, previous_id: Any) -> Problem | None:
    """Why a well-formed item cannot join these."""
    if value.get("id") is not None and find(items, value["id"]):
        return Problem(
            "invalid_value", f"Error adding item: an item with id '{value['id']}' already exists.", "item.id"
        )
    if position(items, previous_id) is None:
        text = f"Error adding item: the previous item with id '{previous_id}' does not exist."
        return Problem("item_create_invalid_previous_item_id", text, "previous_item_id")
    calls = {item.wire.get("call_id") for item in items if item.wire["type"] == "function_call"}
    if value["type"] == "function_call_output" and value["call_id"] not in calls:
        text = f"Tool call ID '{value['call_id']}' not found in conversation."
        return Problem("invalid_tool_call_id", text, "item.call_id")
    return None


def untruncatable(item: Item, event: Json) -> Problem | None:
    """Why this truncation is refused."""
    end_ms = event.get("audio_end_ms")
    if type(end_ms) is not int:
        return _missing("audio_end_ms")
    if end_ms < 0:
        expected = f"Expected a value >= 0, but got {end_ms} instead."
        text = f"Invalid 'audio_end_ms': integer below minimum value. {expected}"
        return Problem("integer_below_min_value", text, "audio_end_ms")
    if not item.is_assistant_audio or not item.audio:
        return Problem("unsupported_content_type", "Only model output audio messages can be truncated")
    if event.get("content_index") != 0:
        return Problem(
            "invalid_value", "Invalid 'content_index': the item has one content part.", "content_index"
        )
    if end_ms > item.audio_ms:
        return Problem(None, f"Audio content of {item.audio_ms}ms is already shorter than {end_ms}ms")
    return None
