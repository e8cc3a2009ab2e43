"""How a call sounded, in figures."""

from typing import Any

from runtime.simulate.sound.measure import Sounded, merged, noticed, overlap_ms, together, waits


def test_ticks_become_spans() -> None:
    """Ticks with a short pause between them are one span; a longer pause begins another."""
    assert merged([0, 20, 40, 200, 1000]) == [(0, 220), (1000, 1020)]


def test_dead_air_is_from_the_end_of_words_to_the_answer() -> None:
    """Only what was answered before the caller spoke again counts, and not what was said into speech."""
    spoke = [(1000, 2000), (5000, 6000), (7000, 8000), (9000, 9500)]
    heard = [(2700, 4000), (8400, 12000)]
    assert waits(spoke, heard) == (700, 400)


def test_talking_at_once_is_counted() -> None:
    """The time in which both speak."""
    assert overlap_ms([(0, 100), (300, 500)], [(50, 400)]) == 150


def test_what_the_bridge_noted_is_told() -> None:
    """Dropped messages and holes are taken from the record's notes."""
    lines: list[dict[str, Any]] = [
        {"note": {"kind": "audio_dropped", "messages": 3}},
        {"note": {"kind": "audio_underrun", "gap_ms": 40}},
        {"event": {}},
    ]
    assert noticed(lines) == (3, 40)


def test_figures_of_many_calls() -> None:
    """Counts add up; the waits of all calls are taken together; no answers at all are no figures."""
    one = Sounded(60_000, (500, 700), 100, 3000, 5, 2, 1, 20, meant=4, understood=3)
    told = together([one, one])
    assert told["minutes"] == 2.0
    assert told["dead_air_ms"] == {"median": 600, "p95": 700, "longest": 700, "over_4000": 0}
    assert (told["frames_sent"], told["understood_as_meant"]) == (6000, 6)
    assert together([])["dead_air_ms"]["median"] is None
