"""Looking more than once without cheating: what p-value each look needs, by alpha spending (Lan and DeMets).

The chance of a wrong pass is spent as information comes in, by a function fixed beforehand, so that looks may
come later than planned. The test statistics of successive looks are jointly normal with correlation
sqrt(I_j / I_k), whatever the increments; their joint distribution is SciPy's.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from runtime.gate.terms import Spending, Terms

HIGHEST: Final = 9.0  # standard deviations: what is farther out is never passed
LEAST_SPENT: Final = 1e-5  # below this the joint distribution is not exact enough: such a look cannot pass
_POINTS: Final = 40_000


def _obrien_fleming(alpha: float, fraction: float) -> float:
    return float(2 * norm.sf(norm.isf(alpha / 2) / math.sqrt(fraction)))


def _pocock(alpha: float, fraction: float) -> float:
    return alpha * math.log(1 + (math.e - 1) * fraction)


SPENDING: Final[Mapping[Spending, Callable[[float, float], float]]] = {
    "obrien_fleming": _obrien_fleming,
    "pocock": _pocock,
}


def variance(terms: Terms, calls: int) -> float:
    """The variance of the contrast `assistant - margin * human` after so many calls, at the margin itself."""
    human = terms.human
    share = terms.margin * human.rate
    theirs = terms.margin**2 * human.rate * (1 - human.rate) / human.calls if human.calls else 0.0
    return share * (1 - share) / calls + theirs


def levels(terms: Terms, calls: Sequence[int], *, digits: int = 6) -> tuple[tuple[float, float], ...]:
    """For looks at these numbers of calls: the p-value each needs, and how much of alpha is spent by then.

    `digits`: of the shares of information; a search that asks again and again may do with fewer.
    """
    whole = variance(terms, terms.calls)
    fractions = tuple(round(min(1.0, whole / variance(terms, one)), digits) for one in calls)
    # Beyond the plan information still grows, which the correlation must know and the spending must not.
    informations = tuple(round(whole / variance(terms, one), digits) for one in calls)
    return _levels(terms.spending, terms.spendable, fractions, informations)


@lru_cache(maxsize=1024)
def _levels(
    spending: Spending, alpha: float, fractions: tuple[float, ...], informations: tuple[float, ...]
) -> tuple[tuple[float, float], ...]:
    bounds: list[float] = []
    told: list[tuple[float, float]] = []
    spent = 0.0
    for look, fraction in enumerate(fractions, 1):
        due = SPENDING[spending](alpha, fraction)
        if due - spent < LEAST_SPENT:
            bounds.append(HIGHEST)  # what is not spent here is there for the next look
            told.append((0.0, spent))
            continue
        bounds.append(_bound(bounds, informations[:look], 1 - due))
        spent = due
        told.append((float(norm.sf(bounds[-1])), spent))
    return tuple(told)


def _bound(earlier: Sequence[float], informations: Sequence[float], stay: float) -> float:
    """The bound of the last look with which the chance to cross none so far is `stay`."""
    if not earlier:
        return float(norm.ppf(stay))
    found = brentq(lambda z: below([*earlier, z], informations) - stay, 0.0, HIGHEST, xtol=1e-5)
    return float(found)


def below(bounds: Sequence[float], informations: Sequence[float]) -> float:
    """The chance that the statistics of all looks stay below their bounds, to about 1e-6."""
    if len(bounds) == 1:
        return float(norm.cdf(bounds[0]))
    information = numpy.asarray(informations)
    earlier, later = (
        numpy.minimum.outer(information, information),
        numpy.maximum.outer(information, information),
    )
    cov = numpy.sqrt(earlier / later)
    # The same random points each time: two processes must find the same bound.
    rng = numpy.random.default_rng(1)
    chance = multivariate_normal.cdf(
        bounds, cov=cov, allow_singular=True, maxpts=_POINTS, abseps=1e-7, releps=1e-7, rng=rng
    )
    return float(chance)
