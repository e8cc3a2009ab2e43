"""What an estimate rests on: the price list and the assumptions, as package data that anyone may override."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


class AssumptionError(Exception):
    """A price list or an assumption that cannot be used; one plain line says why."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of a million tokens of one model, in `currency`, with when and where it was read."""

    model: str
    currency: str
    as_of: str
    source: str
    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Numbers by name ("speech.caller_seconds"). `at` are weights at one node: "at.team.too_expensive"."""

    numbers: Mapping[str, float]
    overridden: frozenset[str]

    def __getitem__(self, name: str) -> float:
        return self.numbers[name]

    def at(self, node: str, label: str, weight: float) -> float:
        """The weight of a way at a node: as overridden there, else `weight`."""
        return self.numbers.get(f"at.{node}.{label}", weight)


def prices(text: str | None, model: str | None) -> Prices:
    """The prices of a model from a list (JSON text; None for the one shipped). Raises AssumptionError."""
    try:
        listed = json.loads(_shipped("prices.json") if text is None else text)
        name = model or listed["default"]
        known = listed["models"]
        if name not in known:
            raise AssumptionError(f"no price is known for {name!r}; the list has {', '.join(sorted(known))}")
        per = 1_000_000 / float(listed["per_tokens"])
        spoken, written = known[name]["audio"], known[name]["text"]
        amounts = {
            f"{kind}_{way}": float(part[way]) * per
            for kind, part in (("text", written), ("audio", spoken))
            for way in ("in", "cached", "out")
        }
        return Prices(name, listed["currency"], str(listed["as_of"]), listed["source"], **amounts)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise AssumptionError(f"the price list is not one: {error!r}") from None


def assumptions(overrides: Sequence[str], nodes: Mapping[str, Any]) -> Assumptions:
    """The shipped assumptions with `NAME=NUMBER` overrides. Raises AssumptionError for an unknown name."""
    shipped = json.loads(_shipped("assumptions.json"))
    numbers = {
        f"{group}.{name}": float(value)
        for group in ("speech", "text", "weights")
        for name, value in shipped[group].items()
    }
    known = frozenset(numbers)
    for override in overrides:
        name, _, value = override.partition("=")
        number = _number(value)
        if number is None:
            raise AssumptionError(f"--assume {override}: write NAME=NUMBER, with a number of 0 or more")
        if name not in known and not (name.startswith("at.") and name.split(".")[1] in nodes):
            raise AssumptionError(
                f"--assume {override}: nothing is called {name!r} ({', '.join(sorted(known))})"
            )
        if not name.startswith(("weights.", "at.")) and number == 0 and "per_" in name:
            raise AssumptionError(f"--assume {override}: this must be more than 0")
        numbers[name] = number
    return Assumptions(numbers, frozenset(each.partition("=")[0] for each in overrides))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _shipped(name: str) -> str:
    return files("voiceflow_compiler.cost").joinpath(name).read_text(encoding="utf-8")
