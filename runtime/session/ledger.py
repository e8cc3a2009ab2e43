"""The playback ledger: what was ordered to be said, what went to the line, and what of it the caller has
heard.

Laws
1. Speeches are heard in the order they were opened; one that is protected shares the line with nothing, so
   nothing clears it.
2. Heard is what a returned mark of the current generation says and, of the one piece after it, as much as
   the time since then can have played. Clearing starts a new generation; its marks prove nothing.
3. A truncation never reaches past what was sent of that item; an item nobody heard is deleted instead.
4. Every speech ends exactly once: finished, interrupted, failed, or unspoken (nothing was to be said).
5. A mark that never comes back is taken as returned one second after its audio must have ended.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from runtime.audio import base64_bytes
from runtime.session.wire import joined

# Base64 of 1,920 bytes: twelve whole 20 ms frames of mu-law, so a delta is cut without decoding it. A longer
# piece costs fewer messages and marks; the clock tells the place within it.
CHUNK_CHARACTERS: Final = 2560
GRACE_MS: Final = 1000
MOST_WAITING_MS: Final = 300_000  # five minutes of speech not yet on the line; more is a fault of the model
MARK_EVERY: Final = 3  # of frames that go out one by one


class Send(Struct, frozen=True, gc=False):
    """Put this on the line now, followed by this mark (empty: by none)."""

    speech_id: str
    payload: str
    mark: str


@dataclass(frozen=True, slots=True)
class Finished:
    speech_id: str
    heard_ms: int
    text: str
    scripted: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """This speech ended without being whole. `text`: what was heard of it all the same."""

    speech_id: str
    reason: str
    text: str
    scripted: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    speech_id: str
    heard_ms: int
    text: str
    scripted: bool


@dataclass(frozen=True, slots=True)
class Truncation:
    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop amounts to: whether the line must be cleared, and what the model must be told it never
    said.
    """

    clear: bool
    truncations: tuple[Truncation, ...]
    deletions: tuple[str, ...]
    interrupted: tuple[Interrupted, ...]


Ending = Finished | Failed


@dataclass(slots=True, eq=False)
class _Item:
    item_id: str | None
    content_index: int
    received: int = 0
    sent: int = 0
    played: int = 0
    rest: str = ""  # received, but less than a frame


@dataclass(slots=True, eq=False)
class _Chunk:
    number: int
    size: int
    item: _Item
    speech: "_Speech"


@dataclass(slots=True, eq=False)
class _Speech:
    speech_id: str
    protected: bool
    scripted: bool
    text: str
    items: list[_Item] = field(default_factory=list)
    waiting: deque[tuple[str, _Item]] = field(default_factory=deque)
    closed: bool = False
    reason: str = ""
    # Over all items, in bytes: kept with every piece, since each is asked for with every piece.
    received: int = 0
    sent: int = 0
    played: int = 0

    @property
    def over(self) -> bool:
        return self.closed and self.played == self.received


class Ledger:
    """One media stream's ledger. Times are the caller's clock in milliseconds, passed in.

    `frame_bytes`: the line takes frames of exactly this length (three bytes go into a group of base64, so it
    is a multiple of three); 0: any length. Only the last frame of an item may be shorter.
    """

    def __init__(self, bytes_per_ms: int = 8, frame_bytes: int = 0) -> None:
        self._bytes_per_ms = bytes_per_ms
        self._frame_characters = frame_bytes // 3 * 4
        self._most_waiting = MOST_WAITING_MS * bytes_per_ms
        self._speeches: list[_Speech] = []
        self._sent: deque[_Chunk] = deque()
        self._generation = 1
        self._number = 0
        self._waiting_bytes = 0
        self._line_empty_ms = 0.0
        self._piece_began_ms = 0.0  # when the oldest piece whose mark is still out began to be heard
        self.dropped_bytes = 0
        self.gap_ms = 0.0  # silence inside speeches because their audio came slower than it is heard

    def open(self, speech_id: str, *, protected: bool, scripted: bool, text: str = "") -> None:
        """Give a speech its place in the order; its audio may come much later."""
        self._speeches.append(_Speech(speech_id, protected, scripted, text))

    def add(self, speech_id: str, payload: str, item_id: str | None = None, content_index: int = 0) -> None:
        """More audio (base64) of a speech; audio of a speech that ended or was never opened is dropped."""
        speech = self._find(speech_id)
        size = base64_bytes(payload)
        if speech is None or speech.closed or self._waiting_bytes + size > self._most_waiting:
            self.dropped_bytes += size
            return
        item = self._item(speech, item_id, content_index)
        item.received += size
        speech.received += size
        self._waiting_bytes += size
        if self._frame_characters:
            self._frame(speech, item, payload)
            return
        for start in range(0, len(payload), CHUNK_CHARACTERS):
            speech.waiting.append((payload[start : start + CHUNK_CHARACTERS], item))

    def _frame(self, speech: _Speech, item: _Item, payload: str) -> None:
        """Cut into whole frames what came so far; what is left waits for more of its item."""
        whole = joined(item.rest, payload)
        end = len(whole) - len(whole) % self._frame_characters
        for start in range(0, end, self._frame_characters):
            speech.waiting.append((whole[start : start + self._frame_characters], item))
        item.rest = whole[end:]

    def words(self, speech_id: str, text: str) -> None:
        """More of the words of a speech."""
        speech = self._find(speech_id)
        if speech is not None and not speech.closed:
            speech.text += text

    def close(self, speech_id: str, reason: str = "") -> None:
        """No more audio of this speech will come. `reason`: why it is not whole, `unspoken` when it need
        not be.
        """
        speech = self._find(speech_id)
        if speech is not None and not speech.closed:
            speech.closed, speech.reason = True, reason
            self._flush_rests(speech)

    def take(self, at_ms: float) -> list[Send | Ending]:
        """What follows from everything so far: audio to send now, in order, and speeches that ended."""
        out: list[Send | Ending] = []
        while True:
            endings = self._endings()
            out += endings
            self._send_all(out, at_ms)
            if not endings:
                return out

    def mark_returned(self, name: str, at_ms: float) -> None:
        """A mark came back; unknown, repeated and cleared ones change nothing."""
        generation, _, number = name.partition(":")
        if (
            generation != f"g{self._generation}"
            or not (number.isascii() and number.isdigit())
            or len(number) > 12
        ):
            return
        if self._sent and self._sent[0].number <= int(number) <= self._number:
            self._play_to(int(number))
            self._piece_began_ms = at_ms

    def deadline_ms(self) -> float | None:
        """When marks still missing will be taken as returned; None when none is missing."""
        return self._line_empty_ms + GRACE_MS if self._sent else None

    def expire(self, at_ms: float) -> bool:
        """Take missing marks as returned if their time is past; True when that happened."""
        deadline = self.deadline_ms()
        if deadline is None or at_ms < deadline:
            return False
        self._play_to(self._number)
        return True

    def stop(self, at_ms: float, *, only_unfinished: bool = False) -> Stopped:
        """Stop everything that is not protected, or only what the model is still making (and what a clear
        takes with it).

        Ask before `clear` is sent: marks returned by the clearing carry the old generation.
        """
        cut = self._cut(only_unfinished=only_unfinished)
        self._play_by_clock(cut, at_ms)
        clear = any(chunk.speech in cut for chunk in self._sent)
        truncations, deletions = self._corrections(cut)
        interrupted = tuple(self._interruption(speech) for speech in cut)
        self._forget(cut, clear=clear, at_ms=at_ms)
        return Stopped(clear, truncations, deletions, interrupted)

    def restart(self, at_ms: float) -> tuple[Interrupted, ...]:
        """A new media stream: what was on the old one is gone. Ends every speech that had begun; the rest
        stays in order.
        """
        begun = [speech for speech in self._speeches if speech.sent]
        self._play_by_clock(begun, at_ms)
        interrupted = tuple(self._interruption(speech) for speech in begun)
        self._forget(begun, clear=True, at_ms=at_ms)
        return interrupted

    @property
    def heard_by_ms(self) -> float:
        """When everything sent so far has been heard."""
        return self._line_empty_ms

    @property
    def held(self) -> int:
        """How many bytes wait here: audio that is not on the line yet, and the words of every speech."""
        words = sum(len(speech.text) for speech in self._speeches)
        return self._waiting_bytes // 3 * 4 + words  # audio waits as base64

    @property
    def speaking(self) -> bool:
        """Whether anything is still to be heard."""
        return bool(self._speeches)

    def _find(self, speech_id: str) -> _Speech | None:
        return next((speech for speech in self._speeches if speech.speech_id == speech_id), None)

    @staticmethod
    def _item(speech: _Speech, item_id: str | None, content_index: int) -> _Item:
        for item in speech.items:
            if item.item_id == item_id and item.content_index == content_index:
                return item
        Ledger._flush_rests(speech)
        speech.items.append(_Item(item_id, content_index))
        return speech.items[-1]

    @staticmethod
    def _flush_rests(speech: _Speech) -> None:
        """No more of these items will come: their last, shorter frames go out as they are."""
        for item in speech.items:
            if item.rest:
                speech.waiting.append((item.rest, item))
                item.rest = ""

    def _send_all(self, out: list[Send | Ending], at_ms: float) -> None:
        for place, speech in enumerate(self._speeches):
            if place and (speech.protected or self._speeches[0].protected):
                break
            while speech.waiting:
                out.append(self._send(speech, *speech.waiting.popleft(), at_ms))
            if not speech.closed:
                break

    def _send(self, speech: _Speech, payload: str, item: _Item, at_ms: float) -> Send:
        size = base64_bytes(payload)
        if speech.sent:
            self.gap_ms += max(0.0, at_ms - self._line_empty_ms)
        if not self._sent:
            self._piece_began_ms = max(self._line_empty_ms, at_ms)
        self._number += 1
        self._waiting_bytes -= size
        item.sent += size
        speech.sent += size
        self._sent.append(_Chunk(self._number, size, item, speech))
        self._line_empty_ms = max(self._line_empty_ms, at_ms) + size / self._bytes_per_ms
        marked = not self._frame_characters or not speech.waiting or self._number % MARK_EVERY == 0
        return Send(speech.speech_id, payload, f"g{self._generation}:{self._number}" if marked else "")

    def _endings(self) -> list[Ending]:
        over = [speech for speech in self._speeches if speech.over]
        if not over:
            return []
        self._speeches = [speech for speech in self._speeches if not speech.over]
        return [ending for speech in over if (ending := self._ending(speech)) is not None]

    def _ending(self, speech: _Speech) -> Ending | None:
        if speech.received and speech.reason in ("", "unspoken"):
            return Finished(speech.speech_id, self._ms(speech.played), speech.text, speech.scripted)
        if speech.reason == "unspoken":
            return None
        heard = self._heard(speech) if speech.received else ""
        return Failed(speech.speech_id, speech.reason or "no_audio", heard, speech.scripted)

    def _play_to(self, number: int) -> None:
        while self._sent and self._sent[0].number <= number:
            chunk = self._sent.popleft()
            self._played(chunk, chunk.size)

    @staticmethod
    def _played(chunk: _Chunk, size: int) -> None:
        chunk.item.played += size
        chunk.speech.played += size

    def _play_by_clock(self, cut: list[_Speech], at_ms: float) -> None:
        """Count what was heard of the piece that is playing, if it is about to be cleared."""
        if self._sent and self._sent[0].speech in cut:
            piece = self._sent[0]
            passed = max(0, int(at_ms - self._piece_began_ms)) * self._bytes_per_ms
            self._played(piece, min(passed, piece.size))

    def _cut(self, *, only_unfinished: bool) -> list[_Speech]:
        if not only_unfinished:
            return [speech for speech in self._speeches if not speech.protected]
        unfinished = [speech for speech in self._speeches if not speech.closed and not speech.scripted]
        on_line = [chunk.speech for chunk in self._sent]
        if any(speech in unfinished for speech in on_line):
            unfinished += on_line  # a clear spares nothing that is on the line
        return [speech for speech in self._speeches if speech in unfinished]

    def _corrections(self, cut: list[_Speech]) -> tuple[tuple[Truncation, ...], tuple[str, ...]]:
        truncations: list[Truncation] = []
        deletions: list[str] = []
        for speech in cut:
            for item in speech.items:
                if item.item_id is None or (speech.closed and item.played == item.received):
                    continue
                if self._ms(item.played):
                    truncations.append(Truncation(item.item_id, item.content_index, self._ms(item.played)))
                else:
                    deletions.append(item.item_id)
        return tuple(truncations), tuple(dict.fromkeys(deletions))

    def _interruption(self, speech: _Speech) -> Interrupted:
        return Interrupted(speech.speech_id, self._ms(speech.played), self._heard(speech), speech.scripted)

    def _heard(self, speech: _Speech) -> str:
        """The heard part of the words, by position, up to the last whole word: an estimate, the provider
        keeps no timing.
        """
        if not speech.received or speech.played >= speech.received:
            return speech.text if speech.played else ""
        end = len(speech.text) * speech.played // speech.received
        head = speech.text[:end]
        if end < len(speech.text) and not speech.text[end].isspace():
            head = head.rpartition(" ")[0]
        return head.rstrip()

    def _forget(self, cut: list[_Speech], *, clear: bool, at_ms: float) -> None:
        for speech in cut:
            self._waiting_bytes -= sum(base64_bytes(payload) for payload, _ in speech.waiting)
            self._waiting_bytes -= sum(base64_bytes(item.rest) for item in speech.items)
        self._speeches = [speech for speech in self._speeches if speech not in cut]
        if not clear:
            return
        self._generation += 1
        self._sent.clear()
        self._line_empty_ms = at_ms

    def _ms(self, size: int) -> int:
        return size // self._bytes_per_ms
