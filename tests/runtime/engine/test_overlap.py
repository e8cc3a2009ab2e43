"""Speech that overlaps: murmurs, and words into a change of node; and the verdict a placed call waits for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.runtime.engine.world import REPORT, Call, ask, flow, flows, possible
from voiceflow_compiler.artifact import Answer, Node, Turns

PATIENT = Turns(least_speech_ms=400, silence_ms=500, backchannel=("uh-huh", "mhm", "i see"))


def listening(turns: Turns = PATIENT, **nodes: Node) -> Call:
    """A call whose disclosure was heard and which says the line of the first ask node."""
    first = ask("First?", answers={"agreement": Answer(go="n1")})
    call = Call.begin(flow({"n0": first, "n1": ask("Second?"), **nodes}, turns=turns))
    call.send(ev.ContextMissing, reason="unknown")
    call.finish_speech()
    assert call.state.node == "n0"
    assert call.state.phase == "speaking"
    return call


def murmured(call: Call, words: str) -> tuple[fx.Effect, ...]:
    call.send(ev.CallerSpeechStarted)
    call.send(ev.CallerTurn, turn_id="t1")
    return call.send(ev.TurnTranscribed, turn_id="t1", text=words)


def flagged(call: Call, kind: str) -> bool:
    return any(flag.kind == kind for flag in call.effects(fx.Flag))


def kinds(effects: tuple[fx.Effect, ...]) -> list[type]:
    return [type(effect) for effect in effects]


@pytest.mark.parametrize("words", ["Uh-huh.", "mhm, mhm", "I see.", "", "uh-huh mhm"])
def test_a_murmur_does_not_stop_the_assistant(words: str) -> None:
    """Where the flow ignores them, sounds of agreement neither stop the assistant nor are judged."""
    call = listening()
    murmured(call, words)
    assert call.state.phase == "speaking"
    assert not call.effects(fx.StopSpeaking)
    assert not call.effects(fx.Respond)[1:]
    assert flagged(call, "backchannel")


def test_short_words_that_mean_something_stop_it() -> None:
    """A short turn with other words stops the assistant as soon as they are known, and is judged."""
    call = listening()
    effects = murmured(call, "no, wait")
    assert fx.StopSpeaking in kinds(effects)
    assert any(isinstance(one, fx.Respond) and one.turn_id == "t1" for one in effects)


def test_long_speech_stops_it_without_its_words() -> None:
    """Once the caller has spoken long enough the assistant stops, whatever is said."""
    call = listening()
    call.send(ev.CallerSpeechStarted)
    assert not call.effects(fx.StopSpeaking)
    call.fire("barge_in")
    assert call.effects(fx.StopSpeaking)


def test_words_that_never_come_make_a_turn() -> None:
    """A short turn without a transcript counts as a turn after a while."""
    call = listening()
    call.send(ev.CallerSpeechStarted)
    call.send(ev.CallerTurn, turn_id="t1")
    call.fire("murmur")
    assert call.state.judging == "t1"


def test_a_murmur_after_the_question_is_an_answer() -> None:
    """Once the assistant has finished, the same sound is judged."""
    call = listening()
    call.send(ev.CallerSpeechStarted)
    call.send(ev.CallerTurn, turn_id="t1")
    call.finish_speech()
    call.send(ev.TurnTranscribed, turn_id="t1", text="uh-huh")
    assert call.state.judging == "t1"


def test_any_speech_stops_it_where_nothing_else_is_said() -> None:
    """By default the first sound of the caller stops the assistant."""
    call = listening(Turns())
    assert fx.StopSpeaking in kinds(call.send(ev.CallerSpeechStarted))


def changed(overlap: str, *, speaking: bool = False) -> Call:
    """A call led to the second node by a turn, while the caller said something more (or still says it)."""
    call = listening(Turns(), n1=replace(ask("Second?"), on_overlap=overlap))
    call.finish_speech()
    call.send(ev.CallerSpeechStarted)
    call.send(ev.CallerTurn, turn_id="t1")
    call.send(ev.CallerSpeechStarted)
    if not speaking:
        call.send(ev.CallerTurn, turn_id="t2")
    call.send(ev.TurnReported, turn_id="t1", call_id="c1", arguments=REPORT | {"intent": "agreement"})
    return call


def test_hold_hears_the_overlap_at_the_new_node() -> None:
    """What was said into the change is judged at the new node, before its line."""
    call = changed("hold")
    assert (call.state.node, call.state.judging, call.state.visit.opening_due) == ("n1", "t2", True)


@pytest.mark.parametrize("speaking", [False, True])
def test_commit_leaves_the_overlap_out(speaking: bool) -> None:
    """The new node speaks at once, and what was said into the change moves nothing there."""
    call = changed("commit", speaking=speaking)
    assert (call.state.node, call.state.phase) == ("n1", "speaking")
    if speaking:
        assert fx.StopSpeaking not in kinds(call.send(ev.CallerTurn, turn_id="t2"))
    assert call.state.judging == "t2"
    call.send(ev.TurnReported, turn_id="t2", call_id="c2", arguments=REPORT | {"intent": "agreement"})
    assert (call.state.node, call.state.phase) == ("n1", "speaking")


def test_commit_still_brings_a_person() -> None:
    """A person asked for in words that are left out is brought all the same."""
    call = changed("commit")
    call.send(ev.TurnReported, turn_id="t2", call_id="c2", arguments=REPORT | {"intent": "wants_person"})
    assert call.state.node == "to_sales"


@pytest.mark.parametrize("speaking", [False, True])
def test_revert_takes_the_change_back(speaking: bool) -> None:
    """What was said into the change is judged where it was begun."""
    call = changed("revert", speaking=speaking)
    assert call.state.node == "n0"
    if speaking:
        call.send(ev.CallerTurn, turn_id="t2")
    assert call.state.judging == "t2"


# --- calls we placed ---


@given(flows(), st.data())
def test_nothing_is_said_before_the_verdict(artifact, data) -> None:
    """On a call that waits for its verdict nothing is said, asked or done before it, whatever else comes."""
    call = Call.begin(artifact, answerer_due=True)
    for _ in range(data.draw(st.integers(0, 25))):
        possible(call, data)
    silent = True
    for event, effects, _ in call.trace:
        timed_out = isinstance(event, ev.TimerFired) and event.timer == "answerer"
        silent = silent and not isinstance(event, ev.AnswererDetected) and not timed_out
        assert not silent or not any(
            isinstance(one, fx.PlayScript | fx.Respond | fx.RunAction | fx.Transfer) for one in effects
        )


def test_a_machine_is_told_nothing() -> None:
    """A machine that answers ends the call without a word."""
    call = Call.begin(flow({"n0": ask()}), answerer_due=True)
    call.send(ev.ContextMissing, reason="unknown")
    effects = call.send(ev.AnswererDetected, by="machine")
    assert kinds(effects) == [fx.CancelTimer, fx.SetOutcome, fx.EndCall]
    assert call.state.outcome == "machine_answered"
    assert not call.effects(fx.PlayScript)


@pytest.mark.parametrize("by", ["person", "unknown"])
@pytest.mark.parametrize("late", [False, True])
def test_a_person_hears_the_disclosure(by: str, late: bool) -> None:
    """A person, or who may be one, hears the disclosure as soon as the verdict is there."""
    call = Call.begin(flow({"n0": ask()}), answerer_due=True)
    if late:
        call.send(ev.ContextMissing, reason="unknown")
    call.send(ev.AnswererDetected, by=by)
    assert [one.protected for one in call.effects(fx.PlayScript)] == [True]


def test_a_verdict_that_never_comes_is_taken_for_a_person() -> None:
    """Nobody is kept in silence for ever: past its time the call begins, and that is flagged."""
    call = Call.begin(flow({"n0": ask()}), answerer_due=True)
    call.fire("answerer")
    assert call.effects(fx.PlayScript)
    assert flagged(call, "answerer_unknown")


def test_a_verdict_nobody_waits_for_changes_nothing() -> None:
    """A second verdict, or one on a call that came in, is ignored."""
    call = Call.begin(flow({"n0": ask()}))
    before = call.state
    call.send(ev.AnswererDetected, by="machine")
    assert call.state.phase == before.phase
