"""What a client may set: the session object and the parameters of a response, their defaults, checks and
merging.

The tables say which parameter takes which values (the GA Realtime session of the OpenAI SDK, 3.x). `check`
answers with the first Problem, worded as the real server words it; nothing here keeps state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a client event was refused: the fields of the protocol's error object."""

    code: str | None
    message: str
    param: str | None = None


Check = Callable[[Any, str], Problem | None]
Table = Mapping[str, Any]  # parameter -> Check, or a nested Table

ARTICLES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def _kind(value: Any) -> str:
    return "null" if value is None else ARTICLES.get(type(value), "something else")


def _wrong_type(value: Any, path: str, expected: str) -> Problem:
    message = f"Invalid type for '{path}': expected {expected}, but got {_kind(value)} instead."
    return Problem("invalid_type", message, path)


def _is(kind: type) -> Check:
    def check(value: Any, path: str) -> Problem | None:
        return None if type(value) is kind else _wrong_type(value, path, ARTICLES[kind])

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> Problem | None:
        if isinstance(value, str) and value in allowed:
            return None
        listed = ", ".join(f"'{name}'" for name in allowed)
        return Problem("invalid_value", f"Invalid value: '{value}'. Supported values are: {listed}.", path)

    return check


def _between(low: float, high: float, *, whole: bool) -> Check:
    word = "integer" if whole else "decimal"

    def check(value: Any, path: str) -> Problem | None:
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            return _wrong_type(value, path, ARTICLES[int if whole else float])
        if low <= value <= high:
            return None
        side, sign, bound = ("below min", ">=", low) if value < low else ("above max", "<=", high)
        expected = f"Expected a value {sign} {bound}, but got {value} instead."
        text = f"Invalid '{path}': {word} {side}imum value. {expected}"
        return Problem(f"{word}_{side.replace(' ', '_')}_value", text, path)

    return check


def _first_that_fits(*checks: Check) -> Check:
    def check(value: Any, path: str) -> Problem | None:
        problems = [one(value, path) for one in checks]
        return None if None in problems else problems[-1]

    return check


def _each(check_one: Check) -> Check:
    def check(value: Any, path: str) -> Problem | None:
        if not isinstance(value, list):
            return _wrong_type(value, path, ARTICLES[list])
        return next((bad for n, one in enumerate(value) if (bad := check_one(one, f"{path}[{n}]"))), None)

    return check


def _table(table: Table, *required: str) -> Check:
    def checked(value: Any, path: str) -> Problem | None:
        if not isinstance(value, dict):
            return _wrong_type(value, path, ARTICLES[dict])
        missing = next((key for key in required if key not in value), None)
        if missing:
            return Problem(
                "missing_required_parameter",
                f"Missing required parameter: '{path}.{missing}'.",
                f"{path}.{missing}",
            )
        return check(value, table, path)

    return checked


def _by_type(**tables: Check) -> Check:
    def checked(value: Any, path: str) -> Problem | None:
        if not isinstance(value, dict):
            return _wrong_type(value, path, ARTICLES[dict])
        kind = value.get("type")
        if kind is None:
            return Problem(
                "missing_required_parameter", f"Missing required parameter: '{path}.type'.", f"{path}.type"
            )
        named = {name.replace("__", "/"): one for name, one in tables.items()}
        return (
            named[kind](value, path)
            if isinstance(kind, str) and kind in named
            else _one_of(*named)(kind, f"{path}.type")
        )

    return checked


def _any(value: Any, path: str) -> Problem | None:
    return None


def _metadata(value: Any, path: str) -> Problem | None:
    if not isinstance(value, dict):
        return _wrong_type(value, path, ARTICLES[dict])
    if len(value) > 16:
        return Problem(
            "object_above_max_properties",
            f"Invalid '{path}': too many properties. Expected at most 16.",
            path,
        )
    for key, one in value.items():
        if not isinstance(one, str):
            return _wrong_type(one, f"{path}.{key}", ARTICLES[str])
        if len(key) > 64 or len(one) > 512:
            return Problem(
                "string_above_max_length",
                f"Invalid '{path}.{key[:64]}': string too long.",
                f"{path}.{key[:64]}",
            )
    return None


TEXT, FLAG = _is(str), _is(bool)
FORMAT = _by_type(
    audio__pcm=_table({"type": TEXT, "rate": _between(24000, 24000, whole=True)}),
    audio__pcmu=_table({"type": TEXT}),  # no rate: the telephone formats have only one
    audio__pcma=_table({"type": TEXT}),
)
_TURNS: Table = {"type": TEXT, "create_response": FLAG, "interrupt_response": FLAG}
TURN_DETECTION = _by_type(
    server_vad=_table(
        {
            **_TURNS,
            "threshold": _between(0, 1, whole=False),
            "prefix_padding_ms": _between(0, 10_000, whole=True),
            "silence_duration_ms": _between(0, 10_000, whole=True),
            "idle_timeout_ms": _between(5_000, 30_000, whole=True),
        }
    ),
    semantic_vad=_table({**_TURNS, "eagerness": _one_of("low", "medium", "high", "auto")}),
)
TURN_DEFAULTS: dict[str, Json] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}
TOOLS = _each(
    _by_type(
        function=_table({"type": TEXT, "name": TEXT, "description": TEXT, "parameters": _is(dict)}, "name"),
        mcp=_table(
            dict.fromkeys(
                [
                    "server_label",
                    "server_url",
                    "server_description",
                    "connector_id",
                    "authorization",
                    "allowed_tools",
                    "allowed_callers",
                    "headers",
                    "require_approval",
                    "defer_loading",
                    "tunnel_id",
                    "type",
                ],
                _any,
            ),
            "server_label",
        ),
    )
)
TOOL_CHOICE = _first_that_fits(
    _by_type(
        function=_table({"type": TEXT, "name": TEXT}, "name"),
        mcp=_table({"type": TEXT, "server_label": TEXT, "name": TEXT}),
    ),
    _one_of("none", "auto", "required"),
)
VOICE = _first_that_fits(_table({"id": TEXT}, "id"), TEXT)
MAX_TOKENS = _first_that_fits(_one_of("inf"), _between(1, 4096, whole=True))


def _modalities(value: Any, path: str) -> Problem | None:
    bad = _each(_one_of("text", "audio"))(value, path)
    if bad or len(value) == 1:
        return bad
    return Problem(
        "invalid_value",
        f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio'].",
        path,
    )


_SHARED: Table = {
    "instructions": TEXT,
    "output_modalities": _modalities,
    "tools": TOOLS,
    "tool_choice": TOOL_CHOICE,
    "max_output_tokens": MAX_TOKENS,
    "parallel_tool_calls": FLAG,
    "prompt": _table({"id": TEXT, "version": TEXT, "variables": _is(dict)}, "id"),
    "reasoning": {"effort": _one_of("minimal", "low", "medium", "high", "xhigh")},
}
_INPUT: Table = {
    "format": FORMAT,
    "noise_reduction": {"type": _one_of("near_field", "far_field"), "strength": _between(0, 1, whole=False)},
    "transcription": {
        **dict.fromkeys(("model", "language", "prompt"), TEXT),
        "languages": _each(TEXT),
        "keywords": _each(TEXT),
        "delay": _one_of("minimal", "low", "medium", "high", "xhigh"),
    },
    "turn_detection": TURN_DETECTION,
}
SESSION: Table = {
    **_SHARED,
    "type": _one_of("realtime"),
    "model": TEXT,
    "audio": {
        "input": _INPUT,
        "output": {"format": FORMAT, "voice": VOICE, "speed": _between(0.25, 1.5, whole=False)},
    },
    "truncation": _any,
    "tracing": _any,
    "include": _each(_one_of("item.input_audio_transcription.logprobs")),
}
RESPONSE: Table = {
    **_SHARED,
    "conversation": _one_of("auto", "none"),
    "input": _is(list),
    "audio": {"output": {"format": FORMAT, "voice": VOICE}},
    "metadata": _metadata,
}
CLEARED: Json = {"instructions": "", "tools": [], "tool_choice": "auto", "max_output_tokens": "inf"}


def default_session(model: str) -> Json:
    """The effective session of a connection that has set nothing yet (no id, no expiry)."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(TURN_DEFAULTS["server_vad"]),
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
        },
    }


def check(value: Json, table: Table, path: str) -> Problem | None:
    """The first thing wrong with an object against its table; null is allowed everywhere (it clears)."""
    for key, one in value.items():
        where = f"{path}.{key}"
        if key not in table:
            return Problem("unknown_parameter", f"Unknown parameter: '{where}'.", where)
        rule = table[key] if callable(table[key]) else _table(table[key])
        if one is not None and (bad := rule(one, where)):
            return bad
    return None


def merge(session: Json, update: Any, *, voice_used: bool) -> Json | Problem:
    """The session after `session.update`: only the given fields change; null, "" and [] clear. A Problem
    changes nothing."""
    if not isinstance(update, dict):
        return Problem("missing_required_parameter", "Missing required parameter: 'session'.", "session")
    if "type" not in update:
        return Problem(
            "missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type"
        )
    if bad := check(update, SESSION, "session") or _forbidden(session, update, voice_used=voice_used):
        return bad
    return _overlay(session, update)


def _forbidden(session: Json, update: Json, *, voice_used: bool) -> Problem | None:
    if update.get("model") not in (None, session["model"]):
        return Problem("invalid_value", "Cannot update a session's model.", "session.model")
    if voice_used and ((update.get("audio") or {}).get("output") or {}).get("voice") is not None:
        text = "Cannot update a conversation's voice if assistant audio is present."
        return Problem("cannot_update_voice", text, "session.audio.output.voice")
    if session["tracing"] is not None and "tracing" in update and update["tracing"] != session["tracing"]:
        return Problem(
            "invalid_value", "Cannot update a session's tracing once it is enabled.", "session.tracing"
        )
    return None


def _overlay(old: Json, new: Json) -> Json:
    merged = deepcopy(old)
    for key, value in new.items():
        if key == "turn_detection" and value is not None:
            same = (old.get(key) or {}).get("type") == value["type"]
            merged[key] = {**(old[key] if same else TURN_DEFAULTS[value["type"]]), **value}
        elif key in ("audio", "input", "output") and value is not None:
            merged[key] = _overlay(old.get(key) or {}, value)
        elif value is None and key in (
            "model",
            "type",
            "output_modalities",
            "audio",
            "input",
            "output",
            "voice",
            "format",
            "speed",
        ):
            continue
        else:
            merged[key] = deepcopy(CLEARED.get(key) if value is None else value)
    return merged
