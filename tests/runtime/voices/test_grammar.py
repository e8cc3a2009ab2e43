"""Grammars: phrases as words, what may be said, and what is only a beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.session.stand_in.wording import numbers
from runtime.voices import grammar


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("That\u2019s right!", "that's right"),
        ("about 50 people", "about fifty people"),
        ("twenty-five", "twenty five"),
        ("<number> people", "<number> people"),
        ("1250", "one thousand two hundred fifty"),
    ],
)
def test_words(phrase: str, words: str) -> None:
    """A phrase becomes the words that are said."""
    assert " ".join(grammar.words_of(phrase)) == words


@given(st.integers(0, 999_999))
def test_spelled_numbers_are_read_back(number: int) -> None:
    """Every number that the grammar spells is read as that number again."""
    assert [value for _, _, value in numbers(grammar.spell(number))] == [number]


def test_unknown_words_are_left_out() -> None:
    """A phrase with a word the recogniser lacks is left out, and the word is told."""
    kept, missing = grammar.usable(
        ["hello there", "hello Xanthippe", "about <number>"], {"hello", "there", "about"}.__contains__
    )
    assert (kept, missing) == (["hello there", "about <number>"], ["xanthippe"])


def test_whole_sentences() -> None:
    """Only a phrase to its end is a sentence; a mark stands for words of its kind."""
    phrases = ["let me talk to a person", "about <number> people"]
    assert grammar.matched("let me talk to a person", phrases) == phrases[0]
    assert grammar.matched("about two hundred people", phrases) == phrases[1]
    assert grammar.matched("let me talk to a", phrases) is None
    assert grammar.matched("about people", phrases) is None
