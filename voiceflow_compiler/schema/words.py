"""What a violation of the schema means, in words for a designer and at its exact place."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from voiceflow_compiler.conditions import closest
from voiceflow_compiler.diagnostics import Edit, Finding, Path
from voiceflow_compiler.include import Source

# jsonschema's ValidationError, of which this reads the attributes only
Error = Any

_ARTICLES: Final = {
    "nodes": "node",
    "slots": "slot",
    "intents": "intent",
    "actions": "action",
    "handoffs": "handoff",
    "everywhere": "answer",
    "on": "answer",
    "keys": "answer",
    "fields": "fact",
}
_TYPE_WORDS: Final = {
    "object": "a map (`key: value` lines)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


# What other tools call it -> our word, offered where that may stand.
_ELSEWHERE: Final = {
    **dict.fromkeys(("goto", "target", "transition", "to_node"), "go"),
    **dict.fromkeys(("text", "message", "speak", "utterance"), "say"),
    **dict.fromkeys(("prompt", "instruction", "instructions"), "convey"),
    **dict.fromkeys(("default", "else", "fallback_node"), "otherwise"),
    **dict.fromkeys(("condition", "when"), "if"),
    **dict.fromkeys(("max", "max_attempts", "limit"), "at_most"),
    **dict.fromkeys(("slot", "entities", "fields"), "collect"),
    "type": "kind",
    "next_node": "next",
}

# Keys that stand beside those such a rule asks for, and are no slip of them.
_SPOKEN: Final = frozenset({"say", "convey", "sample", "at_most", "then", "go", "stay", "next", "kind"})

# a tip that names the one word that was most likely meant
_MEANT: Final = re.compile(r"Did you mean `([\w-]+)`\?")


def findings(error: Error, source: Source) -> Iterator[Finding]:
    """One violation as findings: one for each unknown key, and none for what was lost in reading."""
    path = tuple(error.absolute_path)
    words = _WORDS.get(str(error.validator), _other)
    for code, name, at, at_key, message, tip in words(error, path, source.data):
        if at not in source.lost:
            span = source.places.key(at) if at_key else source.places.value(at)
            near = _MEANT.fullmatch(tip)
            fix = (Edit(span, near[1]),) if near else ()
            yield Finding(code, name, "error", message, span, tip, fix=fix)


# code, name, path, whether its key is meant, message, tip
Words = Iterator[tuple[str, str, Path, bool, str, str]]


def _unknown_keys(error: Error, path: Path, data: Any) -> Words:
    known = error.schema.get("properties", {})
    for key in error.instance:
        if key in known:
            continue
        near = _meant(key, known)
        tip = f"Did you mean `{near}`?" if near else f"It may have: {', '.join(known)}."
        yield (
            "VF101",
            "unknown-key",
            (*path, key),
            True,
            f"{_owner(path, data)} has no key `{key[:64]}`",
            _tip_for(key, path, data) or tip,
        )


def _meant(key: str, known: Mapping[str, Any]) -> str | None:
    """The key that was most likely meant: one spelt alike, or what other tools call so."""
    ours = _ELSEWHERE.get(key)
    return ours if ours in known else closest(key, known)


def _tip_for(key: str, path: Path, data: Any) -> str | None:
    kind = _kind_of(path, data)
    if kind == "disclosure" and key in ("convey", "sample"):
        return "A disclosure is spoken word for word: write it under `say`."
    if kind in ("tell", "end", "disclosure") and key in ("on", "collect", "keys"):
        return "Only a node of kind `ask` listens."
    return None


def _missing(error: Error, path: Path, data: Any) -> Words:
    for key in error.validator_value:
        if key not in error.instance and f"'{key}'" in error.message:
            about = error.schema.get("properties", {}).get(key, {})
            described = about.get("description", "")
            if "enum" in about:
                described = f"It is one of: {', '.join(map(str, about['enum']))}."
            tip = f"Write `{key}: ...`. {described}".strip()
            yield "VF102", "missing-key", (*path, key), True, f"{_owner(path, data)} lacks `{key}`", tip


def _wrong_type(error: Error, path: Path, data: Any) -> Words:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    words = " or ".join(
        _TYPE_WORDS[each] for each in wanted if not (each == "integer" and "number" in wanted)
    )
    value = error.instance
    if value is None:
        yield (
            "VF103",
            "wrong-type",
            path,
            True,
            f"nothing is written for {_owner(path, data)}",
            f"Write {words}, or delete the key.",
        )
        return
    tip = f"Write {words}."
    if "string" in wanted and isinstance(value, int | float):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        tip = f'Put it in quotes: "{shown}".'
    elif wanted == ["array"] and isinstance(value, str) and re.fullmatch(r"\w{1,40}", value):
        tip = f"Write `[{value}]`, a list of one."
    elif wanted == ["object"]:
        tip = _as_map(value, path) or tip
    yield (
        "VF103",
        "wrong-type",
        path,
        False,
        f"{_owner(path, data)} must be {words}, and this is {_type_of(value)}",
        tip,
    )


def _as_map(value: Any, path: Path) -> str | None:
    """How to write as a map what was written as a list or as a node's bare name."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "Take away the `- ` before each key: `key: value` lines, one below the other."
    is_answer = len(path) > 1 and path[-2] in ("everywhere", "on", "keys")
    if is_answer and isinstance(value, str) and re.fullmatch(r"[\w.]{1,60}", value):
        return f"Write `{{go: {value}}}` to lead there."
    return None


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
    return "a map"


def _not_one_of(error: Error, path: Path, data: Any) -> Words:
    allowed = [str(value) for value in error.validator_value]
    near = closest(str(error.instance), tuple(allowed)) if isinstance(error.instance, str) else None
    tip = f"Did you mean `{near}`?" if near else f"Write one of: {', '.join(allowed)}."
    if _kind_of(path[:-1], data) == error.instance and path[-1:] == ("kind",):
        message = f"there is no node of kind `{str(error.instance)[:64]}`"
    else:
        message = f"{_owner(path, data)} cannot be `{_shown(error.instance)}`"
    yield "VF104", "not-one-of", path, False, message, tip


def _constant(error: Error, path: Path, data: Any) -> Words:
    wanted = json.dumps(error.validator_value)
    if path == ("language",):
        message = f"this is not version {wanted} of the language"
        yield "VF100", "language-version", path, False, message, f"Write `language: {wanted}`."
    else:
        yield (
            "VF104",
            "not-one-of",
            path,
            False,
            f"{_owner(path, data)} can only be {wanted}",
            f"Write {wanted}, or delete the key.",
        )


def _range(error: Error, path: Path, data: Any) -> Words:
    bound = error.validator_value
    word = {"minimum": "at least", "maximum": "at most"}.get(str(error.validator), "more than")
    yield (
        "VF105",
        "out-of-range",
        path,
        False,
        f"{_owner(path, data)} must be {word} {bound}",
        f"Write a number of {word} {bound}.",
    )


def _pattern(error: Error, path: Path, data: Any) -> Words:
    tips = {
        "^[a-z][a-z0-9_-]*$": "Use lower-case letters, digits, `-` and `_`, starting with a letter.",
        "^[a-z][a-z0-9-]*$": "Use the short name of a place, such as us-ut or eu.",
        "^slots\\.[a-z][a-z0-9_]*$": "Write `slots.` and the name of a slot.",
        "^[A-Z]{3}$": "Write the three letters of ISO 4217, such as USD.",
        "^[0-9*#]$": 'Write one key of a phone: 0 to 9, "*" or "#".',
        "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$": "Write a tag such as en-US.",
    }
    tip = tips.get(error.validator_value, "Use lower-case letters, digits and `_`, starting with a letter.")
    is_key = "propertyNames" in error.absolute_schema_path
    at = (*path, error.instance) if is_key else path
    yield (
        "VF106",
        "malformed-name",
        at,
        is_key,
        f"`{_shown(error.instance)}` is not a name that can stand here",
        tip,
    )


def _too_short(error: Error, path: Path, data: Any) -> Words:
    tip = "Write it out, or delete the key."
    yield "VF107", "empty", path, True, f"{_owner(path, data)} is empty", tip


def _too_long(error: Error, path: Path, data: Any) -> Words:
    unit = "characters" if isinstance(error.instance, str) else "entries"
    is_key = "propertyNames" in error.absolute_schema_path
    at = (*path, error.instance) if is_key else path
    message = f"{'this name' if is_key else _owner(path, data)} has more than {error.validator_value} {unit}"
    yield "VF108", "too-long", at, is_key, message, "Shorten it."


def _rule(error: Error, path: Path, data: Any) -> Words:
    """A rule of the schema that brings its own words along; of what is no map, or has the key it lacks under
    another word, something else is told.
    """
    if not isinstance(error.instance, dict) or _is_misspelt(error):
        return
    message = error.schema.get("title", "this does not fit together")
    yield "VF109", "does-not-fit-together", path, True, message, error.schema.get("description", "")


def _is_misspelt(error: Error) -> bool:
    """Whether one of the keys that a rule asks for stands there under another word."""
    if error.validator != "anyOf":
        return False
    wanted = {key: None for each in error.validator_value for key in each.get("required", ())}
    unknown = [key for key in error.instance if key not in wanted and key not in _SPOKEN]
    return any(_meant(key, wanted) is not None for key in unknown)


def _repeated(error: Error, path: Path, data: Any) -> Words:
    seen: list[Any] = []
    for index, item in enumerate(error.instance):
        if item in seen:
            yield (
                "VF110",
                "repeated-item",
                (*path, index),
                False,
                f"`{_shown(item)}` is listed twice",
                "Keep one of them.",
            )
        seen.append(item)


def _other(error: Error, path: Path, data: Any) -> Words:
    yield (
        "VF109",
        "does-not-fit-together",
        path,
        True,
        error.message[:200],
        "See the reference of the language.",
    )


_WORDS: Final[Mapping[str, Callable[[Error, Path, Any], Words]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_one_of,
    "const": _constant,
    "minimum": _range,
    "maximum": _range,
    "exclusiveMinimum": _range,
    "pattern": _pattern,
    "minLength": _too_short,
    "minItems": _too_short,
    "minProperties": _too_short,
    "maxLength": _too_long,
    "maxItems": _too_long,
    "maxProperties": _too_long,
    "not": _rule,
    "anyOf": _rule,
    "dependentRequired": _rule,
    "uniqueItems": _repeated,
}


def _owner(path: Path, data: Any) -> str:
    """What stands at a path, as a designer would call it."""
    if not path:
        return "the flow"
    kind = _kind_of(path, data)
    if kind:
        return f"the {kind[:64]} node `{path[-1]}`"
    if len(path) > 1 and path[-2] in _ARTICLES and isinstance(path[-1], str):
        return f"the {_ARTICLES[str(path[-2])]} `{path[-1][:64]}`"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{path[-2]}`" if len(path) > 1 else f"item {path[-1] + 1}"
    return f"`{path[-1][:64]}`"


def _kind_of(path: Path, data: Any) -> str | None:
    """The kind of the node that stands at a path, as written."""
    if len(path) != 2 or path[0] != "nodes":
        return None
    node = data["nodes"].get(path[1]) if isinstance(data.get("nodes"), dict) else None
    kind = node.get("kind") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else None


def _shown(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= 64 else shown[:61] + "..."
