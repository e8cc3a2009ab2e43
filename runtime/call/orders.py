"""What the shell does for each order of the engine: one function an effect, in one table."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime.call.under_way import Call
from runtime.engine import effects
from runtime.engine.events import (
    ActionFailed,
    ActionSucceeded,
    ActionUnknown,
    ContextLoaded,
    ContextMissing,
    PackageDelivered,
    PackageFailed,
    TransferAccepted,
    TransferProgressed,
    TransferRefused,
    TransferUnanswered,
)
from runtime.ports import OutsideFailure, Unsure

FIND_OUT_MS: Final = 15_000  # the net behind what the actions allow themselves
GRACE_MS: Final = 1000  # outside keeps its own deadline; this is the net behind it
# Rings are bounded by the order's timeout; asking for them, whispers, the least talk and the way back come on
# top. The shell's rings have deadlines of their own, these are the net behind them.
AROUND_RING_MS: Final = 200_000


def look_up(call: Call, order: effects.LookUpContext) -> None:
    if call.outside.facts is None:
        call.post(ContextMissing, reason="no_source")
    elif order.caller_number is None:
        call.post(ContextMissing, reason="withheld")
    else:
        call.spawn(_looking_up(call, order.source, order.caller_number))


async def _looking_up(call: Call, source: str, caller_number: str) -> None:
    assert call.outside.facts is not None
    try:
        facts = await call.outside.facts.look_up(caller_number)
    except OutsideFailure as failure:
        call.post(ContextMissing, reason=failure.reason)
        return
    if facts is None:
        call.post(ContextMissing, reason="unknown_caller")
    else:
        call.post(ContextLoaded, facts=dict(facts), source=source)


def open_session(call: Call, order: effects.OpenSession) -> None:
    call.outside.session.open(order.instructions)


def play_script(call: Call, order: effects.PlayScript) -> None:
    audio = call.outside.scripts.get(order.script) if order.script is not None else None
    if audio:
        play(call, order.speech_id, order.text, audio, protected=order.protected)
        return
    _open(call, order.speech_id, order.text, protected=order.protected)
    call.spawn(_rendering(call, order.speech_id, order.text))


def play(call: Call, speech_id: str, text: str, audio: bytes, *, protected: bool) -> None:
    """Play audio of the line's format as one whole speech."""
    _open(call, speech_id, text, protected=protected)
    call.ledger.add(speech_id, b64encode(audio).decode())
    call.ledger.close(speech_id)


def _open(call: Call, speech_id: str, text: str, *, protected: bool) -> None:
    call.ledger.open(speech_id, protected=protected, scripted=True, text=text)
    if protected:
        call.protected.add(speech_id)


async def _rendering(call: Call, speech_id: str, text: str) -> None:
    try:
        audio = await call.outside.voice.render(text)
    except OutsideFailure as failure:
        call.ledger.close(speech_id, failure.reason)
    else:
        call.ledger.add(speech_id, b64encode(audio).decode())
        call.ledger.close(speech_id)
    call.pump()


def brief(call: Call, order: effects.Brief) -> None:
    call.outside.session.brief(order.text)


def respond(call: Call, order: effects.Respond) -> None:
    if order.speech_id is not None:
        call.ledger.open(order.speech_id, protected=False, scripted=False)
    call.outside.session.respond(order)


def stop_speaking(call: Call, order: effects.StopSpeaking) -> None:
    call.stop(call.ledger.stop(call.at_ms()), truncate=True)


def answer_tool(call: Call, order: effects.AnswerTool) -> None:
    call.outside.session.answer(order.call_id, order.output)


def run_action(call: Call, order: effects.RunAction) -> None:
    call.keys[order.run_id] = order.idempotency_key
    call.spawn(_running(call, order), loose=True)


async def _running(call: Call, order: effects.RunAction) -> None:
    action = call.outside.artifact.actions.get(order.action)
    if action is not None and action.changes_something and not await call.outside.record.durable():
        call.post(ActionFailed, run_id=order.run_id, reason="not_recorded")  # no deed without its record
        return
    try:
        result = await _done(call, order)
    except Unsure as failure:
        call.post(ActionUnknown, run_id=order.run_id, reason=failure.reason, final=True)
    except OutsideFailure as failure:
        call.post(ActionFailed, run_id=order.run_id, reason=failure.reason)
    else:
        call.post(ActionSucceeded, run_id=order.run_id, result=dict(result))


async def _done(call: Call, order: effects.RunAction) -> Mapping[str, Any]:
    """Its result. Where nobody knows whether it was done the caller is told so, while that is found out."""
    limit_ms = order.within_ms * (order.retries + 1) + GRACE_MS
    try:
        try:
            async with asyncio.timeout(limit_ms / 1000):
                return await call.outside.actions.run(order)
        except Unsure as failure:
            call.post(ActionUnknown, run_id=order.run_id, reason=failure.reason)
            async with asyncio.timeout(FIND_OUT_MS / 1000):
                return await call.outside.actions.find_out(order)
    except TimeoutError:
        changes = call.outside.artifact.actions[order.action].changes_something
        raise (Unsure if changes else OutsideFailure)("timeout") from None


def start_timer(call: Call, order: effects.StartTimer) -> None:
    call.start_timer(order.timer, order.ms)


def cancel_timer(call: Call, order: effects.CancelTimer) -> None:
    call.cancel_timer(order.timer)


def deliver(call: Call, order: effects.DeliverPackage) -> None:
    call.spawn(_delivering(call, order), loose=True)


async def _delivering(call: Call, order: effects.DeliverPackage) -> None:
    try:
        receipt = await call.outside.desk.deliver(order)
    except OutsideFailure as failure:
        call.post(PackageFailed, handoff_id=order.handoff_id, reason=failure.reason)
    else:
        call.post(PackageDelivered, handoff_id=order.handoff_id, receipt=receipt)


def transfer(call: Call, order: effects.Transfer) -> None:
    call.transfers[order.handoff_id] = call.spawn(_transferring(call, order))


def join_caller(call: Call, order: effects.JoinCaller) -> None:
    call.beside = False  # the stream may end from now on, and the caller be there all the same
    call.spawn(call.outside.desk.join(order.handoff_id))


def _progressed(call: Call, handoff_id: str, step: str) -> None:
    call.note("transfer", step=step)
    if step in ("beside", "away"):
        call.beside = step == "beside"
    if step in ("beside", "away", "accepted"):
        call.post(TransferProgressed, handoff_id=handoff_id, step=step)


async def _transferring(call: Call, order: effects.Transfer) -> None:
    handoff_id = order.handoff_id
    try:
        async with asyncio.timeout((order.timeout_ms + AROUND_RING_MS) / 1000):
            result = await call.outside.desk.transfer(order, lambda step: _progressed(call, handoff_id, step))
    except OutsideFailure as failure:
        call.post(TransferUnanswered, handoff_id=handoff_id, reason=failure.reason)
    except TimeoutError:
        call.post(TransferUnanswered, handoff_id=handoff_id, reason="no_answer")
    else:
        match result.result:
            case "accepted":
                call.post(TransferAccepted, handoff_id=handoff_id)
            case "refused":
                call.post(TransferRefused, handoff_id=handoff_id, reason=result.reason)
            case _:
                call.post(TransferUnanswered, handoff_id=handoff_id, reason=result.reason)
    finally:
        call.transfers.pop(handoff_id, None)
        call.beside = False
        call.last_frame = call.loop.time()  # the caller's audio was elsewhere meanwhile


def return_to_caller(call: Call, order: effects.ReturnToCaller) -> None:
    under_way = call.transfers.get(order.handoff_id)
    if under_way is not None:
        under_way.cancel()
    call.spawn(_giving_up(call, order.handoff_id), loose=True)


async def _giving_up(call: Call, handoff_id: str) -> None:
    try:
        await call.outside.desk.give_up(handoff_id)
    except OutsideFailure as failure:
        call.note("give_up_failed", reason=failure.reason)


def withhold(call: Call, order: effects.Withhold) -> None:
    call.withheld = order.on


def set_outcome(call: Call, order: effects.SetOutcome) -> None:
    call.outcome = order.outcome


def only_record(call: Call, order: effects.Flag | effects.EnterNode) -> None:
    """The record holds it already."""


def end_call(call: Call, order: effects.EndCall) -> None:
    call.end(order.reason)


ORDERS: Final[Mapping[type[Any], Callable[[Call, Any], None]]] = {
    effects.LookUpContext: look_up,
    effects.OpenSession: open_session,
    effects.PlayScript: play_script,
    effects.Brief: brief,
    effects.Respond: respond,
    effects.StopSpeaking: stop_speaking,
    effects.AnswerTool: answer_tool,
    effects.RunAction: run_action,
    effects.StartTimer: start_timer,
    effects.CancelTimer: cancel_timer,
    effects.DeliverPackage: deliver,
    effects.Transfer: transfer,
    effects.JoinCaller: join_caller,
    effects.ReturnToCaller: return_to_caller,
    effects.SetOutcome: set_outcome,
    effects.Flag: only_record,
    effects.EnterNode: only_record,
    effects.Withhold: withhold,
    effects.EndCall: end_call,
}
