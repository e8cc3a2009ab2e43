"""How many calls a gate takes: planned before the first one, looks on the way included."""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from scipy.stats import norm

from runtime.gate.bounds import HIGHEST, below, levels, variance
from runtime.gate.terms import Human, Spending, Terms

MOST_CALLS: Final = 1_000_000


class TooFewHumanCalls(Exception):
    """The human rate is itself too unsure: no number of the assistant's calls would show the margin.

    `needed`: how many human calls would do with ten times as many of the assistant's.
    """

    def __init__(self, needed: int | None) -> None:
        self.needed = needed
        super().__init__("the human baseline rests on too few calls")


class Plan(Struct, frozen=True):
    """Terms with their number of calls; `power`: how often an assistant at `expected` times the human rate
    passes; `usual`: how many calls it takes then on average; `once`: how many without looks on the way.
    """

    terms: Terms
    expected: float
    power: float
    usual: int
    once: int


def plan(
    human: Human,
    *,
    expected: float = 1.0,
    power: float = 0.8,
    margin: float = 0.8,
    alpha: float = 0.05,
    looks: int = 5,
    spending: Spending = "obrien_fleming",
) -> Plan:
    """The smallest plan with this power. Raises TooFewHumanCalls, ValueError when nothing could be shown."""
    if not 0 < human.rate < 1 or not margin < expected or expected * human.rate >= 1:
        raise ValueError("rates lie between 0 and 1, and what is expected lies above the margin")
    terms = Terms(human, 1, margin, alpha, 1, spending)
    once = _smallest(terms, expected, power)
    whole = _smallest(replace(terms, looks=looks, calls=once), expected, power, least=once)
    chosen = replace(terms, looks=looks, calls=whole)
    crossed = _crossed(chosen, expected)
    usual = _due(chosen)[0] + sum(
        (1 - before) * (later - earlier)
        for before, earlier, later in zip(crossed, _due(chosen), _due(chosen)[1:], strict=False)
    )
    return Plan(chosen, expected, crossed[-1], math.ceil(usual), once)


def _smallest(terms: Terms, expected: float, power: float, least: int = 20) -> int:
    low, high = least - 1, least
    while _passes(replace(terms, calls=high), expected) < power:
        low, high = high, high * 2 if terms.looks == 1 else math.ceil(high * 1.2)
        if high > MOST_CALLS:
            raise TooFewHumanCalls(_human_calls(terms, expected, power))
    while high - low > max(1, high // 500):
        middle = (low + high) // 2
        enough = _passes(replace(terms, calls=middle), expected) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def _passes(terms: Terms, expected: float) -> float:
    """The chance to pass at all, for an assistant at `expected` times the human rate."""
    moved, informations = _moved(terms, expected, digits=2)
    return 1 - below(moved, informations)


def _crossed(terms: Terms, expected: float) -> list[float]:
    """The chance to have passed by each look."""
    moved, informations = _moved(terms, expected, digits=6)
    return [1 - below(moved[:look], informations[:look]) for look in range(1, len(moved) + 1)]


def _moved(terms: Terms, expected: float, *, digits: int) -> tuple[list[float], list[float]]:
    """The bounds of the looks as such an assistant's statistics see them, and the information of each."""
    due = _due(terms)
    bounds = [float(norm.isf(level)) if level else HIGHEST for level, _ in levels(terms, due, digits=digits)]
    human = terms.human
    rate = expected * human.rate
    gap = rate - terms.margin * human.rate
    theirs = terms.margin**2 * human.rate * (1 - human.rate) / human.calls if human.calls else 0.0
    real = [rate * (1 - rate) / calls + theirs for calls in due]
    moved = [
        (bound * math.sqrt(variance(terms, calls)) - gap) / math.sqrt(one)
        for bound, calls, one in zip(bounds, due, real, strict=True)
    ]
    return moved, [1 / one for one in real]


def _due(terms: Terms) -> Sequence[int]:
    return sorted({terms.due(look) for look in range(1, terms.looks + 1)})


def _human_calls(terms: Terms, expected: float, power: float) -> int | None:
    rate = terms.human.rate
    gap = (expected - terms.margin) * rate
    reach = float(norm.isf(terms.spendable) + norm.isf(1 - power))
    # Ten of the assistant's calls for one of people's: about where more of them stop to help.
    ours = expected * rate * (1 - expected * rate) / 10
    return math.ceil((terms.margin**2 * rate * (1 - rate) + ours) * (reach / gap) ** 2)
