"""Token counts of a response: estimates by fixed rates, with the prefix that an earlier response had already
sent counted as cached.

Text is four characters a token, caller audio one token per 100 ms, assistant audio one per 50 ms. A cache
holds whole blocks of 64 tokens and breaks at the first byte that differs, so changed instructions or tools
make everything new.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.items import Item

CHARACTERS_PER_TOKEN = 4
CALLER_MS_PER_TOKEN, ASSISTANT_MS_PER_TOKEN = 100, 50
CACHE_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a prompt: what identifies it, and its tokens."""

    key: str
    text: int
    audio: int = 0


def text_tokens(text: str) -> int:
    """Estimated tokens of a text."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def prompt(instructions: str, tools: Sequence[Json], items: Sequence[Item]) -> tuple[Piece, ...]:
    """The prompt in the order it is sent: instructions and tools, then the items."""
    head = instructions + json.dumps(list(tools), sort_keys=True)
    return (Piece(head, text_tokens(head)), *(_piece(item) for item in items))


def _piece(item: Item) -> Piece:
    key = f"{item.id}/{item.cut_ms}"
    if item.is_caller_audio:
        return Piece(key, 0, -(-item.audio_ms // CALLER_MS_PER_TOKEN))
    if item.is_assistant_audio:
        return Piece(key, 0, -(-item.audio_ms // ASSISTANT_MS_PER_TOKEN))
    return Piece(key, text_tokens(item.entry().text))


def measure(pieces: Sequence[Piece], before: Sequence[Piece], *, out_text: int, out_audio: int) -> Json:
    """The protocol's usage object; `before` is the prompt whose prefix is cached."""
    shared = 0
    while shared < min(len(pieces), len(before)) and pieces[shared].key == before[shared].key:
        shared += 1
    text, sound = sum(one.text for one in pieces), sum(one.audio for one in pieces)
    cached = sum(one.text + one.audio for one in pieces[:shared]) // CACHE_BLOCK * CACHE_BLOCK
    cached_sound = min(cached, sum(one.audio for one in pieces[:shared]))
    kept = {"text_tokens": cached - cached_sound, "audio_tokens": cached_sound, "image_tokens": 0}
    return {
        "total_tokens": text + sound + out_text + out_audio,
        "input_tokens": text + sound,
        "output_tokens": out_text + out_audio,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": sound,
            "image_tokens": 0,
            "cached_tokens": cached,
            "cached_tokens_details": kept,
        },
        "output_token_details": {"text_tokens": out_text, "audio_tokens": out_audio},
    }
