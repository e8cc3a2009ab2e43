"""The circuit breaker."""

import pytest

from runtime.actions.doing import Breaker
from runtime.ports import OutsideFailure


def test_a_breaker_rests_after_failures_and_tries_once() -> None:
    """After so many failures in a row nobody asks; then one may try, and the others wait for that."""
    now = 0.0
    opened: list[float] = []
    breaker = Breaker(3, 10, lambda: now, lambda: opened.append(now))
    for _ in range(3):
        breaker.enter()
        breaker.failed()
    with pytest.raises(OutsideFailure, match="resting"):
        breaker.enter()
    now = 10
    breaker.enter()
    with pytest.raises(OutsideFailure, match="resting"):
        breaker.enter()
    breaker.failed()
    with pytest.raises(OutsideFailure, match="resting"):
        breaker.enter()
    now = 20
    breaker.enter()
    breaker.succeeded()
    breaker.enter()
    assert opened == [0.0]


def test_a_success_between_failures_keeps_it_going() -> None:
    """Only failures in a row count, and an attempt given up lets the next one try."""
    breaker = Breaker(2, 10, lambda: 0.0)
    for _ in range(5):
        breaker.enter()
        breaker.failed()
        breaker.enter()
        breaker.succeeded()
    breaker.enter()
    breaker.left()
    breaker.enter()
