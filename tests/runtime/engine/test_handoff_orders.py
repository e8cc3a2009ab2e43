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
    promise = ""
    for number, (event, effects, state) in enumerate(call.trace):
        if isinstance(event, ev.PackageDelivered):
            acknowledged.add(event.handoff_id)
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
def test_no_order_of_events_breaks_the_order_of_a_handoff(first: str) -> None:
    """In every order of four happenings: nothing is promised unacknowledged, nobody is rung
    unpromised, the call is left only to a person, and nothing follows the caller's hang-up.
    """
    for rest in product(HAPPENINGS, repeat=3):
        call, gone_at = asking(), None
        for name in (first, *rest):
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
