"""One Realtime conversation without its socket: server events in, session events and client messages out.

Laws
1. Before the session is configured nothing but session.update leaves; what was ordered meanwhile leaves
   then, in order.
2. Audio reaches the caller only from a response the call asked for as a speech and has not cancelled.
3. A tool call counts only when it is complete; every turn asked about is reported or told as unreported,
   once.
4. Turn ids are the call's own, so that a new connection's item ids cannot be taken for old ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from runtime.audio import is_base64
from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.model import (
    Answered,
    Asked,
    Audio,
    Called,
    CallerSilent,
    Cut,
    Lost,
    Noted,
    Ready,
    SessionEvent,
    SessionSettings,
    Speaking,
    SpeechEnded,
    Transcript,
    TurnDetection,
    TurnEnded,
    Unreported,
    Words,
)
from runtime.session.sequencer import Request, Sequencer

REPORT_TOOL: Final = "take_turn"
CONFIGURE: Final = "configure"
FORCED: Final = {"type": "function", "name": REPORT_TOOL}
RESPONSES: Final[dict[str, dict[str, Any]]] = {
    "report": {"tool_choice": FORCED},
    "answer": {"tool_choice": "auto"},
    "classify": {"tool_choice": FORCED, "conversation": "none", "output_modalities": ["text"]},
    "speak": {"tool_choice": "none"},
}
# A session that answers one of these will not get better by trying again.
FATAL_CODES: Final = frozenset(
    {"insufficient_quota", "invalid_api_key", "account_deactivated", "billing_hard_limit_reached"}
)
ACTIVE_RESPONSE: Final = "conversation_already_has_active_response"
BENIGN_CODES: Final = frozenset({ACTIVE_RESPONSE, "response_cancel_not_active", "session_expired"})
_RESPONSE_ID: Final = re.compile(r"\bresp_\w+")


@dataclass(slots=True, eq=False)
class _Answer:
    """What came so far of one response asked for."""

    audio: bool = False
    calls: tuple[wire.Item, ...] = ()


@dataclass(slots=True, eq=False)
class _Line:
    """One thing said, for a reconnection."""

    role: str
    text: str


class Conversation:
    """The state of one call's conversation across connections. `drain` gives what to send, in order."""

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._sequencer = Sequencer()
        self._answers: dict[str, _Answer] = {}
        self._turns: dict[str, str] = {}
        self._turn_lines: dict[str, _Line] = {}
        self._turn_count = 0
        self._quiet_items: set[str] = set()
        self._history: list[_Line] = []
        self._first: list[str] = []
        self._out: list[str] = []
        self._brief = ""
        self._items: set[str] = set()  # what this connection's server said
        self._gone: set[str] = set()  # what another one's said: nothing can be corrected there any more
        # Of the caller's audio, appended to this connection: the server's times count it, not the clock.
        self.appended_bytes = 0
        self._spoke_until_ms = 0.0
        self._bytes_per_ms = 8 if settings.audio_format != "audio/pcm" else 48
        # Silence in base64: mu-law's is all ones, PCM's all noughts.
        self._silence = "A=" if settings.audio_format == "audio/pcm" else "/="
        self._moved = False
        self.ready = False
        self.caller_speaking = False

    # ---- orders

    def configure(self, instructions: str) -> None:
        """session.update, the only one of a connection: instructions, tools, voice, format and every VAD
        field.
        """
        settings = self._settings
        sound = {"type": settings.audio_format}
        if settings.audio_format == "audio/pcm":
            sound["rate"] = 24000  # type: ignore[assignment]
        session = {
            "type": "realtime",
            "instructions": instructions,
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": sound,
                    "noise_reduction": None,
                    "transcription": {"model": settings.transcription_model, "language": settings.language},
                    "turn_detection": _turn_detection(settings.turns),
                },
                "output": {"format": sound, "voice": settings.voice, "speed": settings.speed},
            },
            "tools": [dict(tool) for tool in settings.tools],
            "tool_choice": "auto",
            "max_output_tokens": settings.max_output_tokens,
        }
        self._first = [wire.update_session(session, CONFIGURE)]

    def brief(self, text: str) -> None:
        self._out.append(wire.message_item("system", text))
        self._brief = text

    def said(self, text: str) -> None:
        if text and self.ready:  # before that the history tells it
            self._out.append(wire.message_item("assistant", text))
        self.heard(text)

    def heard(self, text: str) -> None:
        if text:
            self._history.append(_Line("assistant", text))

    def answer(self, call_id: str, output: str) -> None:
        self._out.append(wire.tool_output(call_id, output))
        self._brief = output  # it may hold a brief: where the call stands now

    def respond(self, order: Respond) -> None:
        self._sequencer.order(order.purpose, order.speech_id, order.turn_id)

    def stop(self, cut: Cut) -> list[SessionEvent]:
        """Cancel what is made as speech, correct the server's memory, and end what nobody asked for yet."""
        dropped, active = self._sequencer.stop()
        if active is not None:
            self._out.append(wire.cancel_response(active.response_id, f"cancel-{active.request_id}"))
        gone = self._gone
        self._out += [wire.truncate_item(*one) for one in cut.truncations if one[0] not in gone]
        self._out += [wire.delete_item(item_id) for item_id in cut.deletions if item_id not in gone]
        return [event for request in dropped for event in _ended(request, "cancelled", reported=False)]

    def ask(self) -> list[SessionEvent]:
        """Ask for the next responses, if the conversation is free for them."""
        if not self.ready:
            return []
        requests = self._sequencer.next()
        self._out += [self._create(request) for request in requests]
        return [Asked(request.purpose) for request in requests]

    def drain(self) -> list[str]:
        """What may leave now, in order."""
        out, self._first = self._first, []
        if self.ready:
            out += self._out
            self._out = []
        return out

    def lose(self) -> list[SessionEvent]:
        """The connection is gone: everything asked for ends here, and what was said waits to be told to
        the next.
        """
        self.ready = self.caller_speaking = False
        self._first, self._out, self._answers, self._turns = [], [], {}, {}
        self._gone, self._items = self._gone | self._items, set()
        self.appended_bytes, self._spoke_until_ms = 0, 0.0
        lost = self._sequencer.lose()
        return [event for request in lost for event in _ended(request, "lost", reported=False)]

    @property
    def held(self) -> int:
        """How many bytes are kept here: what was said, for a reconnection, and what is still to be sent."""
        said = sum(len(line.text) for line in self._history)
        return said + sum(map(len, self._first)) + sum(map(len, self._out)) + len(self._brief)

    @property
    def movable(self) -> bool:
        """Whether nothing is under way here that another connection could not take over: a turn boundary."""
        return self.ready and not self.caller_speaking and not self._sequencer.waiting and not self._out

    def move(self) -> list[SessionEvent]:
        """Go on with a new connection, which is told what was said and where the call stands. What is
        ordered meanwhile waits until that connection is configured.
        """
        ended = self.lose()
        self._moved = True
        return ended

    @property
    def busy(self) -> bool:
        """Whether the server owes us something, so that its silence would be a fault."""
        return self._sequencer.busy

    # ---- what the server says

    def take(self, event: wire.ServerEvent) -> list[SessionEvent]:
        """One server event; never raises for anything a server can send."""
        match event:
            case wire.AudioDelta():
                return self._audio(event)
            case wire.TranscriptDelta():
                return self._words(event)
            case wire.ResponseCreated(response):
                return self._created(response)
            case wire.ResponseDone(response):
                return self._done(response)
            case wire.ItemDone():
                return self._item_done(event)
            case wire.ErrorReported(error):
                return self._error(error)
            case wire.Malformed(reason):
                return [Noted("model_malformed", reason)]
            case wire.SessionUpdated():
                return self._configured()
            case _:
                return self._listen(event)

    def _listen(self, event: wire.ServerEvent) -> list[SessionEvent]:
        match event:
            case wire.CallerSpeaking():
                self.caller_speaking = True
                return [Speaking()]
            case wire.CallerSilent():
                self.caller_speaking = False
                self._spoke_until_ms = event.audio_end_ms
                return []
            case wire.TimedOut(item_id):
                self._quiet_items.add(item_id)
                return [CallerSilent()]
            case wire.Committed(item_id):
                return self._committed(item_id)
            case wire.Transcribed(item_id, text):
                return self._transcribed(item_id, text)
            case _:
                return []

    def _configured(self) -> list[SessionEvent]:
        if self.ready:
            return []
        self.ready = True
        replayed = [wire.message_item(line.role, line.text) for line in self._history if line.text]
        moved, self._moved = self._moved, False
        if moved and self._brief:  # after a loss the engine tells this itself
            replayed.append(wire.message_item("system", self._brief))
        self._out = replayed + self._out
        return [Noted("session_moved", "")] if moved else [Ready()]

    def _committed(self, item_id: str) -> list[SessionEvent]:
        if item_id in self._quiet_items:
            self._quiet_items.discard(item_id)
            return []
        self._turn_count += 1
        turn_id = f"t{self._turn_count}"
        self._turns[item_id] = turn_id
        line = _Line("user", "")
        self._turn_lines[turn_id] = line
        self._history.append(line)
        waited = max(0.0, self.appended_bytes / self._bytes_per_ms - self._spoke_until_ms)
        turns = self._settings.turns
        # How long the words were weighed by semantic detection is not told; what it waited at the end is.
        silence_ms = turns.silence_duration_ms if turns.kind == "server" else 0
        return [TurnEnded(turn_id, round(waited) + silence_ms)]

    def _transcribed(self, item_id: str, text: str) -> list[SessionEvent]:
        turn_id = self._turns.get(item_id)
        if turn_id is None:
            return []
        self._turn_lines[turn_id].text = text
        return [Transcript(turn_id, text)]

    def _create(self, request: Request) -> str:
        metadata = {"purpose": request.purpose, "request": request.request_id}
        if request.turn_id is not None:
            metadata["turn_id"] = request.turn_id
        return wire.create_response({**RESPONSES[request.purpose], "metadata": metadata}, request.request_id)

    def _created(self, response: wire.Response) -> list[SessionEvent]:
        request = self._sequencer.created(response.id, response.metadata)
        if request is not None:
            self._answers[response.id] = _Answer()
            return []
        self._out.append(wire.cancel_response(response.id, "cancel-unasked"))
        return [Noted("response_unasked", "")]

    def _speech_of(self, response_id: str) -> str | None:
        request = self._sequencer.of(response_id)
        return None if request is None or request.cancelled else request.speech_id

    def _audio(self, event: wire.AudioDelta) -> list[SessionEvent]:
        speech_id = self._speech_of(event.response_id)
        if speech_id is None or not event.delta or not is_base64(event.delta):
            return []
        answer = self._answers.get(event.response_id)
        if answer is None:
            answer = self._answers[event.response_id] = _Answer()
        # Audio of nothing but silence is no speech. Once there was a sound no more is looked through.
        answer.audio = answer.audio or event.delta.strip(self._silence) != ""
        self._items.add(event.item_id)
        return [Audio(speech_id, event.item_id, event.content_index, event.delta)]

    def _words(self, event: wire.TranscriptDelta) -> list[SessionEvent]:
        speech_id = self._speech_of(event.response_id)
        return [] if speech_id is None else [Words(speech_id, event.delta)]

    def _item_done(self, event: wire.ItemDone) -> list[SessionEvent]:
        request = self._sequencer.of(event.response_id)
        if request is None or event.item.type != "function_call" or event.item.status != "completed":
            return []
        answer = self._answers.setdefault(event.response_id, _Answer())
        answer.calls += (event.item,)
        return [_called(request, event.item)]

    def _done(self, response: wire.Response) -> list[SessionEvent]:
        answer = self._answers.pop(response.id, _Answer())
        request = self._sequencer.done(response.id, response.metadata)
        if request is None:
            return []
        calls = wire.calls_of(response, answer.calls)
        late = [_called(request, call) for call in calls if call not in answer.calls]
        reported = any(call.name == REPORT_TOOL for call in calls)
        reason = _reason(request, response, audio=answer.audio)
        out: list[SessionEvent] = [*late, *_ended(request, reason, reported=reported)]
        detail = response.status_details
        if response.status in ("failed", "incomplete") and detail is not None:
            code = detail.reason or (detail.error.code if detail.error else None) or ""
            out.append(Noted(f"response_{response.status}", code[:64]))
        return [*out, Answered(request.purpose, response.status, response.usage, request.turn_id)]

    def _error(self, error: wire.ProtocolError) -> list[SessionEvent]:
        code, about = error.code or error.type or "", error.event_id or ""
        if code in FATAL_CODES or error.type in FATAL_CODES:
            return [Lost(code, final=True)]
        if about == CONFIGURE and not self.ready:
            return [Lost("configuration_refused", final=True)]
        noted: list[SessionEvent] = [] if code in BENIGN_CODES else [Noted("model_error", code[:64])]
        if code == ACTIVE_RESPONSE and (named := _RESPONSE_ID.search(error.message or "")):
            self._sequencer.wait_for(named.group())
        request = self._sequencer.refused(about, again=code == ACTIVE_RESPONSE)
        return noted + (_ended(request, "refused", reported=False) if request is not None else [])


def _turn_detection(turns: TurnDetection) -> dict[str, Any]:
    """Every field is sent; responses and interruption are the bridge's alone."""
    ours = {"create_response": False, "interrupt_response": False}
    if turns.kind == "semantic":
        return {"type": "semantic_vad", "eagerness": turns.eagerness, **ours}
    return {
        "type": "server_vad",
        "threshold": turns.threshold,
        "prefix_padding_ms": turns.prefix_padding_ms,
        "silence_duration_ms": turns.silence_duration_ms,
        "idle_timeout_ms": None,
        **ours,
    }


def _called(request: Request, call: wire.Item) -> Called:
    arguments, parsed = wire.arguments_of(call.arguments)
    return Called(call.name, call.call_id, request.turn_id, arguments, parsed, request.beside)


def _reason(request: Request, response: wire.Response, *, audio: bool) -> str:
    """Why a response is not the speech it was asked for; empty when it is."""
    if response.status != "completed":
        return response.status or "failed"
    if audio:
        return ""
    return "unspoken" if request.purpose == "answer" else "no_audio"


def _ended(request: Request, reason: str, *, reported: bool) -> list[SessionEvent]:
    out: list[SessionEvent] = []
    if request.turn_id is not None and request.purpose != "speak" and not reported:
        out.append(
            Unreported(request.turn_id, "no_call" if reason in ("", "unspoken", "no_audio") else reason)
        )
    if request.speech_id is not None:
        out.append(SpeechEnded(request.speech_id, reason))
    return out
