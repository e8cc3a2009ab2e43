"""What a `response.create` asks for: its checks, its settings over the session's, and the items it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from runtime.session.stand_in import configuration
from runtime.session.stand_in.configuration import Json, Problem
from runtime.session.stand_in.items import Item, check_item, find

TAKEN_OVER = ("instructions", "tools", "tool_choice", "output_modalities", "max_output_tokens")


def check(asked: Any) -> Problem | None:
    """The first thing wrong with the `response` of a request."""
    if not isinstance(asked, dict):
        return Problem("invalid_type", "Invalid type for 'response': expected an object.", "response")
    return configuration.check(asked, configuration.RESPONSE, "response")


def too_early(active_id: str) -> Problem:
    """Why a second response in the conversation has to wait."""
    text = (
        f"Conversation already has an active response in progress: {active_id}. "
        "Wait until the response is finished before creating a new one."
    )
    return Problem("conversation_already_has_active_response", text)


def effective(session: Json, asked: Json) -> Json:
    """The settings of one response: what it asks for replaces the session's (instructions too, whole)."""
    settings = {key: session[key] if asked.get(key) is None else asked[key] for key in TAKEN_OVER}
    output = (asked.get("audio") or {}).get("output") or {}
    sound = {key: value for key, value in output.items() if value is not None}
    return {**settings, "audio": {"output": {**session["audio"]["output"], **sound}}}


def look_up(items: Sequence[Item], given: Any, make: Callable[[Json], Item]) -> tuple[Item, ...] | Problem:
    """The items a response sees: the conversation, or its own `input` of items and references to items."""
    if given is None:
        return tuple(items)
    seen: list[Item] = []
    for number, value in enumerate(given):
        found = _one(items, value, f"response.input[{number}]", make)
        if isinstance(found, Problem):
            return found
        seen.append(found)
    return tuple(seen)


def _one(items: Sequence[Item], value: Any, path: str, make: Callable[[Json], Item]) -> Item | Problem:
    if isinstance(value, dict) and value.get("type") == "item_reference":
        missing = Problem("invalid_value", f"Item with id '{value.get('id')}' not found.", f"{path}.id")
        return find(items, value.get("id")) or missing
    return check_item(value, path) or make(value)
