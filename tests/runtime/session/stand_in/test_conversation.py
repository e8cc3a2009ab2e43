"""The conversation without a socket: laws over any client events."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.session.stand_in.conversation import RECEIVERS, Close, Conversation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
IDS = st.sampled_from(["a", "b", "root", None, 7, ["a"]])
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["input_text", "input_audio", "output_text", "output_audio", "dance"]) | JSON},
    optional={"text": st.text(max_size=5) | JSON, "audio": st.sampled_from(["////", "?"]) | JSON},
)
KINDS = st.sampled_from(["message", "function_call", "function_call_output", "mcp_call", "item_reference"])
ITEMS = st.fixed_dictionaries(
    {"type": KINDS | JSON},
    optional={
        "id": IDS | JSON,
        "role": st.sampled_from(["user", "system", "assistant"]) | JSON,
        "content": st.lists(PARTS, max_size=2) | JSON,
        "name": st.text(max_size=3) | JSON,
        "arguments": st.text(max_size=3) | JSON,
        "call_id": st.sampled_from(["c", "d"]) | JSON,
        "output": st.text(max_size=3) | JSON,
    },
)
TURNS = st.fixed_dictionaries({"type": st.sampled_from(["server_vad", "semantic_vad"])}) | JSON
SOUND = st.fixed_dictionaries({}, optional={"turn_detection": TURNS, "format": JSON, "transcription": JSON})
SETTINGS = st.fixed_dictionaries(
    {"type": st.just("realtime")},
    optional={
        "audio": st.fixed_dictionaries({}, optional={"input": SOUND | JSON, "output": JSON}) | JSON,
        "tools": JSON,
        "tool_choice": JSON,
        "instructions": JSON,
        "output_modalities": JSON,
        "max_output_tokens": JSON,
        "metadata": JSON,
        "tracing": JSON,
    },
)
RESPONSES = SETTINGS.map(
    lambda value: {key: one for key, one in value.items() if key not in ("type", "tracing")}
)
INPUTS = st.fixed_dictionaries({"input": st.lists(ITEMS, max_size=2) | JSON})
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(RECEIVERS)) | JSON},
    optional={
        "session": SETTINGS | JSON,
        "response": RESPONSES | INPUTS | JSON,
        "item": ITEMS | JSON,
        "item_id": IDS | JSON,
        "previous_item_id": IDS | JSON,
        "response_id": IDS | JSON,
        "audio": st.sampled_from(["////" * 400, "AAAA", "?"]) | JSON,
        "audio_end_ms": st.integers(-1, 50) | JSON,
        "content_index": st.integers(-1, 1) | JSON,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS | JSON, max_size=8))
def test_any_event_is_answered(events: list[Any]) -> None:
    """Whatever a client sends, the conversation answers and stays open; every event has its own id."""
    conversation = Conversation(serial="x", model="m", now_s=0)
    ids = [event["event_id"] for event in conversation.opening()]
    for event in events:
        for out in conversation.receive(event, 0):
            assert not isinstance(out, Close)
            if isinstance(out, dict):
                ids.append(out["event_id"])
    assert len(set(ids)) == len(ids)
    assert len({item.id for item in conversation.items}) == len(conversation.items)
    assert sum(response.in_conversation for response in conversation.running.values()) <= 1
