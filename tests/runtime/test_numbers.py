"""Telephone numbers: one form for all of them, and none where it would be a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.numbers import national, normalise, pseudonym, spellings


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+1 (500) 555-0006", "", "+15005550006"),
        ("5005550006", "1", "+15005550006"),
        ("15005550006", "1", "+15005550006"),
        ("+15005550006", "", "+15005550006"),
        ("(202) 555-0101", "1", "+12025550101"),
        ("030 1234567", "49", "+49301234567"),
        ("0049 30 1234567", "1", "+49301234567"),
        ("5005550006", "", None),
        ("5005550006", "999", None),
        ("extension 5", "1", None),
        ("202 555 0101 ext 5", "1", None),
        ("+0123456", "1", None),
        ("+12", "1", None),
        ("+٥٠٠٥٥٥٠٠٠٦", "1", None),
        ("anonymous", "1", None),
        ("", "1", None),
    ],
)
def test_numbers_become_e164_or_nothing(written: str, country: str, number: str | None) -> None:
    """A number is whole with its country, or it is none."""
    assert normalise(written, country) == number


@given(st.text(max_size=40), st.sampled_from(["", "1", "44", "49", "x"]))
def test_what_is_read_once_is_read_the_same_again(written: str, country: str) -> None:
    """Whatever text comes in, the result is nothing or a number that stays itself."""
    number = normalise(written, country)
    assert number is None or normalise(number, "") == number


@given(st.integers(2_000_000_000, 9_999_999_999), st.sampled_from(["1", "44", "49"]))
def test_every_spelling_is_the_same_number(digits: int, country: str) -> None:
    """However a number is spelled for a search, whole or printed, it is read back as the same number."""
    number = normalise(f"+{country}{digits}")
    if number is not None:
        whole = [text for text in spellings(number) if text.startswith("+")]
        assert {normalise(text) for text in whole} == {number}


def test_the_spellings_of_a_number() -> None:
    """A number is looked for as systems keep it: whole, as digits, without its country, and printed."""
    assert spellings("+12025550101") == (
        "+12025550101",
        "12025550101",
        "2025550101",
        "+1 202-555-0101",
        "(202) 555-0101",
    )
    assert national("+49301234567") == "301234567"


def test_a_number_in_a_log_is_a_pseudonym() -> None:
    """The same number is the same word under one key and another under the next; a withheld one is none."""
    told = pseudonym("+12025550142", "a key of sixteen characters")
    assert told == pseudonym("+12025550142", "a key of sixteen characters")
    assert told.endswith("-42")
    assert "202555" not in told
    assert told != pseudonym("+12025550142", "another key of sixteen")
    assert told != pseudonym("+12025550242", "a key of sixteen characters")
    assert pseudonym(None, "a key of sixteen characters") == ""
