"""One look: how sure it is that the assistant reaches the margin, by statsmodels and SciPy.

A human rate from so many calls: the score test of a ratio of two proportions (Miettinen and Nurminen) with
half a hit taken away, since without it the test passes up to a tenth too often where the two sides differ in
size. A human rate taken as known: the exact binomial test, which never passes too often.
"""

from dataclasses import dataclass
from typing import Final

import numpy
from scipy.stats import binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

from runtime.gate.terms import Counts, Human

HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Shown:
    """What the calls show: the p-value of "below the margin", and the share of the human rate with bounds."""

    p_value: float
    ratio: float
    low: float
    high: float


def p_value(human: Human, margin: float, counts: Counts) -> float:
    """How likely so many hits are for an assistant at just the margin. 1 without calls."""
    if not counts.calls or not counts.hits:
        return 1.0
    if human.calls is None:
        return float(binomtest(counts.hits, counts.calls, margin * human.rate, alternative="greater").pvalue)
    with numpy.errstate(all="ignore"):  # it also computes odds, which may be infinite
        tested = test_proportions_2indep(
            counts.hits - HALF,
            counts.calls,
            human.hits,
            human.calls,
            value=margin,
            method="score",
            compare="ratio",
            alternative="larger",
        )
    return float(tested.pvalue)


def show(human: Human, margin: float, counts: Counts, level: float) -> Shown:
    """One look. Each bound is wrong with a chance of about `level`, and seldom more often."""
    ratio = counts.hits / counts.calls / human.rate
    p = p_value(human, margin, counts)
    if human.calls is None or not counts.hits:
        tested = binomtest(counts.hits, counts.calls).proportion_ci(1 - 2 * level, method="exact")
        return Shown(p, ratio, float(tested.low / human.rate), float(tested.high / human.rate))
    low = _interval(human, counts, counts.hits - HALF, level)[0]
    whole = counts.hits == counts.calls
    high = 1 / human.rate if whole else _interval(human, counts, counts.hits + HALF, level)[1]
    return Shown(p, ratio, low, high)


def _interval(human: Human, counts: Counts, hits: float, level: float) -> tuple[float, float]:
    with numpy.errstate(all="ignore"):
        low, high = confint_proportions_2indep(
            hits,
            counts.calls,
            human.hits,
            human.calls,
            method="score",
            compare="ratio",
            alpha=2 * level,
        )
    return float(low), float(high)
