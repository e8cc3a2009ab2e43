"""A call that goes on from its last kept state: the laws hold across the cut, and nothing is done or said
twice that should not be."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.resuming import keepable, resume
from runtime.engine.state import State
from runtime.engine.step import step
from tests.runtime.engine.world import MONITORS, Call, ask, flow, flows, possible
from voiceflow_compiler.artifact import Line, Node


def cut(call: Call) -> tuple[fx.Effect, ...]:
    """The line breaks and comes back: the state goes through JSON, and everything under way is gone."""
    call.timers.clear()
    kept = msgspec.json.decode(msgspec.json.encode(call.state))
    event = ev.CallResumed(at_ms=call.at_ms + 3000, state=kept)
    call.at_ms += 3000
    state, effects = resume(call.artifact, event)
    call._take(event, state, effects)
    return effects


def told(effects: tuple[fx.Effect, ...]) -> list[str]:
    """What the model is told."""
    return [effect.text for effect in effects if isinstance(effect, fx.Brief)]


@given(flows(), st.data())
@settings(max_examples=200)
def test_laws_hold_across_a_cut(artifact, data) -> None:
    """Wherever the line breaks, and whatever happens before and after, no law is broken, nothing raises, and
    the call still comes to its end."""
    call = Call.begin(artifact)
    for _ in range(data.draw(st.integers(0, 25), label="before")):
        possible(call, data)
    cut(call)
    for _ in range(data.draw(st.integers(0, 25), label="after")):
        possible(call, data)
    for monitor in MONITORS:
        assert monitor(call) == [], monitor.__doc__
    for _ in range(200):
        if call.ended:
            break
        if call.state.speech is not None and data.draw(st.booleans()):
            call.finish_speech()
        else:
            call.fire(min(call.timers, key=lambda one: (one == "call", call.timers[one])))
    assert call.ended


@given(flows(), st.data())
@settings(max_examples=60)
def test_a_resumed_call_is_decided_by_its_state_alone(artifact, data) -> None:
    """The same kept state gives the same effects."""
    call = Call.begin(artifact)
    for _ in range(data.draw(st.integers(0, 25), label="before")):
        possible(call, data)
    event = ev.CallResumed(at_ms=9_000, state=msgspec.to_builtins(call.state))
    assert resume(artifact, event) == resume(artifact, event)


def collected() -> Call:
    """A call that stands at its second question, with what was answered to the first."""
    call = Call.begin(flow({"n0": ask(collect=("size",), filled="n1"), "n1": ask("Ask when.")}))
    call.disclose()
    call.finish_speech()
    call.turn("answer", slots={"size": 50})
    assert call.state.node == "n1"
    return call


def test_a_call_goes_on_at_its_node_with_what_was_collected() -> None:
    """The node's own line comes again, the slots are known, and the disclosure is not repeated."""
    call = collected()
    effects = cut(call)
    assert call.state.node == "n1"
    assert call.state.slots["size"].value == 50
    assert not [effect for effect in effects if isinstance(effect, fx.PlayScript)]
    assert "Do: Ask when." in told(effects)[-1]
    assert call.state.visits["n1"] == 1


def test_the_new_session_is_told_what_was_said() -> None:
    """The last lines stand in a system item of their own, before the brief of the node."""
    call = collected()
    recap = told(cut(call))[0]
    assert 'assistant: "something"' in recap
    assert "Do not greet again" in recap


def test_a_disclosure_that_was_not_heard_begins_again() -> None:
    """A cut in the first words leads to the first words, and to nothing before them."""
    call = Call.begin(flow({"n0": ask()}))
    effects = cut(call)
    assert [one.text for one in effects if isinstance(one, fx.PlayScript)] == ["I am an AI assistant."]
    assert not [one for one in effects if isinstance(one, fx.Respond)]


def test_an_action_under_way_is_ordered_again_with_its_own_key() -> None:
    """Whether it was done before the cut, the key decides; a second key would do it twice."""
    act = Node("act", action="book", on_success="bye", on_failure="to_sales")
    call = Call.begin(flow({"n0": ask(collect=("email",), filled="n1"), "n1": act}))
    call.disclose()
    call.finish_speech()
    call.turn("answer", slots={"email": "a@b.example"})
    call.finish_speech()
    call.turn("agreement")
    (first,) = call.effects(fx.RunAction)
    cut(call)
    again = call.effects(fx.RunAction)[1]
    assert (again.idempotency_key, again.arguments) == (first.idempotency_key, first.arguments)


def handed_over() -> Call:
    """A call whose package is on its way to a person."""
    call = Call.begin(flow({"n0": ask()}))
    call.disclose()
    call.finish_speech()
    call.turn("wants_person")
    return call


def test_a_package_under_way_is_the_same_package() -> None:
    """A delivery cut short is ordered again under the same id, so that the desk gets it once."""
    call = handed_over()
    cut(call)
    first, again = call.effects(fx.DeliverPackage)
    assert first.handoff_id == again.handoff_id


def test_a_package_that_arrived_is_not_sent_again() -> None:
    """A promise cut short is said again, and the transfer follows it."""
    call = handed_over()
    call.send(ev.PackageDelivered, handoff_id=call.handoffs[-1])
    cut(call)
    assert len(call.effects(fx.DeliverPackage)) == 1
    call.finish_speech()
    assert call.effects(fx.Transfer)


def test_a_person_who_was_being_rung_did_not_take_the_call() -> None:
    """The caller who is back goes the way of an unanswered handoff."""
    call = handed_over()
    call.send(ev.PackageDelivered, handoff_id=call.handoffs[-1])
    call.finish_speech()
    assert call.state.phase == "transferring"
    cut(call)
    assert call.state.node == "bye"


def test_a_state_of_another_version_is_refused() -> None:
    """What is no state is an error, not a guess."""
    with pytest.raises(msgspec.ValidationError):
        resume(flow({"n0": ask()}), ev.CallResumed(at_ms=1, state={"phase": "dancing"}))


def test_a_call_is_resumed_once_only() -> None:
    """Told again in the middle of a call, it is flagged and ignored."""
    call = collected()
    state, effects = step(call.artifact, call.state, ev.CallResumed(at_ms=9_999, state={}))
    assert effects == (fx.Flag(kind="event_ignored", detail="CallResumed"),)
    assert isinstance(state, State)
    assert state.node == call.state.node


def test_the_longest_time_of_a_call_is_one_over_the_cut() -> None:
    """The clock of the call goes on where it stood."""
    call = collected()
    call.at_ms = 500_000
    (timer,) = (one for one in cut(call) if isinstance(one, fx.StartTimer) and one.timer == "call")
    assert timer.ms == 600_000 - 503_000


def test_a_line_of_exact_words_is_played_again() -> None:
    """A tell node cut in the middle says its words from the beginning."""
    call = Call.begin(
        flow({"n0": Node("tell", line=Line(say="Fixed.", script="f1"), next="n1"), "n1": ask()})
    )
    call.disclose()
    played = [one.text for one in cut(call) if isinstance(one, fx.PlayScript)]
    assert played == ["Fixed."]


def test_what_is_secret_is_not_kept() -> None:
    """Secret slots, keys half entered and what was said where a secret is asked for stay in the process; the
    resumed call asks for them again."""
    call = Call.begin(flow({"n0": ask(collect=("size", "pin"), filled="bye")}))
    call.disclose()
    call.finish_speech()
    call.send(ev.CallerTurn, turn_id="t9", text="my number is 1234")
    report = {"intent": "answer", "confidence": 0.95, "slots": {"size": 50}, "heard": "fifty"}
    call.send(ev.TurnReported, turn_id="t9", call_id="c9", arguments=report)
    for digit in "1234":
        call.send(ev.DtmfPressed, digit=digit)
    kept = msgspec.json.encode(keepable(call.artifact, call.state))
    assert b"1234" not in kept
    assert b'"size"' in kept
