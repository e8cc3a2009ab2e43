"""The auditor notices each thing no call may do, and accuses no call that kept to the rules."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from runtime.audit import (
    Trace,
    hasty_transfers,
    invented_transitions,
    repeated_deeds,
    unanswered_escalations,
    undisclosed_effects,
    unlawful_actions,
    violations,
)
from runtime.engine.effects import DeliverPackage, Effect, EnterNode, RunAction, Transfer
from runtime.engine.events import (
    ActionSucceeded,
    CallEnded,
    CallStarted,
    Event,
    PackageDelivered,
    TurnReported,
)
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.record import Header, Record, Recorder, read
from tests.flows.shipped import artifact as shipped

FLOW = "lead_qualification"
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A call whose caller hung up at once."""
    artifact, path = shipped(FLOW), tmp_path_factory.mktemp("records") / "CA1.jsonl"
    header = Header("CA1", "2026-01-01T00:00:00Z", artifact.content_hash, artifact.flow, "1")
    recorder = Recorder(path, header)
    first, last = CallStarted(at_ms=0, call_id="CA1"), CallEnded(at_ms=900, reason="caller_hangup")
    state, orders = start(artifact, first)
    for event, effects in ((first, orders), (last, step(artifact, state, last)[1])):
        recorder.event(event)
        for effect in effects:
            recorder.effect(event.at_ms, effect)
    recorder.end(900, "caller_hangup", None)
    assert asyncio.run(recorder.durable())
    return read(path)


def changed(record: Record, change: Callable[[Lines], Any]) -> list[str]:
    """What is broken once the lines were changed."""
    lines: Lines = [dict(line) for line in record.lines]
    change(lines)
    whole = bool(lines) and "end" in lines[-1]
    return list(violations(Record(record.header, tuple(lines), whole, 0), shipped(FLOW)))


def test_a_good_call_breaks_nothing(record: Record) -> None:
    """The record as it was written is clean."""
    assert changed(record, lambda lines: None) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines.pop(), "I1: 0 ends"),
        (lambda lines: lines.append(lines[-1]), "I1: 2 ends"),
        (lambda lines: lines[-1].update(end={"reason": "bored"}), "I1: the reason"),
        (lambda lines: lines[-1].update(at_ms=90_000), "I1: the record ended more than"),
        (lambda lines: lines[1].update(at_ms=5_000), "I12: times run backwards"),
        (lambda lines: lines.pop(1), "I9: replayed"),
    ],
    ids=["no end", "two ends", "unknown reason", "late end", "backwards", "other orders"],
)
def test_a_bad_record_is_told(record: Record, change: Callable[[Lines], Any], told: str) -> None:
    """Each thing that can be wrong with a record is a line that begins with its invariant."""
    assert [line for line in changed(record, change) if line.startswith(told)]


def test_a_record_that_was_written_over_is_told(record: Record) -> None:
    """Whole lines after the last good one are no crash's work."""
    altered = Record(record.header, record.lines, record.whole, 20, changed=True)
    assert list(violations(altered, shipped(FLOW))) == ["I12: the record was changed after it was written"]


def trace(*steps: tuple[Event, tuple[Effect, ...]]) -> Trace:
    """A trace of a call nobody had."""
    return Trace(shipped(FLOW), [(event, effects, State()) for event, effects in steps])


def test_a_deed_ordered_twice_is_told() -> None:
    """One key in two orders, and a success that was told twice, are both told."""
    order = RunAction(run_id="r1", action="book", arguments={}, idempotency_key="k", within_ms=1, retries=0)
    done = ActionSucceeded(at_ms=1, run_id="r1", result={})
    again = msgspec.structs.replace(order, run_id="r2")
    assert repeated_deeds(trace((done, (order,)))) == []
    assert repeated_deeds(trace((done, (order,)), (done, (again,)))) == ["k", "r1"]


def test_a_hasty_transfer_is_told() -> None:
    """A warm transfer is lawful only after its own package was acknowledged."""
    package = DeliverPackage(handoff_id="h1", handoff="sales", package={})
    transfer = Transfer(handoff_id="h1", handoff="sales", mode="warm", timeout_ms=1)
    ready = PackageDelivered(at_ms=1, handoff_id="h1", receipt="r")
    begun = CallStarted(at_ms=0, call_id="CA1")
    assert hasty_transfers(trace((begun, (package,)), (ready, (transfer,)))) == []
    assert hasty_transfers(trace((begun, (package, transfer)), (ready, ()))) == [transfer]


ORDER = RunAction(run_id="r1", action="book", arguments={}, idempotency_key="k", within_ms=1, retries=0)
BEGUN = CallStarted(at_ms=0, call_id="CA1")


def test_what_comes_before_the_disclosure_is_told() -> None:
    """A deed ordered before the disclosure was heard is told; silence before it is not."""
    assert undisclosed_effects(trace((BEGUN, ()))) == []
    assert undisclosed_effects(trace((BEGUN, (ORDER,)))) == [ORDER]


def test_a_transition_outside_the_graph_is_told() -> None:
    """The start node may be entered first; a node nobody drew, or one no edge leads to, may not."""
    start_node = shipped(FLOW).start
    first = EnterNode(node=start_node)
    assert invented_transitions(trace((BEGUN, (first,)))) == []
    assert invented_transitions(trace((BEGUN, (first, EnterNode(node="nowhere"))))) == [
        (start_node, "nowhere")
    ]


def test_an_action_where_it_does_not_belong_is_told() -> None:
    """An action that runs at a node which is not its own is told."""
    name = next(name for name, one in shipped(FLOW).actions.items() if one.changes_something)
    order = msgspec.structs.replace(ORDER, action=name)
    elsewhere = Trace(shipped(FLOW), [(BEGUN, (order,), State(node=shipped(FLOW).start))])
    own = next(node for node, one in shipped(FLOW).nodes.items() if one.action == name)
    assert unlawful_actions(elsewhere) == [order]
    assert unlawful_actions(Trace(shipped(FLOW), [(BEGUN, (order,), State(node=own))])) == []


def test_a_request_for_a_person_that_leads_to_none_is_told() -> None:
    """After the disclosure a sure report of it must lead to people in the same turn."""
    artifact = shipped(FLOW)
    intent = next(name for name, one in artifact.intents.items() if one.family == "escalation")
    people = next(name for name, one in artifact.nodes.items() if one.kind == "handoff")
    asked = TurnReported(at_ms=2, turn_id="t", arguments={"intent": intent, "confidence": 1.0})
    heard = State(phase="listening", disclosed=True)
    deaf = Trace(artifact, [(BEGUN, (), heard), (asked, (), heard)])
    brought = Trace(artifact, [(BEGUN, (), heard), (asked, (EnterNode(node=people),), heard)])
    assert unanswered_escalations(deaf) == [asked]
    assert unanswered_escalations(brought) == []
