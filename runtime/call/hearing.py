"""What comes in during a call: the line's messages and the session's events, as events of the engine or as
sound.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from runtime.audio import Format
from runtime.call.budget import weigh
from runtime.call.under_way import Call, fatal
from runtime.engine.events import (
    ActionRequested,
    CallEnded,
    CallerSpeechStarted,
    CallerTurn,
    DtmfPressed,
    NoInput,
    SessionLost,
    SessionRestored,
    TurnReported,
    TurnTranscribed,
    TurnUnreported,
)
from runtime.session import model
from runtime.session.conversation import REPORT_TOOL
from runtime.session.tokens import tokens
from runtime.telephony.base import (
    Dtmf,
    LineEvent,
    Malformed,
    MarkReturned,
    Media,
    StreamStarted,
    StreamStopped,
)

FLOOD: Final = 100  # malformed messages within a second: not a carrier
HALF_OPEN_S: Final = 10.0  # a carrier sends frames even of silence; without any the line is gone
AFTER_TRANSFER_S: Final = 2.0
POLICY_VIOLATION: Final = 1008


async def read_line(call: Call) -> None:
    """Listen to the media socket to its end, and tell why it ended."""
    over: asyncio.Future[str] = call.loop.create_future()
    call.outside.line.listen(_LineReader(call, over).hear, call.guarded(call.line.flow))
    reason = await over
    if reason == "malformed_flood":
        call.close_code = POLICY_VIOLATION
    if call.transfers and not call.beside:
        # The line may end because a person took the call; the desk knows in a moment.
        await asyncio.wait(set(call.transfers.values()), timeout=AFTER_TRANSFER_S)
    call.post(CallEnded, reason=reason)


@lru_cache(maxsize=8)
def silent(audio: Format, characters: int) -> str:
    """Silence as long as a frame of so many base64 characters."""
    return b64encode(audio.quiet(characters // 4 * 3 // audio.bytes_per_ms)).decode()


class _LineReader:
    """Takes one message of the line after the other, and tells why the line is over.

    What a frame of audio needs of the call is looked up once: `hear` and `_media` run fifty times a second.
    """

    def __init__(self, call: Call, over: asyncio.Future[str]) -> None:
        outside = call.outside
        self._call, self._over, self._clock = call, over, call.loop.time
        self._codec, self._decode = outside.codec, outside.codec.decode
        self._tell, self._record = outside.session.hear, outside.recording.caller
        self._malformed: deque[float] = deque(maxlen=FLOOD)
        self._sequence = -1

    def hear(self, message: str | bytes | None) -> None:
        """One message, in the turn of the event loop in which it came; None once the line is gone."""
        if self._over.done() or self._call.broken:
            return
        try:
            event = None if message is None else self._decode(message)
            if isinstance(event, Media):  # nearly all of them
                self._media(event)
                return
            reason = self._codec.at_close if event is None else self._take(event)
        except BaseException as error:
            if fatal(error):
                raise
            self._call.break_by(error)  # whatever breaks in a call is the call's to know, not the socket's
            return
        if reason:
            self._over.set_result(reason)

    def _take(self, event: LineEvent) -> str:
        """Anything but audio; a reason once the line is over."""
        call = self._call
        match event:
            case MarkReturned(name):
                call.ledger.mark_returned(name, call.at_ms())
                call.pump()
            case Dtmf(digit):
                call.post(DtmfPressed, digit=digit)
            case StreamStarted():
                self._restarted()
            case StreamStopped():
                return "" if call.transfers and not call.beside else "caller_hangup"
            case Malformed(reason):
                return self._bad(reason)
            case _:
                pass
        return ""

    def _media(self, media: Media) -> None:
        call, payload, sequence = self._call, media.payload, media.sequence
        call.last_frame = now = self._clock()
        if sequence is not None:
            if sequence <= self._sequence:
                return  # a duplicate, or so late that its place is taken
            self._sequence = sequence
        if call.withheld:  # the model's clock goes on, in silence
            self._tell(silent(self._codec.audio, len(payload)))
            return
        self._tell(payload)
        self._record(round((now - call.began) * 1000), payload)

    def _restarted(self) -> None:
        """The same call on a new stream: what was on the old one was not heard, and its marks never come."""
        call = self._call
        self._sequence = -1
        call.last_frame = call.loop.time()
        call.outside.recording.cleared(call.at_ms())
        call.note("stream_restarted")
        call.interrupted(call.ledger.restart(call.at_ms()))
        call.pump()

    def _bad(self, reason: str) -> str:
        call = self._call
        call.unreadable("line", reason)
        now = call.loop.time()
        self._malformed.append(now)
        flood = len(self._malformed) == FLOOD and now - self._malformed[0] < 1.0
        return "malformed_flood" if flood else ""


async def watch_line(call: Call) -> None:
    """A line that is silent without a goodbye is gone (half-open). Once a second is also how often it is
    looked at what the call holds, and whether the disk takes its record.
    """
    while True:
        await asyncio.sleep(1.0)
        weigh(call)
        call.look_at_record()
        streaming = call.beside or not call.transfers
        if streaming and call.loop.time() - call.last_frame > HALF_OPEN_S:
            call.post(CallEnded, reason="line_lost")
            return


def hear_session(call: Call, event: model.SessionEvent | None) -> None:
    """One event of the session, in the turn of the event loop in which it came."""
    if event is None:
        return
    try:
        TOLD[type(event)](call, event)
    except BaseException as error:
        if fatal(error):
            raise
        call.break_by(error)  # whatever breaks in a call is the call's to know, not the session's


def _audio(call: Call, event: model.Audio) -> None:
    call.latency.answered(call.at_ms())
    call.ledger.add(event.speech_id, event.payload, event.item_id, event.content_index)
    call.pump()


def _words(call: Call, event: model.Words) -> None:
    call.ledger.words(event.speech_id, event.text)


def _speech_ended(call: Call, event: model.SpeechEnded) -> None:
    call.ledger.close(event.speech_id, event.reason)
    call.pump()
    call.post_flush()


def _ready(call: Call, event: model.Ready) -> None:
    call.post(SessionRestored)
    call.post_flush()


def _lost(call: Call, event: model.Lost) -> None:
    """Speech that will never be whole leaves the line at once, so that the designed line is heard within
    half a second.
    """
    at_ms = call.at_ms()
    call.note("model_lost", reason=event.reason, final=event.final)
    call.post(SessionLost, reason=event.reason, final=event.final)
    call.stop(call.ledger.stop(at_ms, only_unfinished=True), truncate=False)
    call.line.after_next_audio(lambda: call.note("line_after_loss", after_ms=call.at_ms() - at_ms))


def _speaking(call: Call, event: model.Speaking) -> None:
    call.post(CallerSpeechStarted)


def _turn_ended(call: Call, event: model.TurnEnded) -> None:
    call.latency.turn_ended(event.turn_id, event.detection_ms, call.at_ms())
    call.post(CallerTurn, turn_id=event.turn_id)


def _silent(call: Call, event: model.CallerSilent) -> None:
    call.post(NoInput)


def _transcript(call: Call, event: model.Transcript) -> None:
    call.post(TurnTranscribed, turn_id=event.turn_id, text=event.text)


def _called(call: Call, event: model.Called) -> None:
    arguments = dict(event.arguments)
    if event.name == REPORT_TOOL:
        call_id = None if event.beside else event.call_id
        call.post(TurnReported, turn_id=event.turn_id or "", call_id=call_id, arguments=arguments)
    elif not event.beside:
        call.post(ActionRequested, call_id=event.call_id, action=event.name, arguments=arguments)


def _unreported(call: Call, event: model.Unreported) -> None:
    call.post(TurnUnreported, turn_id=event.turn_id, reason=event.reason)


def _asked(call: Call, event: model.Asked) -> None:
    call.latency.asked(call.at_ms())


def _answered(call: Call, event: model.Answered) -> None:
    call.latency.answered(call.at_ms())
    call.note(
        "response",
        purpose=event.purpose,
        status=event.status,
        turn_id=event.turn_id,
        usage=event.usage,
        tokens=tokens(event.usage),
    )
    call.post_flush()


def _noted(call: Call, event: model.Noted) -> None:
    if event.kind == "model_malformed":
        call.unreadable("model", event.detail)
    else:
        call.note(event.kind, detail=event.detail)


TOLD: Final[Mapping[type[Any], Callable[[Call, Any], None]]] = {
    model.Audio: _audio,
    model.Words: _words,
    model.SpeechEnded: _speech_ended,
    model.Ready: _ready,
    model.Lost: _lost,
    model.Speaking: _speaking,
    model.TurnEnded: _turn_ended,
    model.CallerSilent: _silent,
    model.Transcript: _transcript,
    model.Called: _called,
    model.Unreported: _unreported,
    model.Asked: _asked,
    model.Answered: _answered,
    model.Noted: _noted,
}
