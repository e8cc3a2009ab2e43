"""A Realtime server that costs next to nothing: it counts what it hears and speaks without an end.

It speaks only as much of the protocol as a bridge needs to carry a call: a session, one endless response, and
on demand a caller's interruption. What it says is silence with a loud piece once a second; in a burst it
says ten seconds ten times as fast as they are heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.side_by_side import sound
from runtime.server.upgrade import upgrades
from runtime.websocket import Message, Socket

DELTA_MS: Final = 200
BURST_MS: Final = 10_000
BURST_SPEED: Final = 10
LATE_DELTAS: Final = 10  # that still come after an interruption was told: they were under way
MOST: Final = 16 * 1024 * 1024
Json = dict[str, Any]


class _Event(msgspec.Struct):
    type: str
    audio: str = ""


class _Truncate(msgspec.Struct):
    item_id: str
    audio_end_ms: int


_read = msgspec.json.Decoder(_Event).decode
_read_any = msgspec.json.Decoder(dict[str, Any]).decode
_read_truncate = msgspec.json.Decoder(_Truncate).decode
_write = msgspec.json.encode


@dataclass(slots=True)
class Heard:
    """What one session was told, in monotonic seconds (uvloop's own clock counts milliseconds)."""

    ms: float = 0.0
    said_ms: float = 0.0
    loud_at: list[float] = field(default_factory=list)
    said_loud_at: list[float] = field(default_factory=list)
    truncated: list[tuple[str, int]] = field(default_factory=list)
    interrupted_at: float = 0.0
    item_id: str = ""


class Session:
    """One connection of a bridge."""

    def __init__(self, model: Model, socket: Socket) -> None:
        self._model, self._socket = model, socket
        self._loop = asyncio.get_running_loop()
        self.heard = Heard()
        self._kind_in = self._kind_out = "audio/pcm"
        self._automatic = True
        self._speaking: asyncio.TimerHandle | None = None
        self._head = self._silent = self._loud = ""
        self._next = 0.0
        self._deltas = self._responses = 0
        self._late = 0

    @property
    def gone(self) -> bool:
        """Whether the bridge has left."""
        return self._socket.gone

    def begin(self) -> None:
        """The socket is open."""
        if self._model.shut:
            self._socket.close(self._model.shut)
            return
        self._socket.listen(self._take)
        self._tell({"type": "session.created", "session": _session({})})

    def reset(self) -> None:
        """The connection is gone without a word."""
        self.stop()
        self._socket.abort()

    def leave(self) -> None:
        """The connection is closed politely, as at the end of a session's time."""
        self.stop()
        self._socket.close(1001)

    def freeze(self) -> None:
        """Nothing is said and nothing is read any more."""
        self.stop()
        self._socket.read(reading=False)

    def interrupt(self) -> None:
        """The caller begins to speak over the response."""
        self.heard.interrupted_at = monotonic()
        self._late = LATE_DELTAS if self._speaking else 0
        self._tell(
            {
                "type": "input_audio_buffer.speech_started",
                "item_id": "item_caller",
                "audio_start_ms": int(self.heard.ms),
            }
        )

    def _take(self, message: Message | None) -> None:
        if message is None:
            self.stop()
            return
        event = _read(message)
        if event.type == "input_audio_buffer.append":
            self._hear(event.audio)
            return
        act = ACTS.get(event.type)
        if act is not None:
            act(self, message)

    def _hear(self, audio: str) -> None:
        self.heard.ms += sound.milliseconds(audio, self._kind_in)
        if sound.is_loud(audio, self._kind_in):
            sound.note(self.heard.loud_at, monotonic())
        if self._automatic and not self._responses and self.heard.ms > 500:
            self.respond()

    def update(self, message: Message) -> None:
        """session.update: the formats are kept, the rest is told back."""
        session = _read_any(message)["session"]
        audio = session.get("audio", {})
        given = audio.get("input", {}).get("format") or session.get("input_audio_format")
        self._kind_in = _kind(given) or self._kind_in
        given = audio.get("output", {}).get("format") or session.get("output_audio_format")
        self._kind_out = _kind(given) or self._kind_out
        turns = audio.get("input", {}).get("turn_detection") or session.get("turn_detection") or {}
        self._automatic = turns.get("create_response", self._automatic) is not False
        self._tell({"type": "session.updated", "session": _session(session)})

    def added(self, message: Message) -> None:
        """conversation.item.create: accepted."""
        item = _read_any(message)["item"]
        item = {"id": "item_told", "object": "realtime.item", "status": "completed"} | item
        self._tell({"type": "conversation.item.added", "item": item, "previous_item_id": None})
        self._tell({"type": "conversation.item.done", "item": item, "previous_item_id": None})

    def respond(self, message: Message = "") -> None:
        """Begin to speak, unless a response is under way."""
        if self._speaking is not None:
            return
        self._responses += 1
        response, item = f"resp_{id(self)}_{self._responses}", f"item_{id(self)}_{self._responses}"
        self.heard.item_id = item
        told = {"id": item, "object": "realtime.item", "type": "message", "role": "assistant", "content": []}
        self._tell({"type": "response.created", "response": _response(response, "in_progress")})
        place = {"response_id": response, "output_index": 0}
        self._tell({"type": "response.output_item.added", "item": told | {"status": "in_progress"}} | place)
        self._tell({"type": "conversation.item.added", "item": told | {"status": "in_progress"}})
        part = {"type": "audio", "transcript": ""}
        place |= {"item_id": item, "content_index": 0}
        self._tell({"type": "response.content_part.added", "part": part} | place)
        head = _write({"type": "response.output_audio.delta", "event_id": "e"} | place | {"delta": "@"})
        self._head = head.decode()
        self._silent = self._head.replace("@", sound.piece(self._kind_out, DELTA_MS, loud=False))
        self._loud = self._head.replace("@", sound.piece(self._kind_out, DELTA_MS, loud=True))
        self._next, self._deltas = monotonic(), 0
        self._speak()

    def _speak(self) -> None:
        if self._model.burst and self._deltas * DELTA_MS >= BURST_MS:
            self._finished("completed")
            return
        if self._late:
            self._late -= 1
            if not self._late:
                self._finished("cancelled")
                return
        loud = self._deltas % (1000 // DELTA_MS) == 0
        if loud:
            self.heard.said_loud_at.append(monotonic())
        self._socket.send(self._loud if loud else self._silent)
        self.heard.said_ms += DELTA_MS
        self._deltas += 1
        self._next += DELTA_MS / 1000 / (BURST_SPEED if self._model.burst else 1)
        self._speaking = self._loop.call_later(max(0, self._next - monotonic()), self._speak)

    def cancel(self, message: Message = "") -> None:
        """response.cancel: a few deltas more come, then the end."""
        if self._speaking is not None:
            self._late = self._late or LATE_DELTAS
            self._speaking.cancel()
            self._next = monotonic()
            self._speak()

    def _finished(self, status: str) -> None:
        self.stop()
        response = f"resp_{id(self)}_{self._responses}"
        place = {"response_id": response, "output_index": 0}
        audio = place | {"item_id": self.heard.item_id, "content_index": 0}
        self._tell({"type": "response.output_audio.done"} | audio)
        part = {"type": "audio", "transcript": "words"}
        item: Json = {
            "id": self.heard.item_id,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
        }
        item |= {"status": "completed" if status == "completed" else "incomplete"}
        item["content"] = [{"type": "output_audio", "transcript": "words"}]
        self._tell({"type": "response.output_audio_transcript.done", "transcript": "words"} | audio)
        self._tell({"type": "response.content_part.done", "part": part} | audio)
        self._tell({"type": "response.output_item.done", "item": item} | place)
        self._tell({"type": "conversation.item.done", "item": item})
        self._tell({"type": "response.done", "response": _response(response, status)})

    def truncate(self, message: Message) -> None:
        """conversation.item.truncate: what the bridge believes was heard."""
        told = _read_truncate(message)
        self.heard.truncated.append((told.item_id, told.audio_end_ms))
        place = {"item_id": told.item_id, "content_index": 0, "audio_end_ms": told.audio_end_ms}
        self._tell({"type": "conversation.item.truncated"} | place)

    def delete(self, message: Message) -> None:
        """conversation.item.delete: nothing of it was heard."""
        item = _read_any(message)["item_id"]
        self.heard.truncated.append((item, 0))
        self._tell({"type": "conversation.item.deleted", "item_id": item})

    def stop(self) -> None:
        """Speak no more."""
        if self._speaking is not None:
            self._speaking.cancel()
            self._speaking = None

    def _tell(self, event: Json) -> None:
        self._socket.send(_write({"event_id": "event_1"} | event).decode())


ACTS: Final = {
    "session.update": Session.update,
    "conversation.item.create": Session.added,
    "conversation.item.truncate": Session.truncate,
    "conversation.item.delete": Session.delete,
    "response.create": Session.respond,
    "response.cancel": Session.cancel,
}


@dataclass(slots=True)
class Model:
    """The server. `burst`: speak ten seconds at ten times their pace, instead of without an end."""

    port: int = 0
    burst: bool = False
    refuse: int = 0  # the status every connection is refused with
    shut: int = 0  # the code every connection is closed with as soon as it is open
    sessions: list[Session] = field(default_factory=list)

    @property
    def open(self) -> int:
        """How many sessions are connected."""
        return sum(not session.gone for session in self.sessions)

    def forget_gone(self) -> None:
        """Let go of the sessions that are over."""
        self.sessions = [session for session in self.sessions if not session.gone]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def admit(self, path: str, headers: Mapping[str, str]) -> Socket | int:
        """Any connection is a session, unless they are refused."""
        if self.refuse:
            return self.refuse
        socket = Socket(MOST)
        session = Session(self, socket)
        self.sessions.append(session)
        asyncio.get_running_loop().call_soon(session.begin)
        return socket


@asynccontextmanager
async def serving() -> AsyncIterator[Model]:
    """Run the model on a free port of this machine."""
    model = Model()

    async def speech(request: Request) -> Response:
        return Response(bytes(24_000), media_type="application/octet-stream")  # half a second of silence

    app = Starlette(routes=[Route("/v1/audio/speech", speech, methods=["POST"])])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, ws=upgrades(model.admit), lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.01)
    model.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield model
    finally:
        server.should_exit = True
        await task


def _kind(given: Any) -> str:
    name = given.get("type", "") if isinstance(given, dict) else given or ""
    return {"g711_ulaw": "audio/pcmu", "pcm16": "audio/pcm"}.get(name, name)


def _session(given: Json) -> Json:
    whole = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": "gpt-realtime"}
    return whole | {"output_modalities": ["audio"]} | given


def _response(name: str, status: str) -> Json:
    whole: Json = {"object": "realtime.response", "id": name, "status": status, "output": [], "usage": None}
    return whole | {"status_details": None, "conversation_id": "conv_1", "output_modalities": ["audio"]}
