"""What call records say: which calls count, and which guards break."""

from pathlib import Path
from typing import Any

import pytest

from runtime.gate.evidence import LIVE_S, Call, Records, count
from runtime.gate.guards import Limits, look
from runtime.gate.terms import Counts
from tests.runtime.rollout.folder import METRIC, artifact, record

FLOW = "lead-qualification"


def call(**more: Any) -> Call:
    usual: dict[str, Any] = {
        "call_id": "CA1",
        "started": "2026",
        "artifact": "c",
        "outcome": None,
        "good": True,
        "handed_off": False,
        "negative": False,
        "waits_ms": (500,),
    }
    return Call(**usual | more)


def states(calls: list[Call], before: list[Call] | None = None) -> dict[str, str]:
    return {guard.name: guard.state for guard in look(calls, Limits(), before or [])}


def reported(sentiment: str) -> dict[str, Any]:
    return {"event": {"type": "TurnReported", "turn_id": "t", "arguments": {"sentiment": sentiment}}}


def test_a_record_becomes_a_call(tmp_path: Path) -> None:
    """Outcome, end, handoff, last sentiment and waits are read from the record."""
    transfer = {"effect": {"type": "Transfer", "handoff": "sales"}}
    record(tmp_path, "CA1", METRIC, transfer, reported("negative"), reported("neutral"))
    record(tmp_path, "CA2", None, reported("negative"), reason="internal_error")
    lost = {"event": {"type": "SessionLost", "reason": "gone", "final": True}}
    record(tmp_path, "CA3", None, lost)
    one, two, three = Records(tmp_path, FLOW).calls()
    assert (one.outcome, one.good, one.handed_off, one.negative, one.waits_ms) == (
        METRIC,
        True,
        True,
        False,
        (403,),
    )
    assert (two.good, two.negative, three.good) == (False, True, False)
    assert count([one, two, three], METRIC) == Counts(3, 1)


def test_a_call_that_went_on_is_one_call(tmp_path: Path) -> None:
    """A record for each stream is one call: begun with the first, ended as the last."""
    later = "2026-11-22T11:00:00.000+00:00"
    record(tmp_path, "CA1", None, reason="worker_lost")
    record(tmp_path / "later", "CA1", METRIC, started=later)
    (one,) = Records(tmp_path, FLOW).calls()
    assert (one.outcome, one.good, one.waits_ms) == (METRIC, True, (403, 403))
    assert one.started < later


def test_only_this_flow_version_and_time_count(tmp_path: Path) -> None:
    """Records of another flow, another version or an earlier time are left out, and so is what is none."""
    record(tmp_path, "CA1", METRIC)
    record(tmp_path, "CA0", METRIC, started="2026-11-20T10:00:00.000+00:00")
    (tmp_path / "records" / "calls" / "odd.jsonl").write_bytes(b"{}\n\xff")
    (tmp_path / "records" / "calls" / "empty.jsonl").write_bytes(b"")
    records = Records(tmp_path, FLOW)
    assert len(records.calls()) == 2
    assert [one.call_id for one in records.calls(since="2026-11-21")] == ["CA1"]
    assert records.calls(artifact="another") == []
    assert len(records.calls(artifact=artifact().content_hash)) == 2
    assert Records(tmp_path, "another").calls() == []


def test_a_call_that_broke_counts_and_a_live_one_waits(tmp_path: Path) -> None:
    """A record without an end is left while it may be written to, and counts as a miss once nobody does."""
    record(tmp_path, "CA1", None, reason=None)
    written = (tmp_path / "records" / "calls" / "CA1.jsonl").stat().st_mtime
    assert Records(tmp_path, FLOW, clock=lambda: written + 5).calls() == []
    (broken,) = Records(tmp_path, FLOW, clock=lambda: written + LIVE_S + 1).calls()
    assert (broken.good, broken.outcome) == (False, None)


BROKEN = {
    "session_success": [call(good=n % 4 > 0) for n in range(40)],
    "latency_p95_ms": [call(waits_ms=(400, 2500)) for _ in range(40)],
    "negative_sentiment": [call(negative=n % 2 == 0) for n in range(40)],
    "complaints": [call(complained=n % 5 == 0) for n in range(40)],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_guard_breaks_alone_and_by_name(name: str) -> None:
    """Each kind of trouble breaks the guard that is for it and no other."""
    found = states(BROKEN[name])
    assert found.pop(name) == "breaks"
    assert "breaks" not in found.values()


def test_more_handoffs_than_before_break_their_guard() -> None:
    """A rise beyond the limit and beyond chance breaks; the same rate as before holds, however high."""
    few, many = (
        [call(handed_off=n % 10 == 0) for n in range(100)],
        [call(handed_off=n % 2 == 0) for n in range(50)],
    )
    assert states(few + many)["handoff_rate"] == "breaks"
    assert states(many, before=few)["handoff_rate"] == "breaks"
    assert states(many + many + many)["handoff_rate"] == "holds"


def test_few_calls_break_nothing() -> None:
    """Below twenty calls the guards say that they are too few, whatever happened."""
    assert set(states([call(good=False, negative=True, waits_ms=(9000,))] * 19).values()) == {"too_few"}


def test_an_old_good_week_hides_nothing() -> None:
    """A thousand good calls before them do not keep two hundred bad ones from breaking the guard."""
    assert states([call()] * 1000 + [call(good=n % 4 > 0) for n in range(200)])["session_success"] == "breaks"
