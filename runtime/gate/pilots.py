"""Simulated pilots: how often a gate passes an assistant of which the truth is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy
from numpy.random import Generator

from runtime.gate.bounds import levels
from runtime.gate.ratio import p_value
from runtime.gate.terms import Counts, Human, Terms


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of pilots: how many of them passed, how many would have with alpha at every look, and after
    how many calls they ended on average.
    """

    pilots: int
    passed: int
    peeked: int
    calls: float


def simulate(terms: Terms, share: float, *, pilots: int = 2000, seed: int = 1) -> Simulated:
    """Run pilots of an assistant that truly reaches `share` of the human rate, every look taken.

    People's own rate, where it rests on a number of calls, is drawn anew for every pilot.
    """
    rng = numpy.random.default_rng(seed)
    due = [terms.due(look) for look in range(1, terms.looks + 1)]
    # Fixed before the first call, as in a real plan: they do not depend on what is drawn.
    needed = [level for level, _ in levels(terms, due)]
    passed = peeked = calls = 0
    for _ in range(pilots):
        human = _people(rng, terms.human)
        values = [p_value(human, terms.margin, seen) for seen in _seen(rng, due, share * terms.human.rate)]
        shown = [value <= level for value, level in zip(values, needed, strict=True)]
        passed += any(shown)
        peeked += min(values) <= terms.alpha
        calls += due[shown.index(True)] if any(shown) else due[-1]
    return Simulated(pilots, passed, peeked, calls / pilots)


def _people(rng: Generator, human: Human) -> Human:
    if human.calls is None:
        return human
    return Human(int(rng.binomial(human.calls, human.rate)) / human.calls, human.calls)


def _seen(rng: Generator, due: list[int], rate: float) -> Iterator[Counts]:
    hits = 0
    for earlier, calls in pairwise([0, *due]):
        hits += int(rng.binomial(calls - earlier, rate))
        yield Counts(calls, hits)
