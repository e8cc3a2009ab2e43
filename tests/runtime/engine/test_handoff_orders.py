"""Handoffs in every order of events: package, acknowledgement, promise, person; and the way back."""

from itertools import product

import pytest

from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.runtime.engine.world import Call, ask, flow

PROMISE = "Connecting you."
STALE = "h99"
# What may happen to a handoff, each by what it does to the call; "gone" is the caller's end of the line.
HAPPENINGS = {
    "acknowledged": lambda call: call.send(ev.PackageDelivered, handoff_id=call.state.handoff_id or STALE),
    "acknowledged_other": lambda call: call.send(ev.PackageDelivered, handoff_id=STALE),
    "undelivered": lambda call: call.send(
        ev.PackageFailed, handoff_id=call.state.handoff_id or STALE, reason="closed"
    ),
    "said": lambda call: call.finish_speech() if call.state.speech else None,
    "beside": lambda call: progress(call, "beside"),
    "away": lambda call: progress(call, "away"),
    "waits": lambda call: progress(call, "accepted"),
    "still_ringing": lambda call: call.fire("hold"),
    "accepted": lambda call: call.send(ev.TransferAccepted, handoff_id=call.state.handoff_id or STALE),
    "declined": lambda call: call.send(ev.TransferRefused, handoff_id=call.state.handoff_id or STALE),
    "nobody": lambda call: call.send(
        ev.TransferUnanswered, handoff_id=call.state.handoff_id or STALE, reason="voicemail"
    ),
    "package_late": lambda call: call.fire("package"),
    "transfer_late": lambda call: call.fire("transfer"),
    "gone": lambda call: call.send(ev.CallEnded, reason="caller_hangup"),
}
REACHED = ("acknowledged", "said", "accepted")
ORDINARY = ("acknowledged", "said", "beside")


def progress(call: Call, step: str) -> None:
    """The shell tells how far the transfer is."""
    call.send(ev.TransferProgressed, handoff_id=call.state.handoff_id or STALE, step=step)


def asking() -> Call:
    """A call whose caller has just asked for a person."""
    call = Call.begin(flow({"n0": ask()}))
    call.disclose()
    call.finish_speech()
    call.turn("wants_person")
    assert call.state.phase == "delivering"
    return call


def problems(call: Call, gone_at: int | None) -> list[str]:
    """What of a trace must not be: promises before the acknowledgement, people before the promise, orders
    after the end, a caller left without word.
    """
    found: list[str] = []
    acknowledged, promised, ordered = set(), False, set()
    first = next(fx_ for _, effects, _ in call.trace for fx_ in effects if isinstance(fx_, fx.DeliverPackage))
    promise, waits, speaking = "", set(), False
    for number, (event, effects, state) in enumerate(call.trace):
        if isinstance(event, ev.PackageDelivered):
            acknowledged.add(event.handoff_id)
        if isinstance(event, ev.TransferProgressed) and event.step == "accepted":
            waits.add(event.handoff_id)
        speaking = state.phase == "transferring" and state.speech is not None
        if isinstance(event, ev.PlaybackFinished) and event.speech_id == promise:
            promised = True
        for effect in effects:
            if gone_at is not None and number > gone_at:
                found.append(f"{effect} after the caller was gone")
            match effect:
                case fx.PlayScript(text=text, speech_id=speech) if text == PROMISE:
                    promise = speech
                    if first.handoff_id not in acknowledged:
                        found.append("promised before the acknowledgement")
                case fx.Transfer(handoff_id=handoff):
                    ordered.add(handoff)
                    if not promised:
                        found.append("a person rung before the promise")
                case fx.JoinCaller(handoff_id=handoff):
                    if handoff not in ordered or handoff not in waits:
                        found.append("brought to nobody")
                    if speaking:
                        found.append("brought while the assistant speaks")
                case fx.EndCall(reason="transferred"):
                    if not (isinstance(event, ev.TransferAccepted) and event.handoff_id in ordered):
                        found.append("left to nobody")
                case _:
                    pass
        if (
            state.phase == "ended"
            and gone_at is None
            and not any(isinstance(each, fx.EndCall) for _, effects_, _ in call.trace for each in effects_)
        ):
            found.append("ended without an order")
    return found


@pytest.mark.faults
@pytest.mark.parametrize("first", HAPPENINGS)
@pytest.mark.parametrize("before", [(), ORDINARY], ids=["asked", "ringing"])
def test_no_order_of_events_breaks_the_order_of_a_handoff(before: tuple[str, ...], first: str) -> None:
    """In every order of four happenings, from the request and from the ringing on: nothing is promised
    unacknowledged, nobody is rung unpromised, the caller is brought only to somebody who waits and never
    while the assistant speaks, the call is left only to a person, and nothing follows the caller's hang-up.
    """
    for rest in product(HAPPENINGS, repeat=3 if before == () else 2):
        call, gone_at = asking(), None
        for name in (*before, first, *rest):
            HAPPENINGS[name](call)
            if name == "gone" and gone_at is None:
                gone_at = len(call.trace) - 1
        assert problems(call, gone_at) == [], (first, *rest)


@pytest.mark.faults
@pytest.mark.parametrize("steps", range(len(REACHED) + 1))
def test_a_caller_who_hangs_up_at_any_step_ends_the_call_once(steps: int) -> None:
    """Whatever the handoff had reached, the hang-up is the one end, and late answers change nothing."""
    call = asking()
    for name in REACHED[:steps]:
        HAPPENINGS[name](call)
    if steps < len(REACHED):
        HAPPENINGS["gone"](call)
    assert call.ended
    length = len([each for _, effects, _ in call.trace for each in effects])
    for name in HAPPENINGS:
        HAPPENINGS[name](call)
    assert len([each for _, effects, _ in call.trace for each in effects]) == length


@pytest.mark.faults
@pytest.mark.parametrize("failure", ["declined", "nobody", "transfer_late"])
def test_nobody_coming_leads_on_with_words(failure: str) -> None:
    """A refusal, no answer and a transfer too long each bring the assistant back: it speaks, and goes the
    designed way.
    """
    call = asking()
    for name in ("acknowledged", "said", failure):
        HAPPENINGS[name](call)
    assert call.state.speech is not None
    assert call.state.node == "bye"


@pytest.mark.faults
@pytest.mark.parametrize(
    ("failure", "flag"), [("undelivered", "handoff_closed"), ("package_late", "package_failed")]
)
def test_an_undelivered_package_leads_on_without_a_promise(failure: str, flag: str) -> None:
    """A closed desk and a package nobody acknowledged promise nothing and are told apart in the record."""
    call = asking()
    HAPPENINGS[failure](call)
    assert PROMISE not in [effect.text for effect in call.effects(fx.PlayScript)]
    assert flag in [effect.kind for effect in call.effects(fx.Flag)]
    assert call.state.node == "bye"
    HAPPENINGS["acknowledged"](call)
    assert PROMISE not in [effect.text for effect in call.effects(fx.PlayScript)]


def ringing() -> Call:
    """A call whose caller waits while a person is rung beside it."""
    call = asking()
    for name in ORDINARY:
        HAPPENINGS[name](call)
    return call


def test_a_caller_who_waits_hears_a_word_now_and_then() -> None:
    """While it rings the caller is told every ten seconds that it does, and when they speak; with the model
    gone nothing is asked of it.
    """
    call = ringing()
    assert call.timers["hold"] == call.at_ms + 10_000
    call.fire("hold")
    assert call.state.phase == "transferring"
    assert "still trying to reach" in call.effects(fx.Brief)[-1].text
    call.finish_speech()
    assert call.timers["hold"] == call.at_ms + 10_000
    briefs = len(call.effects(fx.Brief))
    call.send(ev.CallerTurn, turn_id="t9")
    assert len(call.effects(fx.Brief)) == briefs + 1
    call.finish_speech()
    call.send(ev.SessionLost, reason="gone", final=True)
    call.fire("hold")
    assert len(call.effects(fx.Brief)) == briefs + 1


def test_the_caller_is_brought_once_the_words_are_over() -> None:
    """A person who takes the call during a word to the caller gets them at its end, not before."""
    call = ringing()
    call.fire("hold")
    progress(call, "accepted")
    assert not call.effects(fx.JoinCaller)
    call.finish_speech()
    assert [effect.handoff_id for effect in call.effects(fx.JoinCaller)] == [call.state.handoff_id]
    call.fire("hold")
    assert call.state.speech is None


@pytest.mark.parametrize("failure", ["declined", "nobody"])
def test_a_person_who_leaves_at_once_brings_the_assistant_back(failure: str) -> None:
    """After the caller was brought, a person who did not stay leads on as one who never came."""
    call = ringing()
    progress(call, "accepted")
    HAPPENINGS[failure](call)
    assert call.state.speech is not None
    assert call.state.node == "bye"


def test_the_call_s_time_does_not_cut_a_transfer() -> None:
    """A call that grows too long while a person is rung goes on until that has come to an end."""
    call = ringing()
    call.fire("call")
    assert call.state.phase == "transferring"
    HAPPENINGS["accepted"](call)
    assert call.ended
