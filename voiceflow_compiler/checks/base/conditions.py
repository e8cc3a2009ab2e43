"""What can be proved of a condition alone: that it never holds, or that an earlier one always holds first.

1. Only certain things are said: a condition that is not understood can be true.
2. A condition is read as the tests an `and` puts on single names; each test allows some values of its name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.flow import Flow

_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SENTIMENTS: Final = frozenset({"positive", "neutral", "negative"})


@dataclass(frozen=True, slots=True)
class Choices:
    """A closed set of values."""

    values: frozenset[Any]

    def __and__(self, other: "Choices | Range") -> "Choices":
        return Choices(frozenset(value for value in self.values if other.has(value)))

    def has(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.values

    def within(self, other: "Choices | Range") -> bool:
        """Whether every value here is also there."""
        return all(other.has(value) for value in self.values)

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return not self.values


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`; an open end is left out."""

    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False

    def __and__(self, other: "Choices | Range") -> "Choices | Range":
        if isinstance(other, Choices):
            return other & self
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not closed)

    def has(self, value: Any) -> bool:
        """Whether a number lies between the ends."""
        if not isinstance(value, int | float):
            return False
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)

    def within(self, other: "Choices | Range") -> bool:
        """Whether every number here is also there."""
        return isinstance(other, Range) and self & other == self

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


Values = Choices | Range
Domains = Mapping[str, Values]


def domains(flow: Flow) -> dict[str, Values]:
    """Every value the names of a flow's conditions can have; a name that is missing can have any."""
    found: dict[str, Values] = {
        "intent.family": Choices(frozenset(intent.family for intent in flow.intents.values())),
        "intent.name": Choices(frozenset(flow.intents)),
        "intent.confidence": Range(0, 1),
        # one more than the limit may be seen while the turn that exceeds it is judged
        "turn.number": Range(0, flow.limits.turns + 1),
        "turn.no_progress_in_a_row": Range(0, flow.limits.no_progress + 1),
        "turn.sentiment": Choices(_SENTIMENTS),
    }
    for fact in flow.facts.values():
        if fact.type == "choice":
            found[f"facts.{fact.name}"] = Choices(frozenset(fact.choices))
    for slot in flow.slots.values():
        if slot.type == "choice":
            found[f"slots.{slot.name}"] = Choices(frozenset(slot.choices))
        elif slot.type in ("integer", "number", "money"):
            found[f"slots.{slot.name}"] = Range(
                -inf if slot.minimum is None else slot.minimum, inf if slot.maximum is None else slot.maximum
            )
    return found


def tests_of(expr: Expr) -> list[Expr]:
    """The parts of an `and`, flattened; any other condition is its own only part."""
    if expr[:1] == ["and"]:
        return [test for part in expr[1:] for test in tests_of(part)]
    return [expr]


def allowed(test: Expr, known: Domains) -> tuple[str, Values] | None:
    """The one name a test is about and the values of it that pass; None for any other condition."""
    match test:
        case [("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, ["name", *name], ["value", value]]:
            return _compared(".".join(map(str, name)), sign, value, known)
        case [("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, ["value", value], ["name", *name]]:
            return _compared(".".join(map(str, name)), _MIRRORED[sign], value, known)
        case ["in", ["name", *name], ["list", *items]]:
            found = ".".join(map(str, name))
            values: Values = Choices(frozenset(_literal(item) for item in items))
            return found, values & known[found] if found in known else values
        case _:
            return None


def never_true(expr: Expr | None, known: Domains) -> bool:
    """Whether a condition surely never holds."""
    match expr:
        case ["value", False]:
            return True
        case ["not", ["value", True]]:
            return True
        case ["or", *parts] if parts:
            return all(never_true(part, known) for part in parts)
        case ["and", *_]:
            tests = tests_of(expr)
            return any(never_true(test, known) for test in tests) or _contradicts(tests, known)
        case [*_]:
            return _contradicts([expr], known)
        case _:
            return False


def merged(tests: list[Expr], known: Domains) -> dict[str, Values]:
    """What an `and` of tests leaves of each name's values."""
    left: dict[str, Values] = {}
    for test in tests:
        found = allowed(test, known)
        if found is not None:
            name, values = found
            left[name] = left[name] & values if name in left else values
    return left


def written(expr: Expr) -> str:
    """A condition as text that is equal for equal conditions."""
    return json.dumps(expr)


def _contradicts(tests: list[Expr], known: Domains) -> bool:
    return any(values.empty for values in merged(tests, known).values())


def _compared(name: str, sign: str, value: Any, known: Domains) -> tuple[str, Values] | None:
    domain = known.get(name)
    values: Values
    match sign:
        case "==":
            values = Choices(frozenset({value}))
        case "!=":
            if not isinstance(domain, Choices):
                return None
            return name, Choices(domain.values - {value})
        case _ if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        case "<" | "<=":
            values = Range(high=value, high_open=sign == "<")
        case _:
            values = Range(low=value, low_open=sign == ">")
    return name, values & domain if domain is not None else values


def _literal(item: Any) -> Any:
    return item[1] if isinstance(item, list) and item[:1] == ["value"] else item
