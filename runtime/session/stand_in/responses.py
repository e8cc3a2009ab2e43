"""One response from response.created to response.done: the events in the order of the GA protocol, and what
they leave behind.

Pure: `play` yields events and Waits; whoever performs it sleeps. A response can be ended between any two
events with `finish`, which closes what is open (the item stays, marked incomplete, as long as what was sent).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from runtime import audio
from runtime.session.stand_in import usage
from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.items import Item
from runtime.session.stand_in.listening import to_format
from runtime.session.stand_in.turns import Output, Say, Turn


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this much time pass before the next event."""

    ms: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How audio leaves: milliseconds of audio a delta, and how much faster than real time (0: at once)."""

    chunk_ms: int = 200
    speed: float = 10.0

    @property
    def wait(self) -> Wait:
        return Wait(self.chunk_ms / self.speed if self.speed else 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a response ends: its status, and the reason or the error that status carries."""

    status: str
    reason: str | None = None
    error: Json | None = None

    def details(self) -> Json | None:
        if self.status == "completed":
            return None
        told = {"reason": self.reason, "error": self.error}
        return {"type": self.status, **{key: value for key, value in told.items() if value is not None}}


COMPLETED = Ending("completed")


@dataclass(slots=True)
class _Open:
    """The item being sent: how it is called, where it stands, and what of it went out."""

    item: Item
    kind: str  # audio, text, call
    index: int
    previous_id: str | None
    sent: str = ""


@dataclass(slots=True)
class Response:
    """A response under way: what was asked for, what it put out, what it cost."""

    id: str
    settings: Json
    metadata: Json | None
    in_conversation: bool
    seen: tuple[Item, ...]
    pieces: tuple[usage.Piece, ...] = ()
    output: list[Json] = field(default_factory=list)
    open: _Open | None = None
    text_tokens: int = 0
    audio_ms: int = 0
    done: bool = False

    @property
    def modality(self) -> str:
        return str(self.settings["output_modalities"][0])

    @property
    def audio_tokens(self) -> int:
        return -(-self.audio_ms // usage.ASSISTANT_MS_PER_TOKEN)

    @property
    def over_budget(self) -> bool:
        limit = self.settings["max_output_tokens"]
        return bool(limit != "inf" and self.text_tokens + self.audio_tokens >= limit)

    def turn(self) -> Turn:
        """What the policy is shown. Read it after the caller's audio was heard."""
        return Turn(
            instructions=self.settings["instructions"],
            tools=tuple(self.settings["tools"]),
            tool_choice=self.settings["tool_choice"],
            entries=tuple(item.entry() for item in self.seen),
            output_modality=self.modality,
            metadata=dict(self.metadata or {}),
        )

    def wire(self, ending: Ending | None, conversation_id: str, used: Json | None) -> Json:
        """The protocol's response object."""
        limit, sound = self.settings["max_output_tokens"], self.settings["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": ending.status if ending else "in_progress",
            "status_details": ending.details() if ending else None,
            "output": list(self.output),
            "conversation_id": conversation_id if self.in_conversation else None,
            "output_modalities": list(self.settings["output_modalities"]),
            "max_output_tokens": limit,
            "audio": {"output": {"format": sound["format"], "voice": sound["voice"]}},
            "usage": used,
            "metadata": self.metadata,
        }


class Desk(Protocol):
    """What a response needs of its conversation: new ids, events with ids, and a place for its items."""

    def emit(self, kind: str, /, **fields: Any) -> Json: ...
    def new_id(self, kind: str) -> str: ...
    def add_item(self, item: Item) -> str | None: ...


def play(
    desk: Desk, response: Response, outputs: Sequence[tuple[Output, bytes]], pace: Pace
) -> Iterator[Json | Wait]:
    """Send each output as an item. Each comes with its mu-law audio (unused for text and calls). Ends before
    response.done; a response that ran out of tokens stops where it is (`over_budget`)."""
    for output, mulaw in outputs:
        if isinstance(output, Say):
            yield from (
                _speak(desk, response, output.text, mulaw, pace)
                if response.modality == "audio"
                else _write(desk, response, output.text)
            )
        else:
            yield from _call(desk, response, output.name, output.arguments)
        if response.over_budget:
            return


def close_open_item(desk: Desk, response: Response, status: str) -> Iterator[Json]:
    """The closing events of the item under way, if there is one."""
    opened, response.open = response.open, None
    if opened is None:
        return
    wire, emit = opened.item.wire, desk.emit
    where = _place(response, opened)
    wire["status"] = status
    if opened.kind == "call":
        told = {"call_id": wire["call_id"], "name": wire["name"], "arguments": opened.sent}
        wire["arguments"] = opened.sent
        yield emit("response.function_call_arguments.done", **where, **told)
    else:
        yield from _close_part(desk, opened, {**where, "content_index": 0})
    response.output.append(_snapshot(wire))
    yield emit(
        "response.output_item.done", response_id=response.id, output_index=opened.index, item=_snapshot(wire)
    )
    if response.in_conversation:
        yield emit("conversation.item.done", previous_item_id=opened.previous_id, item=_snapshot(wire))


def _place(response: Response, opened: _Open) -> Json:
    """What every event of an item under way says of its place."""
    return {"response_id": response.id, "item_id": opened.item.id, "output_index": opened.index}


def _close_part(desk: Desk, opened: _Open, where: Json) -> Iterator[Json]:
    if opened.kind == "audio":
        # An item truncated while it was still being sent has lost its transcript for good.
        transcript = opened.sent if opened.item.cut_ms is None else ""
        opened.item.wire["content"] = [{"type": "output_audio", "transcript": transcript}]
        yield desk.emit("response.output_audio.done", **where)
        yield desk.emit("response.output_audio_transcript.done", **where, transcript=transcript)
        yield desk.emit(
            "response.content_part.done", **where, part={"type": "audio", "transcript": transcript}
        )
    else:
        opened.item.wire["content"] = [{"type": "output_text", "text": opened.sent}]
        yield desk.emit("response.output_text.done", **where, text=opened.sent)
        yield desk.emit("response.content_part.done", **where, part={"type": "text", "text": opened.sent})


def _open_item(desk: Desk, response: Response, kind: str, **fields: Any) -> Iterator[Json]:
    wire = {"id": desk.new_id("item"), "object": "realtime.item", "status": "in_progress", **fields}
    item = Item(wire)
    previous = desk.add_item(item) if response.in_conversation else None
    index = len(response.output)
    response.open = _Open(item, kind, index, previous)
    yield desk.emit(
        "response.output_item.added", response_id=response.id, output_index=index, item=_snapshot(wire)
    )
    if response.in_conversation:
        yield desk.emit("conversation.item.added", previous_item_id=previous, item=_snapshot(wire))


def _speak(desk: Desk, response: Response, text: str, mulaw: bytes, pace: Pace) -> Iterator[Json | Wait]:
    yield from _open_item(desk, response, "audio", type="message", role="assistant", content=[])
    assert response.open is not None
    opened = response.open
    opened.item.wire["content"] = [{"type": "output_audio", "transcript": ""}]
    where = {**_place(response, opened), "content_index": 0}
    yield desk.emit("response.content_part.added", **where, part={"type": "audio", "transcript": ""})
    step = pace.chunk_ms * audio.BYTES_PER_MS
    chunks = [mulaw[start : start + step] for start in range(0, len(mulaw), step)]
    resampler = audio.Resampler(audio.SAMPLE_RATE_HZ, 24_000)
    wanted = response.settings["audio"]["output"]["format"]
    for number, chunk in enumerate(chunks):
        if response.over_budget:
            break
        if words := _words_until(text, len(opened.sent), (number + 1) / len(chunks)):
            opened.sent += words
            yield desk.emit("response.output_audio_transcript.delta", **where, delta=words)
        opened.item.audio += chunk
        response.audio_ms += audio.duration_ms(chunk)
        delta = base64.b64encode(to_format(chunk, wanted, resampler)).decode()
        yield desk.emit("response.output_audio.delta", **where, delta=delta)
        yield pace.wait
    response.text_tokens += usage.text_tokens(opened.sent)
    yield from close_open_item(desk, response, "incomplete" if response.over_budget else "completed")


def _words_until(text: str, start: int, share: float) -> str:
    """The text from `start` to the end of the word that is being said when `share` of the audio is out."""
    end = min(len(text), math.ceil(len(text) * share))
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end]


def _write(desk: Desk, response: Response, text: str) -> Iterator[Json | Wait]:
    yield from _open_item(desk, response, "text", type="message", role="assistant", content=[])
    assert response.open is not None
    opened = response.open
    opened.item.wire["content"] = [{"type": "output_text", "text": ""}]
    where = {**_place(response, opened), "content_index": 0}
    yield desk.emit("response.content_part.added", **where, part={"type": "text", "text": ""})
    allowed = _affordable(response, text)
    for start in range(0, len(allowed), 40):
        opened.sent += allowed[start : start + 40]
        yield desk.emit("response.output_text.delta", **where, delta=allowed[start : start + 40])
        yield Wait(0)
    response.text_tokens += usage.text_tokens(opened.sent)
    yield from close_open_item(desk, response, "completed" if allowed == text else "incomplete")


def _affordable(response: Response, text: str) -> str:
    limit = response.settings["max_output_tokens"]
    if limit == "inf":
        return text
    return text[: max(0, (limit - response.text_tokens - response.audio_tokens) * usage.CHARACTERS_PER_TOKEN)]


def _call(desk: Desk, response: Response, name: str, arguments: str) -> Iterator[Json | Wait]:
    call_id = desk.new_id("call")
    yield from _open_item(
        desk, response, "call", type="function_call", name=name, call_id=call_id, arguments=""
    )
    assert response.open is not None
    opened = response.open
    where = {**_place(response, opened), "call_id": call_id}
    allowed = _affordable(response, arguments)
    for start in range(0, len(allowed), 60):
        opened.sent += allowed[start : start + 60]
        yield desk.emit("response.function_call_arguments.delta", **where, delta=allowed[start : start + 60])
        yield Wait(0)
    response.text_tokens += usage.text_tokens(opened.sent)
    yield from close_open_item(desk, response, "completed" if allowed == arguments else "incomplete")


def _snapshot(wire: Json) -> Json:
    """The item as it is now; later changes must not reach an event already made."""
    return {**wire, "content": [dict(part) for part in wire["content"]]} if "content" in wire else dict(wire)
