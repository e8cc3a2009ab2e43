"""The parts beside the nodes: facts, slots, intents, actions, handoffs, triggers, limits."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from voiceflow_compiler.artifact import Family, ValueType
from voiceflow_compiler.conditions import FAMILIES
from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.flow import (
    BUILT_IN_INTENTS,
    Action,
    Fact,
    Handoff,
    Intent,
    Limits,
    Scalar,
    Slot,
    Suitability,
    Trigger,
)
from voiceflow_compiler.resolve.binder import (
    Binder,
    Binders,
    entries,
    flag,
    items,
    mapping,
    number,
    one_of,
    text,
    texts,
    whole,
)
from voiceflow_compiler.resolve.speech import line

TYPES: Final[Mapping[str, ValueType]] = {name: name for name in get_args(ValueType)}
_FAMILIES: Final[Mapping[str, Family]] = {name: name for name in get_args(Family)}
_CONFIRM: Final[Mapping[str, Literal["always", "when_unsure", "never"]]] = {
    "always": "always",
    "when_unsure": "when_unsure",
    "never": "never",
}
_NUMERIC: Final = ("integer", "number", "money")


def facts(binder: Binder, data: Any) -> Mapping[str, Fact]:
    """The caller facts whose type is known."""
    found = {}
    for name, written in entries(mapping(data, "caller_facts"), "fields"):
        path: Path = ("caller_facts", "fields", name)
        type_ = one_of(written, "type", TYPES)
        if type_ is None:
            continue
        otherwise = written.get("otherwise")
        choices = texts(written, "choices") if type_ == "choice" else ()
        if not isinstance(otherwise, str | int | float) or not _fits(
            binder, otherwise, type_, choices, (*path, "otherwise")
        ):
            otherwise = None
        found[name] = Fact(
            name,
            path,
            type_,
            otherwise,
            choices,
            personal=flag(written, "personal"),
            secret=flag(written, "secret"),
        )
    return found


def _fits(binder: Binder, value: Scalar, type_: ValueType, choices: tuple[str, ...], path: Path) -> bool:
    """Whether a default has the type of its fact; a finding says when not."""
    if type_ in _NUMERIC:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and (type_ != "integer" or isinstance(value, int))
    elif type_ == "boolean":
        good = isinstance(value, bool)
    else:
        good = isinstance(value, str) and (not choices or value in choices)
    if not good:
        tip = (
            f"Write one of: {', '.join(choices)}."
            if choices
            else f"Write a value of type {type_}; text stands in quotes."
        )
        binder.find(
            "VF129",
            "value-does-not-fit",
            f"this is no value of type {type_}" if not choices else "this is none of the choices",
            path,
            tip,
        )
    return good


def slots(binder: Binder, data: Any) -> Mapping[str, Slot]:
    """The slots whose type is known."""
    found = {}
    for name, written in entries(data, "slots"):
        path: Path = ("slots", name)
        type_ = one_of(written, "type", TYPES)
        if type_ is None:
            continue
        phrases = _phrases(written) if type_ == "choice" else {}
        low, high = number(written, "min_length"), number(written, "max_length")
        sample = text(written, "sample")
        found[name] = Slot(
            name,
            path,
            type_,
            meaning=text(written, "meaning") or name.replace("_", " "),
            choices=tuple(phrases),
            phrases=phrases,
            examples=texts(written, "examples"),
            minimum=number(written, "minimum"),
            maximum=number(written, "maximum"),
            min_length=None if low is None else int(low),
            max_length=None if high is None else int(high),
            confirm=one_of(written, "confirm", _CONFIRM) or "when_unsure",
            by_keypad=written.get("by") == "keypad",
            personal=flag(written, "personal"),
            secret=flag(written, "secret"),
            sample=sample,
        )
        _check_bounds(binder, found[name])
    return found


def _phrases(written: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """What callers say for each choice; its own name, read out, always counts."""
    choices = written.get("choices")
    if isinstance(choices, dict):
        pairs = {choice: texts(choices, choice) for choice in choices}
    else:
        pairs = dict.fromkeys(texts(written, "choices"), ())
    return {
        choice: tuple(dict.fromkeys((choice.replace("_", " "), *phrases)))
        for choice, phrases in pairs.items()
    }


def _check_bounds(binder: Binder, slot: Slot) -> None:
    for low, high, key in (
        (slot.minimum, slot.maximum, "maximum"),
        (slot.min_length, slot.max_length, "max_length"),
    ):
        if low is not None and high is not None and low > high:
            binder.find(
                "VF129",
                "value-does-not-fit",
                "no value can be accepted: the smallest is above the largest",
                (*slot.path, key),
                "Swap the two, or drop one.",
            )


def intents(binder: Binder, data: Any) -> Mapping[str, Intent]:
    """The flow's intents and the built-in ones."""
    found: dict[str, Intent] = {}
    for name, written in entries(data, "intents"):
        path: Path = ("intents", name)
        family = one_of(written, "family", _FAMILIES)
        if name in BUILT_IN_INTENTS:
            tip = "Answer it under `on` or `everywhere`, or give this intent another name."
            binder.find("VF127", "name-taken", f"`{name}` is built in", path, tip, at_key=True)
            continue
        if name in FAMILIES and family is not None and family != name:
            tip = f"Put it into the family `{name}`, or give it another name."
            binder.find(
                "VF127", "name-taken", f"`{name}` is the name of another family", path, tip, at_key=True
            )
        if family is not None:
            found[name] = Intent(
                name,
                path,
                family,
                text(written, "means") or name.replace("_", " "),
                texts(written, "examples"),
            )
    return found | dict(BUILT_IN_INTENTS)


def results(data: Any) -> Mapping[str, ValueType]:
    """What actions return, as `action.field`."""
    found: dict[str, ValueType] = {}
    for name, written in entries(data, "actions"):
        for field, returned in mapping(written, "returns").items():
            type_ = TYPES.get(returned) if isinstance(returned, str) else one_of(returned, "type", TYPES)
            if type_ is not None:
                found[f"{name}.{field}"] = type_
    return found


def actions(binders: Binders, data: Any, returned: Mapping[str, ValueType]) -> Mapping[str, Action]:
    """The actions, with what they take bound to names."""
    found = {}
    for name, written in entries(data, "actions"):
        binder = binders.of("actions", name)
        path: Path = ("actions", name)
        takes = mapping(written, "takes").items()
        found[name] = Action(
            name,
            path,
            does=text(written, "does") or name.replace("_", " "),
            takes={
                argument: binder.value(value, (*path, "takes", argument))
                for argument, value in takes
                if isinstance(value, str | int | float)
            },
            returns={
                key.split(".", 1)[1]: type_ for key, type_ in returned.items() if key.split(".", 1)[0] == name
            },
            changes_something=flag(written, "changes_something"),
            idempotency="none" if written.get("idempotency") == "none" else "key",
            within_ms=whole(written, "within_ms", 4000),
            retries=whole(written, "retries", 0),
            on_request=flag(written, "on_request"),
            promises=texts(written, "promises"),
            called=binders.whole.called(name),
        )
    return found


def handoffs(binder: Binder, data: Any) -> Mapping[str, Handoff]:
    """The handoffs that have something to say."""
    found = {}
    for name, written in entries(data, "handoffs"):
        path: Path = ("handoffs", name)
        spoken = line(binder, written, path)
        unanswered = written.get("if_unanswered")
        at = (*path, "if_unanswered")
        otherwise, ringing = None, written.get("while_ringing")
        if isinstance(unanswered, str):
            go = binder.bind("node", unanswered, at)
        else:
            go = binder.bind("node", text(unanswered, "go"), (*at, "go"))
            otherwise = line(binder, unanswered, at) if isinstance(unanswered, dict) else None
        if spoken is None:
            continue
        found[name] = Handoff(
            name,
            path,
            mode="cold" if written.get("mode") == "cold" else "warm",
            line=spoken,
            package=_package(binder, written, path),
            if_unanswered=go,
            unanswered_line=otherwise,
            hold_line=line(binder, ringing, (*path, "while_ringing")) if ringing else None,
            timeout_ms=whole(written, "timeout_ms", 30000),
            promises=texts(written, "promises"),
        )
    return found


def _package(binder: Binder, written: Any, path: Path) -> tuple[str, ...]:
    """The fields of a package; a slot named in it is bound."""
    found = []
    for index, entry in enumerate(items(written, "package")):
        if isinstance(entry, str) and entry.startswith("slots."):
            slot = binder.bind("slot", entry.removeprefix("slots."), (*path, "package", index))
            entry = f"slots.{slot}" if slot is not None else None
        if isinstance(entry, str) and entry:
            found.append(entry)
    return tuple(found)


def jurisdictions(binder: Binder, data: Any) -> tuple[str, ...]:
    """The places whose notes of the law the flow is held to."""
    written = enumerate(items(data, "jurisdictions"))
    bound = (
        binder.bind("jurisdiction", key, ("jurisdictions", index))
        for index, key in written
        if isinstance(key, str)
    )
    return tuple(key for key in bound if key is not None)


def triggers(binder: Binder, data: Any) -> tuple[Trigger, ...]:
    """The handoff triggers, in order."""
    found = []
    for index, written in enumerate(items(data, "handoff_triggers")):
        path: Path = ("handoff_triggers", index)
        when = binder.condition(text(written, "when"), (*path, "when"))
        to = binder.bind("handoff", text(written, "to"), (*path, "to"))
        if when is not None and to is not None:
            found.append(Trigger(path, when, to, text(written, "reason") or when.text))
    return tuple(found)


def limits(binder: Binder, data: Any) -> Limits:
    """The bounds that end every call."""
    written = mapping(data, "limits")
    path: Path = ("limits",)
    return Limits(
        path,
        turns=whole(written, "turns", 60),
        minutes=number(written, "minutes") or 15,
        no_progress=whole(written, "no_progress", 6),
        visits=whole(written, "visits", 6),
        go=binder.bind("node", text(written, "go"), (*path, "go")),
    )


def suitability(data: Any) -> Suitability | None:
    """The four answers, when all are given."""
    written = mapping(data, "suitability")
    conversion = mapping(written, "conversion")
    structure, stakes = text(written, "structure"), text(written, "stakes")
    sensitivity, information = text(written, "sensitivity"), text(written, "information")
    if not (structure and stakes and sensitivity and information):
        return None
    return Suitability(
        ("suitability",),
        structure,
        stakes,
        sensitivity,
        information,
        importance=text(conversion, "importance"),
        metric=text(conversion, "metric"),
        human_baseline=number(conversion, "human_baseline"),
    )
