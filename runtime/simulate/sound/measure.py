"""What a call sounded like to its caller: dead air, talking at once, sound that was lost. Pure.

Measured at the telephone, where people sit; what the bridge itself noticed comes from the call's record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from msgspec import Struct

from runtime import audio

Span = tuple[int, int]
GAP_MS: Final = 200  # pauses of the assistant's own speech
LONG_MS: Final = 4000  # after so much silence a caller says "hello?"


class Sounded(Struct, frozen=True):
    """One call. `waits_ms`: from the end of what the caller said to the beginning of the assistant's answer;
    `overlap_ms`: both spoke; frames are of 20 ms: sent by the caller, `lost` and `late` by the line's own
    badness; `dropped`: messages of sound the bridge threw away; `underrun_ms`: holes in what it played.
    """

    lasted_ms: int
    waits_ms: tuple[int, ...]
    overlap_ms: int
    frames: int
    lost: int
    late: int
    dropped: int
    underrun_ms: int
    meant: int = 0
    understood: int = 0


def waits(spoke: Sequence[Span], heard: Sequence[Span]) -> tuple[int, ...]:
    """The dead air after each thing the caller said that was answered before they spoke again; an assistant
    that still speaks has nothing to answer yet.
    """
    found = []
    for number, (_, ended) in enumerate(spoke):
        again = spoke[number + 1][0] if number + 1 < len(spoke) else None
        if any(start <= ended < end for start, end in heard):
            continue
        began = next((start for start, _ in heard if start > ended), None)
        if began is not None and (again is None or began <= again):
            found.append(began - ended)
    return tuple(found)


def overlap_ms(spoke: Sequence[Span], heard: Sequence[Span]) -> int:
    """How long both spoke."""
    return sum(max(0, min(end, to) - max(start, at)) for start, end in spoke for at, to in heard)


def merged(ticks: Iterable[int]) -> list[Span]:
    """Ticks of 20 ms in which something sounded, as spans; a short pause does not end one."""
    found: list[Span] = []
    for at in ticks:
        if found and at - found[-1][1] <= GAP_MS:
            found[-1] = (found[-1][0], at + audio.FRAME_MS)
        else:
            found.append((at, at + audio.FRAME_MS))
    return found


def noticed(lines: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """What the bridge noted in the record: messages of sound dropped, and milliseconds of holes."""
    notes = [line["note"] for line in lines if "note" in line]
    dropped = sum(note.get("messages", 0) for note in notes if note["kind"] == "audio_dropped")
    return dropped, sum(note.get("gap_ms", 0) for note in notes if note["kind"] == "audio_underrun")


def together(calls: Sequence[Sounded]) -> dict[str, Any]:
    """Many calls in figures."""
    every = sorted(wait for call in calls for wait in call.waits_ms)
    frames = sum(call.frames for call in calls)
    meant, understood = sum(call.meant for call in calls), sum(call.understood for call in calls)
    return {
        "minutes": round(sum(call.lasted_ms for call in calls) / 60_000, 1),
        "answers": len(every),
        "dead_air_ms": {
            "median": round(median(every)) if every else None,
            "p95": every[max(0, -(-95 * len(every) // 100) - 1)] if every else None,
            "longest": every[-1] if every else None,
            f"over_{LONG_MS}": sum(wait > LONG_MS for wait in every),
        },
        "overlap_ms": sum(call.overlap_ms for call in calls),
        "frames_sent": frames,
        "frames_lost_by_the_line": sum(call.lost for call in calls),
        "frames_late_by_the_line": sum(call.late for call in calls),
        "messages_dropped_by_the_bridge": sum(call.dropped for call in calls),
        "holes_in_the_assistant_ms": sum(call.underrun_ms for call in calls),
        "turns_with_words": meant,
        "understood_as_meant": understood,
    }
