"""The laws of the engine, over random flows and a world that may send anything at any time."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.audit import unlawful_actions
from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.state import State
from runtime.engine.step import start, step
from tests.runtime.engine.world import INTENTS, MONITORS, Call, ask, flow, flows, possible


@given(flows(), st.data())
@settings(max_examples=300)
def test_laws_hold_in_any_order_of_events(artifact, data) -> None:
    """Whatever the caller, the model and the providers send, in any order, no law is broken and nothing
    raises."""
    call = Call.begin(artifact, answerer_due=data.draw(st.booleans(), label="answerer due"))
    for _ in range(data.draw(st.integers(5, 60), label="events")):
        possible(call, data)
    for monitor in MONITORS:
        assert monitor(call) == [], monitor.__doc__


@given(flows(), st.data())
@settings(max_examples=150)
def test_every_call_ends(artifact, data) -> None:
    """From any state, a world that lets speech end and clocks run brings the call to its end in a bounded
    number of events."""
    call = Call.begin(artifact)
    for _ in range(data.draw(st.integers(0, 40), label="events")):
        possible(call, data)
    for _ in range(200):
        if call.ended:
            break
        if call.state.speech is not None and data.draw(st.booleans()):
            call.finish_speech()
        else:
            call.fire(min(call.timers, key=call.timers.__getitem__))
    assert call.ended


@given(flows(), st.data())
@settings(max_examples=150)
def test_a_caller_who_never_helps_is_brought_to_an_end(artifact, data) -> None:
    """A caller who only mumbles or keeps silent, without the overall clock ever running out, still meets the
    end of the call."""
    call = Call.begin(artifact)
    for _ in range(600):
        if call.ended:
            break
        timers = [timer for timer in call.timers if timer != "call"]
        if call.state.speech is not None:
            call.finish_speech()
        elif call.state.phase == "listening" and data.draw(st.booleans()):
            call.turn("unclear")
        elif timers:
            call.fire(timers[0])
        else:
            pytest.fail(f"stuck in {call.state.phase} at {call.state.node}")
    assert call.ended


@given(
    st.sampled_from(["book", "look", "rm"]),
    st.dictionaries(st.sampled_from(["email", "x"]), st.text(max_size=3)),
)
def test_the_model_runs_only_what_is_offered(action, arguments) -> None:
    """With every value known, the model's own requests still run nothing but an action on request."""
    call = Call.begin(flow({"n0": ask(collect=("size", "when", "email"), filled="bye")}))
    call.disclose()
    call.finish_speech()
    call.turn("answer", slots={"size": 5, "email": "a@b.example"})
    call.finish_speech()
    call.send(ev.ActionRequested, call_id="c", action=action, arguments=arguments)
    assert {order.action for order in call.effects(fx.RunAction)} <= {"look"}
    assert unlawful_actions(call) == []


@given(flows(), st.data())
@settings(max_examples=150)
def test_replay_gives_the_same_effects(artifact, data) -> None:
    """The recorded events, fed again through states that went to JSON and back, give byte for byte the
    recorded effects."""
    call = Call.begin(artifact)
    for _ in range(data.draw(st.integers(5, 40), label="events")):
        possible(call, data)
    state = State()
    for number, (event, effects, _) in enumerate(call.trace):
        event = msgspec.json.decode(msgspec.json.encode(event), type=ev.Event)
        state = msgspec.json.decode(msgspec.json.encode(state), type=State)
        state, again = start(artifact, event) if number == 0 else step(artifact, state, event)
        assert msgspec.json.encode(again) == msgspec.json.encode(effects)


@given(st.sampled_from(sorted(INTENTS)), st.data())
@settings(max_examples=100)
def test_nothing_follows_the_end(intent, data) -> None:
    """Once a call has ended no event orders anything."""
    call = Call.begin(flow({"n0": ask()}))
    call.disclose()
    call.send(ev.CallEnded, reason="caller_hangup")
    before = len([each for _, effects, _ in call.trace for each in effects])
    for _ in range(10):
        possible(call, data)
    assert len([each for _, effects, _ in call.trace for each in effects]) == before


def test_monitors_see_broken_laws() -> None:
    """Each law's monitor reports a trace in which that law is broken: the tests above can fail."""
    artifact = flow({"n0": ask()})
    early = Call.begin(artifact)
    early.trace.append((ev.NoInput(at_ms=1), (fx.Respond(purpose="speak", speech_id="s9"),), early.state))
    unknown = Call.begin(artifact, answerer_due=True)
    unknown.trace.append((ev.NoInput(at_ms=1), (fx.PlayScript("s9", "Hello?"),), unknown.state))
    hasty = Call.begin(artifact)
    hasty.trace.append((ev.NoInput(at_ms=1), (fx.Transfer("h1", "sales", "warm", 1),), hasty.state))
    jump = Call.begin(artifact)
    jump.trace.append((ev.NoInput(at_ms=1), (fx.EnterNode("bye"),), jump.state))
    action = Call.begin(artifact)
    action.trace.append((ev.NoInput(at_ms=1), (fx.RunAction("r1", "book", {}, "k", 1),), action.state))
    value = Call.begin(artifact)
    value.trace.append((ev.NoInput(at_ms=1), (), msgspec.convert({"slots": {"size": {"value": -1}}}, State)))
    silent = Call.begin(artifact)
    silent.trace.append((ev.TurnReported(at_ms=1, turn_id="t", call_id="c"), (), silent.state))
    person = Call.begin(artifact)
    person.disclose()
    report = {"intent": "wants_person", "confidence": 0.9}
    person.trace.append((ev.TurnReported(at_ms=1, turn_id="t", arguments=report), (), person.state))
    broken = (early, unknown, hasty, jump, action, value, silent, person)
    assert [bool(monitor(call)) for monitor, call in zip(MONITORS, broken, strict=True)] == [True] * len(
        MONITORS
    )
