"""One look at two rates, against exact counting and statsmodels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from runtime.gate.guards import SURE, wilson
from runtime.gate.ratio import p_value, show
from runtime.gate.terms import Counts, Human


def test_a_known_rate_is_tested_exactly() -> None:
    """Against a human rate taken as known, the p-value is the sum of the binomial tail."""
    rate = 0.8 * 0.34
    tail = sum(math.comb(50, k) * rate**k * (1 - rate) ** (50 - k) for k in range(20, 51))
    assert p_value(Human(0.34), 0.8, Counts(50, 20)) == pytest.approx(tail, rel=1e-12)


def test_a_rate_from_few_human_calls_is_less_sure() -> None:
    """The same assistant shows less beside people of whom less is known."""
    counts = Counts(400, 136)
    values = [p_value(Human(0.34, calls), 0.8, counts) for calls in (100, 1000, 100_000)]
    assert values == sorted(values, reverse=True)


@given(st.integers(1, 400), st.data(), st.sampled_from([None, 50, 1000]), st.sampled_from([0.01, 0.05]))
def test_bound_and_test_agree(calls: int, data: st.DataObject, human: int | None, level: float) -> None:
    """The lower bound lies above the margin just when the p-value is below the level."""
    counts = Counts(calls, data.draw(st.integers(1, calls)))
    shown = show(Human(0.34, human), 0.8, counts, level)
    assert shown.low <= shown.ratio <= shown.high + 1e-9
    if abs(shown.low - 0.8) > 1e-6:
        assert (shown.low > 0.8) == (shown.p_value < level)


def test_no_hits_show_nothing() -> None:
    """An assistant that never reached the metric has a p-value of one and a lower bound of nought."""
    for human in (Human(0.34), Human(0.34, 500)):
        shown = show(human, 0.8, Counts(80, 0), 0.05)
        assert (shown.p_value, shown.low, shown.ratio) == (1.0, 0.0, 0.0)


@given(st.integers(1, 1000), st.data())
def test_the_guards_bounds_are_wilsons(trials: int, data: st.DataObject) -> None:
    """The guards' bounds, made without SciPy, are statsmodels' Wilson interval to twelve digits."""
    hits = data.draw(st.integers(0, trials))
    low, high = proportion_confint(hits, trials, alpha=0.02, method="wilson")
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-12)
    assert pytest.approx(2.3263478740408408) == SURE
