"""Which example sentences are too alike to tell two intents apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceflow_compiler.likeness import ALIKE, Measure, too_alike

EXAMPLES = {
    "cancel": ["I want to cancel my appointment", "please call it off"],
    "refund": ["I want my money back", "can I cancel my appointments"],
    "person": ["let me talk to a person", "agent"],
    "busy": ["I have no time", "call me later"],
    "price": ["I have no budget", "that is too much"],
}
WORDS = st.lists(
    st.sampled_from(("i", "want", "to", "cancel", "my", "please", "a", "person", "agent", "no", "money")),
    max_size=6,
)


def test_the_pair_and_its_sentences_are_named() -> None:
    """Of all examples only the two that read alike are told, with both intents and both places."""
    (found,) = too_alike(EXAMPLES)
    assert (found.first, found.second) == ("cancel", "refund")
    assert found.sentences == ("I want to cancel my appointment", "can I cancel my appointments")
    assert found.at == (0, 1)
    assert ALIKE <= found.likeness < 1


def test_one_intent_may_say_the_same_twice() -> None:
    """Examples of one intent are never compared with each other."""
    assert list(too_alike({"person": ["talk to a person", "talk to a person please"]})) == []


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("that is too expensive", "too expensive for us", True),
        ("what do you mean", "what did you mean", True),
        ("talk to a person please", "please talk to a person", True),
        ("call me later", "call me next month", False),
        ("I have no time", "I have no budget", False),
        ("I want to cancel my order", "I want to change my order", False),
        ("yes", "no", False),
    ],
)
def test_the_line_between_alike_and_not(first: str, second: str, alike: bool) -> None:
    """Pairs that people mix up are alike; pairs that share only their frame are not."""
    examples = [*(text for texts in EXAMPLES.values() for text in texts), first, second]
    assert (Measure(examples).likeness(first, second) >= ALIKE) is alike


@given(first=WORDS, second=WORDS)
def test_likeness_is_a_measure(first: list[str], second: list[str]) -> None:
    """It lies between 0 and 1, is the same both ways round, and 1 for a sentence with itself."""
    one, two = " ".join(first), " ".join(second)
    measure = Measure([one, two, "agent"])
    assert 0 <= measure.likeness(one, two) <= 1 + 1e-9
    assert measure.likeness(one, two) == measure.likeness(two, one)
    assert measure.likeness(one, one) == 1


def test_a_large_flow_takes_linear_time_where_words_differ() -> None:
    """Sentences that share no word are never compared: a thousand intents come back with nothing."""
    assert list(too_alike({f"intent{at}": [f"word{at} thing{at}"] for at in range(1000)})) == []
