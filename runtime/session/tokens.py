"""What a response cost, in tokens, as the provider counts them: fresh and cached, text and sound."""

from collections.abc import Mapping
from typing import Any


def tokens(usage: Mapping[str, Any] | None) -> dict[str, int] | None:
    """The counts a price is put on: `text_in` and `audio_in` without their cached parts `text_cached` and
    `audio_cached`, `text_out` and `audio_out`. None where the provider told none.
    """
    if not usage:
        return None
    came, went = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    cached = _part(came, "cached_tokens_details")
    # Some answers tell only how much was cached in all: it is put to the text.
    text_cached = _count(cached, "text_tokens") if cached else _count(came, "cached_tokens")
    audio_cached = _count(cached, "audio_tokens")
    return {
        "text_in": max(0, _count(came, "text_tokens") - text_cached),
        "audio_in": max(0, _count(came, "audio_tokens") - audio_cached),
        "text_cached": text_cached,
        "audio_cached": audio_cached,
        "text_out": _count(went, "text_tokens"),
        "audio_out": _count(went, "audio_tokens"),
    }


def _part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = usage.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(part: Mapping[str, Any], name: str) -> int:
    found = part.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else 0
