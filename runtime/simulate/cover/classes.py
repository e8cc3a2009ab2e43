"""The classes of values a flow can tell apart: bounds of a slot, choices, and what conditions compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Final

from msgspec import Struct

from runtime.engine.slots import fact_value, slot_value
from voiceflow_compiler.artifact import Artifact, Expr, Slot

NUMBERS: Final = ("integer", "number", "money")
MOST_CONTEXTS: Final = 24
VALUES: Final[Mapping[str, Any]] = {
    "text": "blue",
    "integer": 20,
    "number": 20,
    "money": 100,
    "date": "2026-12-01",
    "time": "10:30",
    "phone": "+12025550123",
    "email": "dana@example.com",
    "digits": "123456",
}
WRONG: Final[Mapping[str, Any]] = {
    "integer": "many",
    "number": "many",
    "money": "much",
    "date": "some day",
    "time": "some time",
    "phone": "none",
    "email": "none",
    "choice": "something else",
}


class Class(Struct, frozen=True):
    """A class of values of a slot: its name, one value of it, and whether the slot takes it. `holds` tells
    whether a value that was given belongs to it.
    """

    name: str
    value: Any
    fits: bool
    low: float | None = None
    high: float | None = None

    def holds(self, given: Any) -> bool:
        if self.low is None and self.high is None:
            return bool(given == self.value)
        if isinstance(given, bool) or not isinstance(given, int | float):
            return False
        return (self.low is None or given >= self.low) and (self.high is None or given <= self.high)


@lru_cache(maxsize=1024)
def _classes(content_hash: str, name: str, artifact: _Held) -> tuple[Class, ...]:
    whole = artifact.artifact
    slot = whole.slots[name]
    compared = tuple(dict.fromkeys(_compared(whole, "slots", name)))
    found = list(_of(slot, compared))
    if not any(each.fits for each in found):
        found.insert(0, Class("a value", _example(slot), fits=True))
    return tuple(found)


class _Held:
    """An artifact as a key of a cache: equal to every other, since the content hash stands beside it."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def classes(artifact: Artifact, name: str) -> tuple[Class, ...]:
    """The classes of a slot's values, ones it takes first."""
    return _classes(artifact.content_hash, name, _Held(artifact))


def _of(slot: Slot, compared: tuple[Any, ...]) -> Iterator[Class]:
    if slot.by_keypad:
        yield Class("a value", keys(slot), fits=True)
        return
    if slot.secret:
        return
    if slot.type == "boolean":
        yield Class("yes", True, fits=True)
        yield Class("no", False, fits=True)
    elif slot.choices:
        yield from (Class(choice, choice, fits=True) for choice in slot.choices)
    elif slot.type in NUMBERS:
        yield from _numbers(slot, [each for each in compared if isinstance(each, int | float)])
    else:
        yield Class("a value", _example(slot), fits=slot_value(slot, _example(slot)) is not None)
        yield from (
            Class(f"'{each}'", each, fits=True) for each in compared if slot_value(slot, each) is not None
        )
    if slot.type in WRONG:
        yield Class("no such value", WRONG[slot.type], fits=False)


def _numbers(slot: Slot, compared: list[int | float]) -> Iterator[Class]:
    step = 1 if slot.type == "integer" else 0.01
    low, high = slot.minimum, slot.maximum
    marks: dict[float, str] = {}
    for each in compared:
        marks |= {each - step: f"just below {each:g}", each: f"{each:g}", each + step: f"just above {each:g}"}
    if low is not None:
        marks[low] = f"the smallest, {low:g}"
        yield Class(f"below {low:g}", _number(slot, low - step), fits=False, high=low - step)
    if high is not None:
        marks[high] = f"the largest, {high:g}"
        yield Class(f"above {high:g}", _number(slot, high + step), fits=False, low=high + step)
    for mark, name in sorted(marks.items()):
        value = _number(slot, mark)
        if slot_value(slot, value) is not None:
            yield Class(name, value, fits=True)
    if not marks:
        yield Class("a value", _example(slot), fits=True)


def _number(slot: Slot, value: float) -> int | float:
    return int(value) if slot.type == "integer" else round(value, 2)


def _example(slot: Slot) -> Any:
    text = VALUES.get(slot.type, "blue")
    if isinstance(text, str):
        length = max(len(text), slot.min_length or 0)
        text = (text * length)[:length][: slot.max_length]
    return text


def keys(slot: Slot) -> str:
    """Keys that fill a keypad slot."""
    length = slot.max_length or slot.min_length or 6
    return ("1234567890" * length)[:length] + ("" if slot.max_length else "#")


# ---- what conditions read


def _compared(artifact: Artifact, space: str, field: str) -> Iterator[Any]:
    for expr in expressions(artifact):
        yield from _literals(expr, space, field)


def expressions(artifact: Artifact) -> Iterator[Expr]:
    """Every condition of the flow."""
    for node in artifact.nodes.values():
        yield from (case.when for case in node.cases)
    yield from (trigger.when for trigger in artifact.triggers)


def _literals(expr: Any, space: str, field: str) -> Iterator[Any]:
    if not isinstance(expr, list) or not expr or expr[0] in ("name", "value"):
        return
    named = any(part[:3] == ["name", space, field] for part in expr[1:] if isinstance(part, list))
    for part in expr[1:]:
        if named and isinstance(part, list) and part[0] == "value":
            yield part[1]
        elif named and isinstance(part, list) and part[0] == "list":
            yield from (each[1] for each in part[1:] if each[0] == "value")
        else:
            yield from _literals(part, space, field)


def names(expr: Any) -> Iterator[tuple[str, str]]:
    """The names a condition reads: space and field."""
    if isinstance(expr, list):
        if expr[:1] == ["name"]:
            yield expr[1], expr[2]
        else:
            for part in expr[1:]:
                yield from names(part)


def literals(expr: Any) -> Iterator[Any]:
    """The literals a condition compares with."""
    if isinstance(expr, list):
        if expr[:1] == ["value"]:
            yield expr[1]
        else:
            for part in expr[1:]:
                yield from literals(part)


def read_by_conditions(artifact: Artifact, space: str) -> dict[str, tuple[Any, ...]]:
    """The names of this space that some condition reads, with the literals they are compared to."""
    names: dict[str, None] = {}

    def walk(expr: Any) -> None:
        if isinstance(expr, list):
            if expr[:2] == ["name", space] and len(expr) > 2:
                names[expr[2]] = None
            for part in expr:
                walk(part)

    for expr in expressions(artifact):
        walk(expr)
    return {name: tuple(dict.fromkeys(_compared(artifact, space, name))) for name in names}


def facts_of(artifact: Artifact, given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a call about whose caller the CRM holds `given`."""
    fitted = {
        name: fact_value(fact, given.get(name)) for name, fact in artifact.facts.items() if name in given
    }
    return {
        name: fact.otherwise if fitted.get(name) is None else fitted[name]
        for name, fact in artifact.facts.items()
    }


def contexts(artifact: Artifact) -> tuple[dict[str, Any] | None, ...]:
    """What the CRM may hold, as far as conditions can tell: nobody, and every mix of what is compared."""
    if artifact.fact_source is None:
        return (None,)
    read = read_by_conditions(artifact, "facts")
    options: dict[str, list[Any]] = {}
    for name, literals in read.items():
        fact = artifact.facts[name]
        found: list[Any] = [*fact.choices, fact.otherwise]
        if not fact.choices and fact.type in VALUES:
            found.append(VALUES[fact.type])  # something that no condition names
        for literal in literals:
            found += _around(literal)
        fitting = [each for each in found if fact_value(fact, each) is not None]
        options[name] = list(dict.fromkeys(fitting)) if fact.type != "boolean" else [True, False]
    mixes = [dict(zip(options, mix, strict=True)) for mix in product(*options.values())] if options else []
    if len(mixes) > MOST_CONTEXTS:
        plain = {name: artifact.facts[name].otherwise for name in options}
        mixes = [{**plain, name: value} for name, values in options.items() for value in values]
        mixes += [{name: values[end] for name, values in options.items()} for end in (0, -1)]
    return (None, *mixes)


def _around(literal: Any) -> list[Any]:
    if isinstance(literal, bool) or not isinstance(literal, int | float):
        return [literal]
    return [literal - 1, literal, literal + 1]
