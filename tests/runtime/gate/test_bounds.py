"""The levels of several looks, against published tables and the laws of spending."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from runtime.gate.bounds import SPENDING, below, levels
from runtime.gate.terms import KEPT_BACK, Human, Spending, Terms

# Five equal looks, one-sided 0.025, Lan-DeMets spending: Jennison and Turnbull (2000), gsDesign, ldbounds.
PUBLISHED: dict[Spending, list[float]] = {
    "obrien_fleming": [4.8769, 3.3569, 2.6803, 2.2898, 2.0310],
    "pocock": [2.4380, 2.4268, 2.4101, 2.3966, 2.3859],
}


def terms(spending: Spending, calls: int = 1000, human_calls: int | None = None) -> Terms:
    """Terms whose looks may spend 0.025."""
    return Terms(Human(0.34, human_calls), calls, alpha=0.025 / (1 - KEPT_BACK), spending=spending)


@pytest.mark.parametrize("spending", PUBLISHED)
def test_the_levels_are_those_of_the_published_tables(spending: Spending) -> None:
    """Where enough is spent to be exact about, five equal looks have the bounds of the literature."""
    found = [level for level, _ in levels(terms(spending), [200, 400, 600, 800, 1000])]
    for level, bound in zip(found, PUBLISHED[spending], strict=True):
        if level:
            assert norm.isf(level) == pytest.approx(bound, abs=2e-3)
    assert sum(level == 0 for level in found) <= 1  # only O'Brien and Fleming's first look, one in a million


@pytest.mark.parametrize("spending", PUBLISHED)
def test_all_looks_together_cross_as_often_as_stated(spending: Spending) -> None:
    """The chance to cross at any look is alpha, by the joint distribution of all of them."""
    found = levels(terms(spending), [200, 400, 600, 800, 1000])
    bounds = [float(norm.isf(level)) if level else 9.0 for level, _ in found]
    assert 1 - below(bounds, [0.2, 0.4, 0.6, 0.8, 1.0]) == pytest.approx(0.025, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(20, 1500), min_size=1, max_size=4, unique=True).map(sorted),
    st.sampled_from(list(PUBLISHED)),
    st.sampled_from([None, 300, 5000]),
)
def test_no_looks_spend_more_than_alpha(calls: list[int], spending: Spending, human: int | None) -> None:
    """Whenever looks are taken, what is spent grows and never exceeds alpha; no level exceeds it either."""
    found = levels(terms(spending, human_calls=human), calls)
    spent = [one for _, one in found]
    assert spent == sorted(spent)
    assert spent[-1] <= 0.025 + 1e-9
    assert all(0 <= level <= 0.025 + 1e-9 for level, _ in found)


@pytest.mark.parametrize("spending", PUBLISHED)
def test_everything_is_spent_at_the_end(spending: Spending) -> None:
    """A spending function is nothing before the first call and alpha at the last."""
    assert SPENDING[spending](0.05, 1.0) == pytest.approx(0.05)
    assert SPENDING[spending](0.05, 1e-9) < 1e-8
    assert math.isclose(levels(terms(spending), [1000])[0][0], 0.025)
