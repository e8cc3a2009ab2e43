import pytest

from runtime.session.tokens import tokens

USAGE = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def test_cached_tokens_are_told_apart() -> None:
    """Fresh and cached, text and sound are counted each on its own, as each has a price of its own."""
    assert tokens(USAGE) == {
        "text_in": 59,
        "audio_in": 9,
        "text_cached": 60,
        "audio_cached": 4,
        "text_out": 30,
        "audio_out": 91,
    }


@pytest.mark.parametrize(
    "usage", [None, {}, {"input_token_details": None}, {"input_token_details": {"text_tokens": "many"}}]
)
def test_odd_usage_counts_nothing(usage) -> None:
    """What a provider leaves out or garbles is nought, never an error."""
    counted = tokens(usage)
    assert counted is None or set(counted.values()) == {0}
