"""The gate's error rates over simulated pilots: what it states is what happens, sequential looks included."""

from collections.abc import Iterator
from itertools import pairwise

import numpy
import pytest
from numpy.random import Generator

from runtime.gate.bounds import levels
from runtime.gate.plan import plan
from runtime.gate.ratio import p_value
from runtime.gate.terms import Counts, Human, Look, Spending, Terms
from runtime.gate.verdict import take

PILOTS = 2000


def due(terms: Terms) -> list[int]:
    return [terms.due(look) for look in range(1, terms.looks + 1)]


def pilot(rng: Generator, terms: Terms, rate: float) -> Iterator[Counts]:
    """The counts of one pilot at each of its looks, of an assistant with this true rate."""
    hits = 0
    for earlier, calls in pairwise([0, *due(terms)]):
        hits += int(rng.binomial(calls - earlier, rate))
        yield Counts(calls, hits)


def passes(terms: Terms, counts: Iterator[Counts]) -> bool:
    """Whether a pilot passes at any of its looks."""
    looks: tuple[Look, ...] = ()
    for seen in counts:
        looks = take(terms, looks, seen)
        if looks and looks[-1].passed:
            return True
    return False


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("rate", [0.34, 0.72])
def test_an_assistant_at_eighty_percent_seldom_passes(spending: Spending, rate: float) -> None:
    """At a true 80 % of a known human rate, at most 5 % of 2,000 pilots pass, with five looks each."""
    rng = numpy.random.default_rng(20_261_122)
    terms = plan(Human(rate), spending=spending).terms
    wrong = sum(passes(terms, pilot(rng, terms, 0.8 * rate)) for _ in range(PILOTS))
    assert wrong / PILOTS <= terms.alpha


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_sampled_people_change_nothing(spending: Spending) -> None:
    """The same holds where people's own rate was drawn from 1,000 calls, anew for every pilot."""
    rng = numpy.random.default_rng(20_261_122)
    terms = plan(Human(0.34, 1000), spending=spending).terms
    # Levels depend on people's rate only through the share of information, so one set serves every draw.
    wrong = 0
    for _ in range(PILOTS):
        drawn = Human(int(rng.binomial(1000, 0.34)) / 1000, 1000)
        wrong += passes_beside(terms, drawn, pilot(rng, terms, 0.8 * 0.34))
    assert wrong / PILOTS <= terms.alpha


def passes_beside(terms: Terms, human: Human, counts: Iterator[Counts]) -> bool:
    """The same with people's rate as it was drawn."""
    needed = [level for level, _ in levels(terms, due(terms))]
    return any(p_value(human, terms.margin, one) <= level for one, level in zip(counts, needed, strict=True))


def test_an_assistant_as_good_as_people_passes_as_often_as_planned() -> None:
    """At the expected share, about as many pilots pass as the plan's power says."""
    rng = numpy.random.default_rng(20_261_122)
    made = plan(Human(0.34), power=0.8)
    right = sum(passes(made.terms, pilot(rng, made.terms, 0.34)) for _ in range(PILOTS))
    assert right / PILOTS == pytest.approx(made.power, abs=0.04)


def test_looking_without_spending_would_cheat() -> None:
    """The same looks with 5 % at each pass far more often: the spending is what keeps the promise."""
    rng = numpy.random.default_rng(20_261_122)
    terms = plan(Human(0.34)).terms
    wrong = 0
    for _ in range(PILOTS):
        seen = list(pilot(rng, terms, 0.8 * 0.34))
        wrong += any(take(Terms(terms.human, one.calls, looks=1), (), one)[0].passed for one in seen)
    assert wrong / PILOTS > 0.09
