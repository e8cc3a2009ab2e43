"""What the flow schema says of a place: the keys a map may have, the words a value may be, what they mean."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import schemas
from voiceflow_compiler.diagnostics import Path

Schema = Mapping[str, Any]
_APPLIED: Final = ("then", "else")


@cache
def _whole() -> Any:
    return json.loads(schemas.read("flow"))


def described(path: Path, kind: str | None = None) -> tuple[Schema, ...]:
    """The parts of the schema that speak of the value at a path. `kind` is that of the node around it, when
    it is known: without it the keys of every kind are meant.
    """
    found = list(_spread(_whole(), kind))
    for step in path:
        found = [part for each in found for inner in _step(each, step) for part in _spread(inner, kind)]
    return tuple(found)


def keys(path: Path, kind: str | None = None) -> dict[str, Schema]:
    """The keys that a map at a path may have, each with what the schema says of it."""
    found: dict[str, Schema] = {}
    for part in described(path, kind):
        for key, schema in part.get("properties", {}).items():
            known = found.get(key, {})
            found[key] = schema if len(schema) > len(known) else known
    return found


def words(path: Path, kind: str | None = None) -> tuple[str, ...]:
    """The words a value at a path may be, as YAML writes them; none when they cannot be counted."""
    found: dict[str, None] = {}
    for part in described(path, kind):
        allowed = part.get("enum", [part["const"]] if "const" in part else [])
        if part.get("type") == "boolean":
            allowed = [True, False]
        found |= dict.fromkeys(json.dumps(word) if not isinstance(word, str) else word for word in allowed)
    return tuple(found)


def required(path: Path, kind: str | None = None) -> frozenset[str]:
    """The keys that a map at a path must have."""
    return frozenset(key for part in described(path, kind) for key in part.get("required", ()))


def documentation(schema: Schema) -> str:
    """What the schema says of a part, as Markdown."""
    said = [f"**{schema['title']}**"] if "title" in schema else []
    said += [schema["description"]] if "description" in schema else []
    if schema.get("examples"):
        said.append(f"Example: `{json.dumps(schema['examples'][0], ensure_ascii=False)}`")
    return "\n\n".join(said)


def _step(schema: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        if isinstance(schema.get("items"), dict):
            yield schema["items"]
        return
    named = schema.get("properties", {}).get(step)
    others = schema.get("additionalProperties")
    if named is not None:
        yield named
    elif isinstance(others, dict):
        yield others


def _spread(schema: Schema, kind: str | None) -> Iterator[Schema]:
    """A schema and those that hold beside it."""
    if "$ref" in schema:
        yield from _spread(_whole()["$defs"][schema["$ref"].removeprefix("#/$defs/")], kind)
        return
    yield schema
    for each in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        yield from _spread(each, kind)
    meant = schema.get("if", {}).get("properties", {}).get("kind", {}).get("const")
    for key in _APPLIED:
        if isinstance(schema.get(key), dict) and (meant is None or kind in (None, meant)):
            yield from _spread(schema[key], kind)
