"""What is otherwise in the declarations: slots, facts, intents, actions, handoffs, triggers, tools."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.difference.change import Change, Severity, quoted, rewording, words

_PARTS: Final = {
    "intents": "intent",
    "slots": "slot",
    "facts": "fact",
    "actions": "action",
    "handoffs": "handoff",
}

# Whoever runs or reads a flow must change with these; all other fields are notable, or cosmetic below.
_BREAKING: Final = {
    ("slot", "type"),
    ("slot", "pattern"),
    ("fact", "type"),
    ("action", "takes"),
    ("action", "returns"),
    ("handoff", "mode"),
}
_COSMETIC: Final = {
    ("intent", "means"),
    ("intent", "examples"),
    ("slot", "meaning"),
    ("slot", "sample"),
    ("action", "does"),
}
# A protection that is switched off is more than one that is switched on.
_PROTECTIONS: Final = frozenset(("personal", "secret", "changes_something"))
_FLOW: Final[tuple[tuple[str, str, Severity], ...]] = (
    ("start", "the start node", "notable"),
    ("company", "the company", "notable"),
    ("purpose", "the purpose", "notable"),
    ("locale", "the locale", "notable"),
    ("currency", "the currency", "breaking"),
    ("fact_source", "the source of facts", "breaking"),
    ("fact_wait_ms", "the wait for facts (ms)", "notable"),
    ("confidence", "the confidence a turn needs", "notable"),
    ("unsure_below", "the confidence below which a value is read back", "notable"),
    ("voice", "the voice", "notable"),
    ("speed", "the speed", "cosmetic"),
    ("title", "the title", "cosmetic"),
)


def part_changes(old: Artifact, new: Artifact) -> Iterator[Change]:
    """Everything declared that was gained, lost or changed."""
    for part, what in _PARTS.items():
        yield from _declared(what, getattr(old, part), getattr(new, part))
    yield from _triggers(old, new)
    yield from _limits(old, new)
    yield from _tools(old, new)
    for field, what, severity in _FLOW:
        was, is_ = getattr(old, field), getattr(new, field)
        if was != is_:
            yield Change(severity, "flow", f"{what}: {was} → {is_}")


def _declared(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name, before in old.items():
        if name not in new:
            severity: Severity = "breaking" if what in ("handoff", "action") else "notable"
            yield Change(severity, what, f'the {what} "{name}" is gone')
        elif new[name] != before:
            yield from _fields(what, name, before, new[name])
    for name in new:
        if name not in old:
            yield Change("notable", what, f'there is a new {what} "{name}"')


def _fields(what: str, name: str, old: msgspec.Struct, new: msgspec.Struct) -> Iterator[Change]:
    for field in old.__struct_fields__:
        was, is_ = getattr(old, field), getattr(new, field)
        if was == is_:
            continue
        if field in ("line", "unanswered_line", "hold_line"):
            yield from rewording(was, is_, f'the words of the handoff "{name}"')
        else:
            yield Change(
                _severity(what, field, was, is_), what, f'{what} "{name}", {_field(field, was, is_)}'
            )


def _severity(what: str, field: str, was: Any, is_: Any) -> Severity:
    if (what, field) in _BREAKING:
        return "breaking"
    if (what, field) in _COSMETIC:
        return "cosmetic"
    if field in _PROTECTIONS:
        return "breaking" if was and not is_ else "notable"
    if field in ("choices", "package"):
        return "breaking" if set(was) - set(is_) else "notable"
    return "notable"


def _field(field: str, was: Any, is_: Any) -> str:
    what = field.replace("_", " ")
    if isinstance(was, tuple) and isinstance(is_, tuple):
        lost, gained = [each for each in was if each not in is_], [each for each in is_ if each not in was]
        told = [f"without {quoted(lost)}" if lost else "", f"now with {quoted(gained)}" if gained else ""]
        return f"{what}: {', '.join(filter(None, told)) or 'in another order'}"
    if isinstance(was, dict) and isinstance(is_, dict):
        return f"{what}: {'; '.join(_entries(was, is_))}"
    return f"{what}: {was} → {is_}"


def _entries(was: Mapping[str, Any], is_: Mapping[str, Any]) -> Iterator[str]:
    yield from (f'"{name}" is gone' for name in was if name not in is_)
    yield from (f'"{name}" is new' for name in is_ if name not in was)
    yield from (f'"{name}" is computed otherwise' for name in was if name in is_ and was[name] != is_[name])


def _triggers(old: Artifact, new: Artifact) -> Iterator[Change]:
    for each in old.triggers:
        if each not in new.triggers:
            yield Change(
                "notable", "trigger", f'the trigger "{each.reason}" to "{each.go}" is gone or changed'
            )
    for each in new.triggers:
        if each not in old.triggers:
            yield Change("notable", "trigger", f'there is a new trigger "{each.reason}" to "{each.go}"')
    if set(map(repr, old.triggers)) == set(map(repr, new.triggers)) and old.triggers != new.triggers:
        yield Change("notable", "trigger", "the triggers stand in another order")


def _limits(old: Artifact, new: Artifact) -> Iterator[Change]:
    for field in old.limits.__struct_fields__:
        was, is_ = getattr(old.limits, field), getattr(new.limits, field)
        if was != is_:
            yield Change("notable", "limit", f"limit {field.replace('_', ' ')}: {was} → {is_}")
    if old.lost_model.go != new.lost_model.go:
        message = f'a lost model leads to "{new.lost_model.go}" instead of "{old.lost_model.go}"'
        yield Change("notable", "lost_model", message)
    yield from rewording(old.lost_model.line, new.lost_model.line, "the words for a lost model")
    if old.hold != new.hold:
        yield Change("cosmetic", "wording", f"the hold line: {words(old.hold)} → {words(new.hold)}")


def _tools(old: Artifact, new: Artifact) -> Iterator[Change]:
    """The schemas of the tools, value by value: what a model, or a test of one, was made for."""
    before = {tool.name: tool for tool in old.tools}
    after = {tool.name: tool for tool in new.tools}
    yield from (
        Change("breaking", "tool", f"the tool {name} is gone") for name in before if name not in after
    )
    yield from (
        Change("notable", "tool", f"there is a new tool {name}") for name in after if name not in before
    )
    for name in (name for name in before if name in after):
        was, is_ = dict(_flat(before[name].parameters)), dict(_flat(after[name].parameters))
        lost = [place for place in was if place not in is_]
        gained = [place for place in is_ if place not in was]
        changed = [place for place in was if place in is_ and was[place] != is_[place]]
        told = [
            f"{word} {', '.join(places)}"
            for word, places in (("without", lost), ("now with", gained), ("otherwise", changed))
            if places
        ]
        if told:
            message = f"the schema of the tool {name}: {'; '.join(told)}"
            yield Change("breaking" if lost else "notable", "tool", message)


def _flat(schema: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """A schema as its leaves: dotted places and values, every allowed word a place of its own."""
    match schema:
        case {"type": "object", "properties": dict(properties)}:
            for name, value in properties.items():
                yield from _flat(value, f"{place}.{name}" if place else name)
        case dict():
            for key in sorted(schema.keys() - {"enum", "description"}):
                yield f"{place} ({key})", schema[key]
            for word in schema.get("enum", ()):
                yield f"{place}={word}", True
