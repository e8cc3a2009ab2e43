"""The split of callers: stable, nested, fair and keyed."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.rollout.split import chosen, place

NUMBERS = st.integers(10_000_000, 99_999_999).map(lambda number: f"+1202{number}")
KEY = "0123456789abcdef"


@given(NUMBERS, st.sampled_from([5, 10, 25, 50]))
def test_a_caller_who_is_in_stays_in_while_the_share_grows(number: str, percent: int) -> None:
    """Whoever the assistant takes at a stage it takes at every later one, whatever the call."""
    if chosen(KEY, percent, number, "CA1"):
        assert all(chosen(KEY, more, number, "CA2") for more in (10, 25, 50, 100) if more >= percent)


@given(NUMBERS)
def test_nobody_is_in_at_nought_and_everybody_at_a_hundred(number: str) -> None:
    """Off takes no caller and the last stage leaves none out."""
    assert not chosen(KEY, 0, number, "CA1")
    assert chosen(KEY, 100, number, "CA1")


def test_the_share_is_the_percentage() -> None:
    """Of 20,000 callers in a row, the share taken is within one point of what was asked for."""
    for percent in (5, 10, 25, 50):
        taken = sum(chosen(KEY, percent, f"+12025{n:06}", "CA1") for n in range(20_000))
        assert abs(taken / 200 - percent) < 1


def test_another_key_is_another_split() -> None:
    """Two keys agree about a caller no more often than chance."""
    numbers = [f"+12025{n:06}" for n in range(4_000)]
    both = sum(place("one", n) < 50 and place("two", n) < 50 for n in numbers)
    assert abs(both / len(numbers) - 0.25) < 0.03


def test_a_withheld_number_is_placed_by_its_call() -> None:
    """The same call gets the same answer again, and two calls may get different ones."""
    answers = [chosen(KEY, 50, None, f"CA{n}") for n in range(200)]
    assert answers == [chosen(KEY, 50, None, f"CA{n}") for n in range(200)]
    assert 60 < sum(answers) < 140
