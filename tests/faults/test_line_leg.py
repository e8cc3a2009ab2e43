"""Rows 21 and 23 to 27: the telephone's side of a call misbehaves, and what the caller hears of it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator

import pytest

from runtime import audio
from runtime.session.stand_in import Pace, StandIn
from runtime.simulate.bad_line import LineFaults
from runtime.telephony.base import Malformed
from runtime.telephony.base.json_stream import StreamCodec
from tests.faults.bed import (
    DISCLOSURE,
    GOODBYE,
    QUESTION,
    SORRY_PERSON,
    WAIT,
    Bed,
    Interrupter,
    Later,
    Placed,
    length_ms,
    live,
    profile,
    sized,
)
from tests.faults.conftest import Open
from tests.faults.test_model_speech import long_answers

pytestmark = pytest.mark.faults
STREAM = "MZ" + "0" * 32


def one_call(bed: Open, faults: LineFaults, stand_in: StandIn | None = None) -> tuple[Bed, Placed]:
    """One call over a line with these faults."""

    async def work() -> tuple[Bed, Later]:
        async with bed(stand_in) as one:
            return one, await one.call(faults=faults)

    one, later = live(work())
    return one, later()


# ---- row 21


def broken_frames(chance: random.Random) -> Iterator[str | bytes]:
    """Messages no carrier sends, in every way a message can be wrong."""
    payload = "/" * 212 + "//8="
    media = {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": payload}
    good = {"event": "media", "sequenceNumber": "5", "streamSid": STREAM, "media": media}
    text = json.dumps(good)
    while True:
        at = chance.randrange(len(text))
        yield text[:at]
        yield text[:at] + chance.choice('\x00{}[]"\\,') + text[at + 1 :]
        yield json.dumps({**good, "media": {**media, "payload": chance.choice(("=" * 7, "é", "*", 5, None))}})
        yield json.dumps({**good, "media": chance.choice((None, [], "x", 3))})
        yield json.dumps({**good, "event": chance.choice(("medio", None, [], "", 1e9))})
        yield json.dumps({**good, "sequenceNumber": chance.choice(("NaN", "-5", "9" * 400, None, {}))})
        yield json.dumps({**good, "media": {**media, "payload": payload * 100}})
        yield chance.choice(("null", "[]", "{}", "[" * 5000, '"', "\u202e", text.encode(), b"\x00\xff"))


def test_row_21_ten_thousand_malformed_frames() -> None:
    """Ten thousand broken messages are read without an exception, and what is malformed is told as such."""
    codec, frames = StreamCodec(), broken_frames(random.Random(21))
    told = [codec.decode(next(frames)) for _ in range(10_000)]
    assert sum(isinstance(one, Malformed) for one in told) > 5_000


def test_row_21_garbage_among_the_frames(bed: Open) -> None:
    """Sixty broken messages over six seconds are not heard: five noted, all counted, one alert."""
    frames = broken_frames(random.Random(22))
    bad = [
        frame
        for frame in (next(frames) for _ in range(400))
        if isinstance(StreamCodec().decode(frame), Malformed)
    ]
    extra = {50 + 5 * number: (frame,) for number, frame in enumerate(bad[:60])}
    one, call = one_call(bed, LineFaults(extra=extra))
    assert call.said == [DISCLOSURE, QUESTION, GOODBYE]
    assert call.of("note", "unreadable")[0]["line"] >= 40
    assert len(call.of("note", "line_malformed")) == 5
    assert one.alerts("line.malformed") == 1


def test_row_21_a_line_that_only_babbles(bed: Open) -> None:
    """A hundred broken messages in a second: closed with 1008, and the caller is caught by the net:
    told so and connected to a person, or taken up again on a new stream.
    """
    one, call = one_call(bed, LineFaults(extra={100: ("{broken",) * 150}))
    assert call.reason == "malformed_flood"
    told = [note.detail for note in call.ended.notes if note.what == "say"] == [SORRY_PERSON]
    streams = [note for note in call.ended.notes if note.what == "stream_started"]
    assert (told and call.ended.how == "transferred") or len(streams) == 2
    assert one.alerts("line.flood") == 1


# ---- row 23


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(lost=frozenset(range(1, 215, 9))),
        LineFaults(twice=frozenset(range(1, 600, 3))),
        LineFaults(swapped=frozenset(range(1, 215, 7))),
        LineFaults(held=(60, 110)),
        LineFaults(held=(20, 120)),
    ],
    ids=["lost", "duplicated", "reordered", "a second's gap", "a burst"],
)
def test_row_23_frames_lost_doubled_and_out_of_order(bed: Open, faults: LineFaults) -> None:
    """Frames that are lost, doubled, out of order or late together: the caller is understood, at the latest
    when they say it again, and nothing of the assistant's is heard twice or missing.
    """
    _, call = one_call(bed, faults)
    assert call.outcome == "booked"
    assert call.times(DISCLOSURE) == 1
    assert call.at(GOODBYE) is not None
    assert call.dead_air_ms <= 3000


# ---- row 24


def test_row_24_a_carrier_that_stops_reading(bed: Open) -> None:
    """A carrier that reads nothing for six seconds while the assistant speaks: when it reads again, what is
    heard is the newest, and nothing that waited longer than 400 ms.
    """
    stand_in = StandIn(voice="tones", policy=long_answers(8), pace=Pace(speed=1.0))
    begin = length_ms(DISCLOSURE) + 1000
    patient = profile("four people", "four people", patience_ms=5000)

    async def work() -> tuple[Bed, Later]:
        async with bed(stand_in) as one:
            return one, await one.call(patient, faults=LineFaults(deaf=(begin, begin + 4000)))

    one, later = live(work())
    call = later()
    back = [one for one in call.ended.passed if begin + 4000 <= one.at_ms <= begin + 4100]
    stale = sum(one.size for one in back if one.what == "media") // audio.BYTES_PER_MS
    assert 0 < stale <= 1000
    assert one.alerts("audio.dropped") == 1
    assert call.outcome == "booked"


# ---- row 25


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(marks="never"),
        LineFaults(marks="twice"),
        LineFaults(marks="strange"),
        LineFaults(marks_late_ms=700),
        LineFaults(marks_late_ms=5000),
    ],
    ids=["never", "twice", "strange", "late", "very late"],
)
def test_row_25_marks_that_do_not_come_back_as_they_should(bed: Open, faults: LineFaults) -> None:
    """Without marks, with late ones, doubled ones and ones nobody sent, turns still end and the call comes to
    its end; a mark that is missing is taken for told one second after its audio must have been heard.
    """
    patient = profile("four people", "four people", patience_ms=1600)

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            return one, await one.call(patient, faults=faults)

    one, later = live(work())
    call = later()
    assert [call.times(words) for words in (DISCLOSURE, QUESTION, GOODBYE)] == [1, 1, 1]
    assert call.outcome == "booked"
    assert call.dead_air_ms <= 3000
    assert one.alerts("line.marks") == (1 if faults.marks == "never" or faults.marks_late_ms > 1000 else 0)


@pytest.mark.parametrize("marks", ["never", "twice", "strange"])
def test_row_25_an_interruption_without_good_marks(bed: Open, marks: str) -> None:
    """A caller who speaks over the assistant is heard at once also where marks cannot be trusted."""
    mouth = Interrupter(length_ms(DISCLOSURE) + 1200)

    async def work() -> Later:
        async with bed(StandIn(voice="tones", policy=long_answers(4))) as one:
            return await one.call(faults=LineFaults(marks=marks), mouth=mouth)  # type: ignore[arg-type]

    call = live(work())()
    assert call.stopped_after(mouth.onset_ms) <= 250
    assert call.outcome == "booked"


# ---- row 26


def test_row_26_an_interruption_at_every_moment(bed: Open) -> None:
    """A caller who begins to speak at every 20 ms of an answer, from its first frame to its last: silence
    within 250 ms, a truncation never past what was heard nor far before it, and not one error of the model's.
    """
    answer = length_ms(QUESTION)
    every = 20 if sized(0, 1) else 260
    moments = range(length_ms(DISCLOSURE), length_ms(DISCLOSURE) + answer, every)
    mouths = [Interrupter(moment) for moment in moments for _ in range(sized(1, 6))]

    async def work() -> tuple[Bed, list[Later]]:
        async with bed(toml="[limits]\ncalls = 200\nnumber_per_hour = 0\n") as one:
            made = []
            for start in range(0, len(mouths), 50):
                some = mouths[start : start + 50]
                made += await asyncio.gather(*(one.call(mouth=mouth) for mouth in some))
            return one, made

    one, made = live(work())
    assert one.alerts("model.error") == 0
    for mouth, later in zip(mouths, made, strict=True):
        call = later()
        assert call.stopped_after(mouth.onset_ms) <= 250, mouth.onset_ms
        for event in call.of("event", "PlaybackInterrupted"):
            heard = mouth.heard_ms - length_ms(DISCLOSURE)
            assert abs(event["heard_ms"] - heard) <= 40, (mouth.onset_ms, event, heard)
        assert call.outcome == "booked", mouth.onset_ms


@pytest.mark.parametrize("share", [0.01, 0.5, 0.98])
def test_row_26_speech_over_the_disclosure(bed: Open, share: float) -> None:
    """The disclosure goes on to its end whatever the caller says over it; then the caller is listened to."""
    mouth = Interrupter(int(length_ms(DISCLOSURE) * share))

    async def work() -> Later:
        async with bed() as one:
            return await one.call(mouth=mouth)

    call = live(work())()
    assert call.times(DISCLOSURE) == 1
    assert call.said[0] == DISCLOSURE
    assert call.outcome == "booked"


# ---- row 27


def test_row_27_what_we_send_is_what_the_carrier_takes(bed: Open) -> None:
    """Every message of a whole call, interruption and all, is one the carrier knows: media of whole samples
    for its own stream, marks with names, clear; and no more than one mark of a name.
    """
    mouth = Interrupter(length_ms(DISCLOSURE) + 600)

    async def work() -> Later:
        async with bed(StandIn(voice="tones", policy=long_answers(3))) as one:
            return await one.call(mouth=mouth)

    call = live(work())()
    names = [one.name for one in call.ended.passed if one.what == "mark"]
    assert len(set(names)) == len(names)
    assert {one.what for one in call.ended.passed} == {"media", "mark", "clear"}
    assert all(0 < one.size <= 1920 for one in call.ended.passed if one.what == "media")
    assert call.at(WAIT) is None or call.outcome == "booked"
