"""Which lines of a record become alerts and numbers."""

from collections.abc import Mapping
from typing import Any

import pytest

from runtime.alerts.lines import Lines
from runtime.engine.effects import Flag
from runtime.engine.events import ActionUnknown, ContextMissing
from runtime.metrics import Metrics


def read(*bodies: Mapping[str, Any]) -> tuple[list[tuple[str, str]], Metrics]:
    """What one call's lines tell: alerts with their detail, and the numbers."""
    told: list[tuple[str, str]] = []
    metrics = Metrics()

    def alert(code: str, *, call_id: str = "", artifact: str = "", detail: str = "") -> None:
        assert (call_id, artifact) == ("CA1", "sha256:ab")
        told.append((code, detail))

    lines = Lines(alert, metrics, "CA1", "sha256:ab")
    for body in bodies:
        lines.read({"at_ms": 0, **body})
    return told, metrics


def note(kind: str, **more: Any) -> dict[str, Any]:
    return {"note": {"kind": kind, **more}}


@pytest.mark.parametrize(
    ("reason", "final", "code"),
    [
        ("closed_1001", False, "model.lost"),
        ("stalled", False, "model.stalled"),
        ("refused", True, "model.unreachable"),
        ("unauthorized", True, "model.unusable"),
        ("insufficient_quota", True, "model.unusable"),
    ],
)
def test_a_lost_model_is_told_by_what_it_means(reason: str, final: bool, code: str) -> None:
    """A break, a freeze, an outage and a refused key are four different alerts."""
    told, _ = read(note("model_lost", reason=reason, final=final))
    assert told == [(code, reason)]


def test_a_slow_answer_is_told_once_a_call_and_measured_each_time() -> None:
    """The line is 300 ms for model and bridge together; detection does not count."""
    quick = {"turn_id": "t", "total_ms": 800, "detection_ms": 500, "model_ms": 250, "bridge_ms": 50}
    slow = quick | {"bridge_ms": 51}
    told, metrics = read(*(note("latency", **one) for one in (quick, slow, slow)))
    assert told == [("answer.slow", "")]
    value = metrics.registry.get_sample_value
    assert value("vfc_turn_seconds_count", {"part": "answer"}) == 3
    assert value("vfc_turn_seconds_bucket", {"part": "answer", "le": "0.3"}) == 1
    assert value("vfc_turn_seconds_sum", {"part": "detection"}) == pytest.approx(1.5)


def test_facts_nobody_could_have_are_no_alert() -> None:
    """An unknown caller is ordinary; a source that did not answer is not."""
    missing = [{"event": ContextMissing(at_ms=1, reason=why)} for why in ("unknown_caller", "too_slow")]
    assert read(*missing)[0] == [("context.missing", "too_slow")]


def test_flags_events_and_ends_are_read() -> None:
    """What the engine flags, what failed outside and how a call ended each have their code."""
    told, _ = read(
        {"effect": Flag(kind="claim_unbacked", detail="booked")},
        {"event": ActionUnknown(at_ms=1, run_id="r", reason="timeout", final=True)},
        {"end": {"reason": "line_lost", "outcome": None}},
    )
    assert told == [("claim.unbacked", ""), ("action.unknown", "timeout"), ("line.lost", "")]


def test_responses_count_tokens_by_kind() -> None:
    """Statuses and token kinds are closed sets, whatever the server sends."""
    counts = {"text_in": 5, "audio_in": 7, "text_cached": 0, "audio_cached": 2, "text_out": 1, "audio_out": 9}
    _, metrics = read(
        note("response", status="completed", tokens=counts), note("response", status="odd", tokens=None)
    )
    value = metrics.registry.get_sample_value
    assert value("vfc_tokens_total", {"kind": "audio_out"}) == 9
    assert value("vfc_responses_total", {"status": "other"}) == 1
