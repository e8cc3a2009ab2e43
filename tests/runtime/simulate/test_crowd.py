"""Synthetic callers of many kinds."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from runtime import record
from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.run import Had, wishes_of
from runtime.simulate.crowd.saved import save
from runtime.simulate.crowd.spread import crowd
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.moves import HangUp, Turn
from tests.flows.shipped import FLOWS, artifact

FLOW = "lead_qualification"


def calls(flow: str, kinds: list[str], count: int, processes: int = 1) -> list[Had]:
    return list(crowd(artifact(flow), wishes_of(kinds, count, 1), processes))


@pytest.mark.parametrize("flow", FLOWS)
def test_no_kind_of_caller_breaks_a_law(flow: str) -> None:
    """Callers of every kind bring a shipped flow to its end without a finding."""
    assert [one.findings for one in calls(flow, list(KINDS), 280) if one.findings] == []


def test_the_same_seed_gives_the_same_calls() -> None:
    """On one process or two, a run gives the same calls in the same order."""
    one, two = calls(FLOW, list(KINDS), 420), calls(FLOW, list(KINDS), 420, processes=2)
    assert one == two


def test_kinds_differ() -> None:
    """A caller who demands a person gets one more often than one who answers what is asked."""
    brought = Counter(
        one.kind for one in calls(FLOW, ["plain", "demands_person"], 200) if one.outcome.startswith("handoff")
    )
    assert brought["demands_person"] > brought["plain"]


def test_a_broken_flow_is_found() -> None:
    """An action whose argument is never known is told as a finding of the calls that come to it."""
    whole = artifact(FLOW)
    action = replace(whole.actions["book_demo"], takes={"email": ["name", "slots", "nothing"]})
    broken = replace(whole, actions={**whole.actions, "book_demo": action})
    found = [one.findings for one in crowd(broken, wishes_of(["plain"], 100, 1)) if one.findings]
    assert found
    assert found[0][0].startswith("argument missing")


def test_a_saved_call_replays(tmp_path: Path) -> None:
    """A simulated call is saved as a record that is whole and replays."""
    call = DrivenCall(artifact(FLOW), None, Outside())
    call.do(Turn("too_expensive"))
    call.do(HangUp())
    call.rest()
    save(artifact(FLOW), call.moments, tmp_path / "call.jsonl")
    kept = record.read(tmp_path / "call.jsonl")
    assert kept.whole
    assert record.replay(artifact(FLOW), kept.lines) is None
