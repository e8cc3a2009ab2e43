"""The server's side of the Realtime protocol as a state machine: events in, events and orders out.

Pure: no socket, clock or thread. `receive` yields events (dicts) to be sent in order, and orders for the
shell: Hear (make out the words), Begin (let the policy decide and play the response), Stop (a response was
ended), Close. Laws:
1. Whatever a client sends, the connection stays open and it gets an error event; only expiry closes it.
2. One response at a time writes to the conversation; others run beside it (`conversation: "none"`).
3. What was cancelled or truncated is exactly as long as what had been sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runtime import audio
from runtime.session.stand_in import configuration, requests, usage
from runtime.session.stand_in.configuration import Json, Problem
from runtime.session.stand_in.items import (
    Item,
    check_item,
    completed,
    named,
    parts_of,
    position,
    unplaceable,
    untruncatable,
)
from runtime.session.stand_in.listening import LEAST_COMMIT_MS, MAX_APPEND_BYTES, Ear, TimedOut, to_format
from runtime.session.stand_in.responses import Ending, Response, close_open_item
from runtime.session.stand_in.vad import Started, Stopped


@dataclass(frozen=True, slots=True)
class Hear:
    """Make out the words of this item's audio, then call `heard`."""

    item: Item


@dataclass(frozen=True, slots=True)
class Begin:
    """Let the policy decide this response and play it, then call `finish`."""

    response: Response


@dataclass(frozen=True, slots=True)
class Stop:
    """This response has ended; play no more of it."""

    response: Response


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with this close code."""

    code: int
    reason: str


Out = Json | Hear | Begin | Stop | Close
SESSION_LIMIT_S = 3600


class Conversation:
    """The state of one connection."""

    def __init__(self, *, serial: str, model: str, now_s: float, lifetime_s: float = SESSION_LIMIT_S) -> None:
        self._serial, self._count = serial, 0
        self.id = f"conv_{serial}"
        self.session = configuration.default_session(model)
        self.session |= {"id": f"sess_{serial}", "expires_at": int(now_s + lifetime_s)}
        self.items: list[Item] = []
        self.ear = Ear()
        self.ear.configure(self.session["audio"]["input"])
        self.running: dict[str, Response] = {}
        self._turn_item_id = ""
        self._voice_used = False
        self._cached: dict[str, tuple[usage.Piece, ...]] = {}

    # --- what a response needs (Desk) ---

    def new_id(self, kind: str) -> str:
        """A fresh id, unique in this process."""
        self._count += 1
        return f"{kind}_{self._serial}{self._count:04d}"

    def emit(self, kind: str, /, **fields: Any) -> Json:
        """A server event with its id."""
        return {"type": kind, "event_id": self.new_id("event"), **fields}

    def add_item(self, item: Item) -> str | None:
        """Append an item; answers the id of the one before it."""
        previous = self.items[-1].id if self.items else None
        self.items.append(item)
        self._voice_used = self._voice_used or item.wire.get("role") == "assistant"
        return previous

    # --- the connection ---

    def opening(self) -> list[Json]:
        """The first events of a connection."""
        made = {"id": self.id, "object": "realtime.conversation"}
        return [
            self.emit("session.created", session=self.session),
            self.emit("conversation.created", conversation=made),
        ]

    def expire(self) -> Iterator[Out]:
        """The session has reached its maximum length."""
        text = "Your session hit the maximum duration of 60 minutes."
        yield self.refuse(Problem("session_expired", text), None)
        yield Close(1001, "session expired")

    def receive(self, event: Any, now_s: float) -> Iterator[Out]:
        """Answer one client event (parsed JSON)."""
        if now_s >= self.session["expires_at"]:
            yield from self.expire()
            return
        event_id = event.get("event_id") if isinstance(event, dict) else None
        kind = event.get("type") if isinstance(event, dict) else None
        if not isinstance(kind, str):
            yield self.refuse(Problem("invalid_event", "The 'type' field is missing.", "type"), event_id)
        elif kind not in RECEIVERS:
            listed = ", ".join(f"'{name}'" for name in RECEIVERS)
            text = f"Invalid value: '{kind}'. Supported values are: {listed}."
            yield self.refuse(Problem("invalid_event", text, "type"), event_id)
        else:
            for out in RECEIVERS[kind](self, event):
                yield self.refuse(out, event_id) if isinstance(out, Problem) else out

    def refuse(self, problem: Problem, event_id: str | None) -> Json:
        """An error event."""
        told = {
            "code": problem.code,
            "message": problem.message,
            "param": problem.param,
            "event_id": event_id,
        }
        return self.emit("error", error={"type": "invalid_request_error", **told})

    def update_session(self, event: Json) -> Iterator[Out | Problem]:
        merged = configuration.merge(self.session, event.get("session"), voice_used=self._voice_used)
        if isinstance(merged, Problem):
            yield merged
        else:
            self.session = merged
            self.ear.configure(merged["audio"]["input"])
            yield self.emit("session.updated", session=merged)

    # --- the caller's audio ---

    def append_audio(self, event: Json) -> Iterator[Out | Problem]:
        data = _decode(event.get("audio"))
        if data is None:
            text = "Invalid 'audio'. Expected base64-encoded audio bytes."
            yield Problem("invalid_value", text, "audio")
            return
        if len(data) > MAX_APPEND_BYTES:
            yield Problem(
                "invalid_value", "Invalid 'audio': at most 15 MiB may be appended at once.", "audio"
            )
            return
        for seen in self.ear.append(data):
            yield from self._noticed(seen)

    def _noticed(self, seen: Started | Stopped | TimedOut) -> Iterator[Out | Problem]:
        match seen:
            case Started(start_ms):
                self._turn_item_id, self._turn_start_ms = self.new_id("item"), start_ms
                yield self.emit(
                    "input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._turn_item_id
                )
                active = self._active()
                if active and self._turns["interrupt_response"]:
                    yield from self.finish(active, Ending("cancelled", "turn_detected"))
            case Stopped(end_ms):
                yield self.emit(
                    "input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=self._turn_item_id
                )
                yield from self._commit(self.ear.take(self._turn_start_ms, end_ms), self._turn_item_id)
                if self._turns["create_response"]:
                    yield from self.create_response({})
            case TimedOut(start_ms, end_ms):
                item_id = self.new_id("item")
                times = {"audio_start_ms": start_ms, "audio_end_ms": end_ms}
                yield self.emit("input_audio_buffer.timeout_triggered", item_id=item_id, **times)
                yield from self._commit(self.ear.take(start_ms, end_ms), item_id)
                if not self._active():
                    yield from self.create_response({})

    @property
    def _turns(self) -> Json:
        off = {"interrupt_response": False, "create_response": False}
        return self.session["audio"]["input"]["turn_detection"] or off

    def commit_audio(self, event: Json) -> Iterator[Out | Problem]:
        had = self.ear.buffered_ms
        if had < LEAST_COMMIT_MS:
            text = f"too small. Expected at least 100ms of audio, but buffer only has {had:.2f}ms of audio."
            yield Problem(
                "input_audio_buffer_commit_empty", f"Error committing input audio buffer: buffer {text}"
            )
            return
        yield from self._commit(self.ear.take_all(), self.new_id("item"))

    def _commit(self, mulaw: bytes, item_id: str) -> Iterator[Out]:
        wire = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
        }
        item = Item(
            {**wire, "content": [{"type": "input_audio", "transcript": None}]}, audio=bytearray(mulaw)
        )
        previous = self.add_item(item)
        yield self.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        yield self.emit("conversation.item.added", previous_item_id=previous, item=dict(item.wire))
        yield self.emit("conversation.item.done", previous_item_id=previous, item=dict(item.wire))
        yield Hear(item)

    def clear_audio(self, event: Json) -> Iterator[Out]:
        self.ear.clear()
        yield self.emit("input_audio_buffer.cleared")

    def heard(self, item: Item, text: str | None) -> Iterator[Json]:
        """The words of an item were made out (None: nothing could be); tells the client if it asked for
        transcripts."""
        item.heard = text or ""
        if self.session["audio"]["input"]["transcription"] is None or item not in self.items:
            return
        item.wire["content"] = [{"type": "input_audio", "transcript": item.heard}]
        where = {"item_id": item.id, "content_index": 0}
        for word in item.heard.split(" ") if item.heard else ():
            lead = " " if word is not item.heard.split(" ")[0] else ""
            yield self.emit("conversation.item.input_audio_transcription.delta", **where, delta=lead + word)
        sound, words = -(-item.audio_ms // usage.CALLER_MS_PER_TOKEN), usage.text_tokens(item.heard)
        details = {"text_tokens": 0, "audio_tokens": sound}
        used = {
            "type": "tokens",
            "total_tokens": sound + words,
            "input_tokens": sound,
            "output_tokens": words,
        }
        told = {"transcript": item.heard, "usage": {**used, "input_token_details": details}}
        yield self.emit("conversation.item.input_audio_transcription.completed", **where, **told)

    def create_item(self, event: Json) -> Iterator[Out | Problem]:
        value = event.get("item")
        bad = check_item(value) or unplaceable(self.items, value or {}, event.get("previous_item_id"))
        if bad:
            yield bad
            return
        assert isinstance(value, dict)
        at = position(self.items, event.get("previous_item_id"))
        assert at is not None
        item = self._new_item(value)
        previous = self.items[at - 1].id if at else None
        self.items.insert(at, item)
        yield self.emit("conversation.item.added", previous_item_id=previous, item=dict(item.wire))
        yield self.emit("conversation.item.done", previous_item_id=previous, item=dict(item.wire))
        if item.audio:
            yield Hear(item)

    def _new_item(self, value: Json) -> Item:
        item = Item(completed(value, self.new_id("item"), self.new_id("call")))
        sound = next((part["audio"] for part in parts_of(value) if part["type"] == "input_audio"), None)
        if sound is not None:
            ear = Ear()
            ear.configure({"format": self.session["audio"]["input"]["format"], "turn_detection": None})
            list(ear.append(_decode(sound) or b""))
            item.audio += ear.take_all()
        return item

    def delete_item(self, event: Json) -> Iterator[Out | Problem]:
        item = named(self.items, event, "delete")
        if isinstance(item, Problem):
            yield item
        else:
            self.items.remove(item)
            yield self.emit("conversation.item.deleted", item_id=item.id)

    def retrieve_item(self, event: Json) -> Iterator[Out | Problem]:
        item = named(self.items, event, "retrieve")
        if isinstance(item, Problem):
            yield item
            return
        wire = dict(item.wire)
        if item.audio:
            side = "output" if item.is_assistant_audio else "input"
            data = to_format(
                bytes(item.audio), self.session["audio"][side]["format"], audio.Resampler(8000, 24_000)
            )
            wire["content"] = [{**wire["content"][0], "audio": base64.b64encode(data).decode()}]
        yield self.emit("conversation.item.retrieved", item=wire)

    def truncate_item(self, event: Json) -> Iterator[Out | Problem]:
        item = named(self.items, event, "truncate")
        bad = item if isinstance(item, Problem) else untruncatable(item, event)
        if bad:
            yield bad
            return
        assert isinstance(item, Item)
        end_ms = event["audio_end_ms"]
        del item.audio[end_ms * audio.BYTES_PER_MS :]
        item.cut_ms = end_ms
        # The text goes with the audio: there must be none in the conversation that the caller has not heard.
        item.wire["content"] = [{"type": "output_audio", "transcript": None}]
        yield self.emit("conversation.item.truncated", item_id=item.id, content_index=0, audio_end_ms=end_ms)

    def _active(self) -> Response | None:
        return next((one for one in self.running.values() if one.in_conversation), None)

    def create_response(self, event: Json) -> Iterator[Out | Problem]:
        asked = event.get("response") or {}
        active = self._active()
        seen = requests.check(asked) or requests.look_up(self.items, asked.get("input"), self._new_item)
        if isinstance(seen, Problem):
            yield seen
        elif active and asked.get("conversation") != "none":
            yield requests.too_early(active.id)
        else:
            yield from self._begin(asked, seen)

    def _begin(self, asked: Json, seen: tuple[Item, ...]) -> Iterator[Out]:
        alone = asked.get("conversation") == "none"
        settings = requests.effective(self.session, asked)
        response = Response(self.new_id("resp"), settings, asked.get("metadata"), not alone, seen)
        self.running[response.id] = response
        yield self.emit("response.created", response=response.wire(None, self.id, None))
        limits = {"name": "tokens", "limit": 50_000, "remaining": 49_950, "reset_seconds": 0.06}
        yield self.emit("rate_limits.updated", rate_limits=[limits])
        for item in seen:
            if item.audio and item.heard is None and item not in self.items:
                yield Hear(item)
        yield Begin(response)

    def finish(self, response: Response, ending: Ending) -> Iterator[Out]:
        """End a response: close its open item, report, and free the conversation for the next one."""
        if self.running.pop(response.id, None) is None:
            return
        response.done = True
        yield Stop(response)
        yield from close_open_item(self, response, "incomplete")
        used = None if ending.status == "failed" else self._usage(response)
        yield self.emit("response.done", response=response.wire(ending, self.id, used))
        if response.in_conversation:
            # Sent faster than real time: the caller is still listening for about as long as was said.
            self.ear.expect_speech_from(self.ear.now_ms + response.audio_ms)

    def _usage(self, response: Response) -> Json:
        pieces = usage.prompt(response.settings["instructions"], response.settings["tools"], response.seen)
        before = self._cached.get(pieces[0].key, ())
        self._cached[pieces[0].key] = pieces
        return usage.measure(pieces, before, out_text=response.text_tokens, out_audio=response.audio_tokens)

    def cancel_response(self, event: Json) -> Iterator[Out | Problem]:
        wanted = event.get("response_id")
        response = self._active() if wanted is None else self.running.get(str(wanted))
        if response is None:
            yield Problem("response_cancel_not_active", "Cancellation failed: no active response found")
            return
        yield from self.finish(response, Ending("cancelled", "client_cancelled"))

    def clear_output(self, event: Json) -> Iterator[Out | Problem]:
        text = "output_audio_buffer.clear is only supported over WebRTC and SIP."
        yield Problem("invalid_event", text, "type")


def _decode(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return None


RECEIVERS: dict[str, Callable[[Conversation, Json], Iterator[Out | Problem]]] = {
    "session.update": Conversation.update_session,
    "input_audio_buffer.append": Conversation.append_audio,
    "input_audio_buffer.commit": Conversation.commit_audio,
    "input_audio_buffer.clear": Conversation.clear_audio,
    "conversation.item.create": Conversation.create_item,
    "conversation.item.delete": Conversation.delete_item,
    "conversation.item.retrieve": Conversation.retrieve_item,
    "conversation.item.truncate": Conversation.truncate_item,
    "response.create": Conversation.create_response,
    "response.cancel": Conversation.cancel_response,
    "output_audio_buffer.clear": Conversation.clear_output,
}
