"""A call under way: its events, speech, timers and tasks, as the parts of the shell share them.

Laws
1. Events reach the engine through one queue, in the order they happened. Audio never enters it.
2. What the ledger decides is carried out here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from runtime.call.latency import Latency
from runtime.call.line import LineWriter
from runtime.call.outside import Caller, Outside
from runtime.call.silence import Silence
from runtime.engine.events import (
    CallEnded,
    Event,
    PlaybackFinished,
    PlaybackInterrupted,
    SpeechFailed,
    TimerFired,
)
from runtime.session.ledger import Ending, Failed, Interrupted, Ledger, Send, Stopped
from runtime.session.model import Cut

UNREADABLE_NOTED: Final = 5
MANY_UNREADABLE: Final = {"line": 20, "model": 10}  # in one call: more than an accident
LAST_WORDS_MS: Final = 60_000  # an ended call waits no longer than this for its last words to be played


@dataclass(frozen=True, slots=True)
class Broken:
    """Something of ours raised."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Flush:
    """The session may ask for its next response: everything before this was answered."""


def fatal(error: BaseException) -> bool:
    """Whether this is meant for the process, or for the task it was raised in, and no fault of a call."""
    if isinstance(error, asyncio.CancelledError):
        return (task := asyncio.current_task()) is not None and task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt | SystemExit)


class Call:
    """One call under way. The modules of this package share it; nobody else sees it. It ends with a
    `reason`.
    """

    def __init__(self, caller: Caller, outside: Outside) -> None:
        self.caller, self.outside = caller, outside
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time() - (outside.resumed.at_ms / 1000 if outside.resumed else 0)
        codec = outside.codec
        self.ledger = Ledger(codec.audio.bytes_per_ms, codec.frame_bytes)
        self.line = LineWriter(outside.line, paced=codec.frame_bytes > 0, guarded=self.guarded)
        self.latency = Latency()
        self.silence = Silence()
        self.outcome: str | None = None
        self.reason = ""
        self.keys: dict[str, str] = {}  # of the runs ordered
        self.owed, self.paid = "", False  # the key of what is to be taken back; whether nothing is left to
        self.transfers: dict[str, asyncio.Task[None]] = {}
        self.beside = False  # a person is rung, and the caller hears us all the same
        self.protected: set[str] = set()
        self.last_frame = self.loop.time()
        self.close_code = 1000
        self.queue: asyncio.Queue[Event | Broken | Flush] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.loose: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._expiry_ms = 0.0  # when it rings, at the earliest
        self.state: Any = None
        self.kept: Any = None  # the last state that was told
        self.leaving = False
        self._ending = ""
        self.broken = False
        self.withheld = False
        self.quiet = asyncio.Event()
        self.unread: Counter[str] = Counter()
        self.unkept = False  # the disk refuses the record
        self.most_held = 0  # bytes, at the worst second so far
        self.weighed: tuple[Any, int] = (None, 0)  # the last state that was measured, and its size

    # ---- time and events

    def at_ms(self) -> int:
        return round((self.loop.time() - self.began) * 1000)

    def post(self, kind: type[Any], **fields: Any) -> None:
        """Something happened now."""
        if not self.broken:
            self.queue.put_nowait(kind(at_ms=self.at_ms(), **fields))

    def post_flush(self) -> None:
        """Let the session ask for its next response, after everything posted so far was answered."""
        self.queue.put_nowait(Flush())

    def note(self, kind: str, **details: Any) -> None:
        self.outside.record.note(self.at_ms(), kind, **details)

    def look_at_record(self) -> None:
        """Say once that the disk refuses the record, as soon as that is known."""
        if self.outside.record.failed and not self.unkept:
            self.unkept = True
            self.note("record_failed")

    def unreadable(self, side: str, reason: str) -> None:
        """A message from the line or the model that could not be read: all are counted, a few are noted."""
        self.unread[side] += 1
        if self.unread[side] <= UNREADABLE_NOTED:
            self.note(f"{side}_malformed", reason=reason)
        elif self.unread[side] == MANY_UNREADABLE[side] + 1:
            self.note(f"{side}_babbles")

    # ---- speech

    def pump(self) -> None:
        """Send what the ledger lets out, and tell what ended."""
        ledger = self.ledger
        quiet_since = ledger.heard_by_ms
        for out in ledger.take(self.at_ms()):
            if isinstance(out, Send):
                self.dead_air(quiet_since)
                quiet_since = ledger.heard_by_ms
                self._send(out)
            else:
                self._ended(out)
        self._watch_marks()
        if not ledger.speaking:
            self.quiet.set()
            self.outside.session.playing = False
            if self._ending and not self.reason:
                self._hang_up()

    def stop(self, stopped: Stopped, *, truncate: bool) -> None:
        """Carry out what the ledger decided: clear the line, correct the model, tell the engine what was
        heard.
        """
        if stopped.clear:
            self.line.clear(self.outside.codec.clear())
            self.outside.recording.cleared(self.at_ms())
        if truncate:
            spans = tuple((cut.item_id, cut.content_index, cut.audio_end_ms) for cut in stopped.truncations)
            self.outside.session.stop(Cut(spans, stopped.deletions))
        self.interrupted(stopped.interrupted)

    def interrupted(self, speeches: tuple[Interrupted, ...]) -> None:
        for speech in speeches:
            self._remember(speech)
            heard = {"heard_ms": speech.heard_ms, "text": speech.text}
            self.post(PlaybackInterrupted, speech_id=speech.speech_id, **heard)

    def _send(self, out: Send) -> None:
        codec = self.outside.codec
        if self.latency.waiting:
            self.line.after_next_audio(self._first_sent)
        self.line.audio(codec.media(out.payload), protected=out.speech_id in self.protected)
        if out.mark:
            self.line.mark(codec.mark(out.mark))
        if not self.withheld:
            self.outside.recording.assistant(self.at_ms(), out.payload)
        self.quiet.clear()
        self.outside.session.playing = True

    def dead_air(self, quiet_since_ms: float) -> None:
        """Something is heard again, or nothing ever will be: tell a silence that was too long."""
        if ms := self.silence.sounds(self.at_ms(), quiet_since_ms):
            self.note("dead_air", ms=ms)

    def _first_sent(self) -> None:
        measured = self.latency.sent(self.at_ms())
        if measured is not None:
            self.note("latency", **measured)

    def _ended(self, ending: Ending) -> None:
        self._remember(ending)
        if isinstance(ending, Failed):
            self.post(SpeechFailed, speech_id=ending.speech_id, reason=ending.reason)
        else:
            self.note("played", speech_id=ending.speech_id, heard_ms=ending.heard_ms)
            self.post(PlaybackFinished, speech_id=ending.speech_id, text=ending.text)

    def _remember(self, ending: Ending | Interrupted) -> None:
        """The model must know what was heard: a script by an item of its own, its own speech for a
        reconnection.
        """
        self.protected.discard(ending.speech_id)
        session = self.outside.session
        (session.said if ending.scripted else session.heard)(ending.text)

    def _watch_marks(self) -> None:
        """Ring when marks are overdue. Each mark moves that time on: a timer that rings too early is set anew
        then, and not with every mark.
        """
        deadline = self.ledger.deadline_ms()
        if deadline is None or (self._expiry is not None and self._expiry_ms <= deadline):
            return
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry_ms = deadline
        wait_s = (max(0.0, deadline - self.at_ms()) + 1) / 1000
        self._expiry = self.loop.call_later(wait_s, self.guarded(self._expire))

    def _expire(self) -> None:
        self._expiry = None
        if self.ledger.expire(self.at_ms()):
            self.note("marks_missing")
        self.pump()

    # ---- timers and tasks

    def start_timer(self, name: str, ms: int) -> None:
        self.cancel_timer(name)
        self._timers[name] = self.loop.call_later(ms / 1000, self._fire, name)

    def cancel_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _fire(self, name: str) -> None:
        self._timers.pop(name, None)
        self.post(TimerFired, timer=name)

    def spawn(self, work: Coroutine[Any, Any, None], *, loose: bool = False) -> asyncio.Task[None]:
        """Run something of this call. `loose`: its result still matters for a while after the end."""
        task = asyncio.create_task(work)
        kept = self.loose if loose else self.tasks
        kept.add(task)
        task.add_done_callback(lambda done: self._finished(kept, done))
        return task

    def _finished(self, kept: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        kept.discard(task)
        if not task.cancelled():
            error = task.exception()
        else:  # by us, or by something that raised what says so
            error = None if task.cancelling() else asyncio.CancelledError()
        if error is not None:
            self.break_by(error)

    def break_by(self, error: BaseException) -> None:
        """Something of ours raised where nobody waits for it: the call ends."""
        if not self.broken:
            self.queue.put_nowait(Broken(error))

    def guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """The work as the event loop may call it: what it raises is the call's to know."""

        def do() -> None:
            try:
                work()
            except BaseException as error:
                if fatal(error):
                    raise
                self.break_by(error)

        return do

    # ---- the end

    def end(self, reason: str) -> None:
        """The engine ended the call: hang up once everything queued was played."""
        self._ending = "transferred" if reason == "transferred" else "assistant_hangup"
        self._timers["last words"] = self.loop.call_later(LAST_WORDS_MS / 1000, self._hang_up)

    def _hang_up(self) -> None:
        reason, self._ending = self._ending, ""
        if reason:
            self.post(CallEnded, reason=reason)

    def cancel_timers(self) -> None:
        for name in list(self._timers):
            self.cancel_timer(name)
        if self._expiry is not None:
            self._expiry.cancel()

    @staticmethod
    async def cancel(tasks: set[asyncio.Task[None]]) -> None:
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
