"""Card numbers in text are found however they are written, and little else is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine import events as ev
from runtime.engine.cards import _ISSUERS, WITHHELD, is_card, masked

# The networks' own published test numbers.
CARDS = (
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
    "30569309025904",
    "6200000000000005",
)
NO_CARDS = (
    "call me on +1 202 555 0104 or 202-555-0105",
    "order 1234567890123456",
    "4111111111111112",
    "the year 2026, the 22nd of November, 13:45",
    "one of the two or three, for one or two people",
    "zero one two three four five",
    "tracking 94001118992238596123456789",
    "IBAN DE89370400440532013000",
    "",
)
PALABRAS = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def spoken(card: str, words: tuple[str, ...] = WORDS) -> str:
    return " ".join(words[int(digit)] for digit in card)


def luhn_set() -> list[str]:
    """A number of every issuer's range in every length it has, with its check digit."""
    dice, found = random.Random(64), []
    for low, high, lengths in _ISSUERS:
        for length in lengths:
            start = str(dice.randint(int(low), int(high)))
            body = start + "".join(dice.choice("0123456789") for _ in range(length - 1 - len(start)))
            doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
            total = sum(value - 9 if value > 9 else value for value in doubled)
            found.append(f"{body}{-total % 10}")
    return found


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_taken_out_however_it_is_written(card: str) -> None:
    """In one run, in groups, by dots, digit by digit, in words: nothing of it is left."""
    assert is_card(card)
    grouped = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    for form in (card, grouped, grouped.replace(" ", "-"), ".".join(card), " ".join(card), spoken(card)):
        assert masked(f"it is {form}, thanks") == f"it is {WITHHELD}, thanks"


def test_row_64_every_issuers_numbers_are_taken_out() -> None:
    """A number of every range and length, in digits, in groups, in English and in Spanish words; with another
    check digit it is no card's and stays.
    """
    numbers = luhn_set()
    assert len(numbers) > 40
    for card in numbers:
        grouped = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
        for form in (card, grouped, "-".join(card), spoken(card), spoken(card, PALABRAS)):
            assert masked(f"it is {form}, thanks") == f"it is {WITHHELD}, thanks", form
        other = f"{card[:-1]}{(int(card[-1]) + 1) % 10}"
        assert masked(f"it is {other}") == f"it is {other}"


@pytest.mark.parametrize("text", NO_CARDS)
def test_other_numbers_stay(text: str) -> None:
    """Telephone numbers, orders, dates and longer numbers are left alone."""
    assert masked(text) == text


def test_numbers_side_by_side_are_told_apart() -> None:
    """A telephone number before a card stays; two cards are both taken out."""
    assert masked("2025550104 4111 1111 1111 1111") == f"2025550104 {WITHHELD}"
    assert masked("4111111111111111 and 5555555555554444") == f"{WITHHELD} and {WITHHELD}"
    assert masked("four triple one, one one one one one one one one one one one one") == WITHHELD


@given(st.text(max_size=80))
def test_masking_is_done_once(text: str) -> None:
    """What was masked has nothing left to mask, and a text without twelve digits is itself."""
    assert masked(masked(text)) == masked(text)
    if sum(one.isdigit() for one in text) < 12 and not any(word in text.lower() for word in WORDS):
        assert masked(text) == text


@given(st.sampled_from([*CARDS, *luhn_set()]), st.randoms())
def test_no_event_holds_a_card_number(card: str, dice: random.Random) -> None:
    """Whatever an event brings, words, arguments, facts or results, no card number enters the engine."""
    form = dice.choice((card, spoken(card), "-".join(card)))
    told = {"a": form, "b": [int(card), {"c": f"x {form}"}]}
    events = (
        ev.CallerTurn(at_ms=1, turn_id="t", text=form),
        ev.TurnTranscribed(at_ms=1, turn_id="t", text=form),
        ev.PlaybackFinished(at_ms=1, speech_id="s", text=form),
        ev.PlaybackInterrupted(at_ms=1, speech_id="s", text=form),
        ev.TurnReported(at_ms=1, turn_id="t", arguments=told),
        ev.ActionRequested(at_ms=1, call_id="c", action="a", arguments=told),
        ev.ActionSucceeded(at_ms=1, run_id="r", result=told),
        ev.ContextLoaded(at_ms=1, facts=told),
    )
    for event in events:
        assert card not in repr(event).replace("-", "")
        assert form not in repr(event)
        assert WITHHELD in repr(event)
