"""The gate's error rates over simulated pilots: what it states is what happens, sequential looks included."""

from itertools import pairwise

import numpy
import pytest
from scipy.stats import binom

from runtime.gate.bounds import levels
from runtime.gate.pilots import simulate
from runtime.gate.plan import plan
from runtime.gate.ratio import p_value
from runtime.gate.terms import Counts, Human, Look, Spending, Terms
from runtime.gate.verdict import take

PILOTS = 2000
SEED = 20_261_122


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("human", [Human(0.34), Human(0.72), Human(0.34, 1000), Human(0.72, 400)])
def test_an_assistant_at_eighty_percent_seldom_passes(human: Human, spending: Spending) -> None:
    """At a true 80 % of people at most 5 % of 2,000 pilots pass with five looks each, be people's rate known
    or drawn from so many calls anew for every pilot; with 5 % at every look far more would.
    """
    terms = plan(human, spending=spending).terms
    found = simulate(terms, 0.8, pilots=PILOTS, seed=SEED)
    assert found.passed / PILOTS <= terms.alpha
    assert found.peeked / PILOTS > 1.5 * terms.alpha


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2, 0.34, 0.5, 0.72, 0.9])
@pytest.mark.parametrize("calls", [60, 284, 1000])
def test_no_plan_passes_wrongly_more_often_than_stated(rate: float, calls: int, spending: Spending) -> None:
    """Counted exactly, over every way a pilot may go: at a true 80 % of a known rate no plan passes more
    often than alpha.
    """
    terms = Terms(Human(rate), calls, spending=spending)
    assert exactly(terms, 0.8 * rate) <= terms.alpha


def exactly(terms: Terms, rate: float) -> float:
    """The chance to pass, by the distribution of the hits of all pilots that have not passed yet."""
    due = [terms.due(look) for look in range(1, terms.looks + 1)]
    still = numpy.ones(1)
    for (level, _), (earlier, later) in zip(levels(terms, due), pairwise([0, *due]), strict=True):
        more = later - earlier
        still = numpy.convolve(still, binom.pmf(numpy.arange(more + 1), more, rate))
        shown = [
            p_value(terms.human, terms.margin, Counts(later, hits)) <= level for hits in range(later + 1)
        ]
        still[numpy.asarray(shown)] = 0
    return float(1 - still.sum())


def test_an_assistant_as_good_as_people_passes_as_often_as_planned() -> None:
    """At the expected share, about as many pilots pass as the plan's power says, after as many calls."""
    made = plan(Human(0.34), power=0.8)
    found = simulate(made.terms, 1.0, pilots=PILOTS, seed=SEED)
    assert found.passed / PILOTS == pytest.approx(made.power, abs=0.04)
    assert found.calls == pytest.approx(made.usual, rel=0.05)


def test_looks_at_other_times_keep_the_promise() -> None:
    """Asked at random numbers of calls instead of the planned ones, at most 5 % of pilots at 80 % pass."""
    rng = numpy.random.default_rng(SEED)
    terms = plan(Human(0.34)).terms
    times = [sorted(rng.choice(range(20, terms.calls + 100), 6, replace=False)) for _ in range(20)]
    wrong = 0
    for number in range(PILOTS):
        asked = [int(one) for one in times[number % len(times)]]
        hits, last = 0, 0
        looks: tuple[Look, ...] = ()
        for calls in asked:
            hits += int(rng.binomial(calls - last, 0.8 * 0.34))
            last = calls
            looks = take(terms, looks, Counts(calls, hits))
        wrong += bool(looks) and looks[-1].passed
    assert wrong / PILOTS <= terms.alpha
