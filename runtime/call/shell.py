"""The shell of one call: it feeds what happens, in order, to the pure engine and carries out what the
engine orders.

Laws
1. One task steps the engine; every event is recorded before its effects, every effect before it is carried
   out.
2. Whatever breaks inside a call ends that call with `internal_error`, and one that holds too much with
   `over_budget`, after a designed line if one can be played.
3. When `carry` returns nothing of the call is left: no task, no timer, no socket.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from runtime import privacy
from runtime.call import orders, owing
from runtime.call.budget import OverBudgetError
from runtime.call.hearing import hear_session, read_line, watch_line
from runtime.call.outside import Caller, Outside
from runtime.call.under_way import LAST_WORDS_MS, Broken, Call, Flush, fatal
from runtime.engine.effects import Effect, RunAction
from runtime.engine.events import (
    AnswererDetected,
    CallEnded,
    CallerTurn,
    CallResumed,
    CallStarted,
    DtmfPressed,
    Event,
)
from runtime.engine.resuming import resume
from runtime.engine.step import start, step
from runtime.websocket import nobody

LOOSE_ENDS_S: Final = 10.0  # an action under way at the end is given this long to tell its result
UNDO_S: Final = 120.0  # the same where its result decides whether something is to be taken back
LEAVE_WITHIN_S: Final = 10.0
# What is new when one of these is: a turn was heard, a node entered, something done or promised.
MATTERS: Final = ("phase", "node", "slots", "disclosed", "done", "facts", "handoff_id")
LOG = structlog.get_logger("call")


async def carry(caller: Caller, outside: Outside) -> str:
    """Carry one call from the answer to its end. Returns why it ended (the reason of its CallEnded)."""
    call = Call(caller, outside)
    try:
        await _run(call)
    finally:
        await _shut(call)
    return call.reason


async def _run(call: Call) -> None:
    """Step the engine until the call has ended; what breaks is recorded and ends this call only."""
    try:
        _begin(call)
        while not call.reason:
            _turn(call, await call.queue.get())
    except BaseException as error:  # the one outermost loop of a call
        if fatal(error):
            raise
        await _break(call, error)


def _begin(call: Call) -> None:
    outside = call.outside
    outside.session.connect()
    outside.session.listen(partial(hear_session, call))
    for work in (read_line(call), watch_line(call)):
        call.spawn(work)
    if outside.answerer is not None:
        call.spawn(_answerer(call, outside.answerer))
    if outside.leave is not None:
        call.spawn(_leaving(call, outside.leave))
    event: CallStarted | CallResumed
    if outside.resumed is not None:
        held = outside.resumed
        event = CallResumed(at_ms=held.at_ms, state=dict(held.state), attempt=held.attempt)
        outside.record.event(event)
        call.state, effects = resume(outside.artifact, event)
    else:
        event = _started(call)
        outside.record.event(event)
        call.state, effects = start(outside.artifact, event)
    _keep(call)
    call.silence.turn(call.state.phase, call.at_ms())
    _perform(call, effects)


def _started(call: Call) -> CallStarted:
    caller = call.caller
    return CallStarted(
        at_ms=0,
        call_id=caller.call_id,
        caller_number=caller.caller_number,
        called_number=caller.called_number,
        direction=caller.direction,
        answerer_due=call.outside.answerer is not None,
    )


async def _leaving(call: Call, leave: asyncio.Event) -> None:
    """Asked to leave: at the next turn boundary, or where none comes, soon."""
    await leave.wait()
    call.leaving = True
    call.queue.put_nowait(Flush())  # it may be at one now
    await asyncio.sleep(LEAVE_WITHIN_S)
    call.post(CallEnded, reason="drained")


def _at_boundary(call: Call) -> bool:
    """Whether it is the caller's turn and they have not begun it: nothing is lost by leaving now."""
    state = call.state
    quiet = state.phase == "listening" and not state.overlap and not state.pending
    return quiet and not call.ledger.speaking


def _keep(call: Call) -> None:
    """Tell where the call stands, where that has changed in a way that matters to whoever goes on with it."""
    keep, state, kept = call.outside.keep, call.state, call.kept
    if keep is None or state is kept or state.phase == "ended":
        return
    if kept is not None and all(getattr(state, name) is getattr(kept, name) for name in MATTERS):
        return
    call.kept = state
    keep(call.at_ms(), state)


async def _answerer(call: Call, verdict: Awaitable[str]) -> None:
    call.post(AnswererDetected, by=await verdict)


def _turn(call: Call, item: Event | Broken | Flush) -> None:
    if isinstance(item, Broken):
        raise item.error
    if isinstance(item, Flush):
        call.outside.session.flush()
    else:
        effects = _step(call, item)
        waited_ms = call.latency.detection_ms if isinstance(item, CallerTurn) else 0
        call.silence.turn(call.state.phase, call.at_ms(), waited_ms)
        _perform(call, effects)
        _keep(call)
    if isinstance(item, CallEnded):
        call.reason = item.reason
        owing.owe(call)
    elif call.leaving and _at_boundary(call):
        call.post(CallEnded, reason="drained")


def _step(call: Call, event: Event) -> tuple[Effect, ...]:
    artifact, record, before = call.outside.artifact, call.outside.record, call.state
    if isinstance(event, DtmfPressed):
        record.hold()  # a number keyed in is written once all of it is there, or not at all
    record.event(privacy.shown(artifact, before, event))
    call.state, effects = step(artifact, before, event)
    if record.holding and not privacy.may_be_card(artifact, call.state):
        record.release(privacy.without_digits if privacy.is_card_run(before, event) else dict)
    return effects


def _perform(call: Call, effects: tuple[Effect, ...]) -> None:
    _record(call, effects)
    for effect in effects:
        orders.ORDERS[type(effect)](call, effect)
    call.outside.session.flush()
    call.pump()


def _record(call: Call, effects: tuple[Effect, ...]) -> None:
    for effect in effects:
        call.outside.record.effect(call.at_ms(), privacy.shown_order(call.outside.artifact, effect))


async def _break(call: Call, error: BaseException) -> None:
    call.broken = True
    if isinstance(error, OverBudgetError):
        call.reason = "over_budget"
        call.note("over_budget", bytes=error.size, part=error.part)
    else:
        call.reason = "internal_error"
        _tell(call, error)
    try:
        await _apologise(call)
    except BaseException as again:  # whatever broke the call may break its last words
        if fatal(again):
            raise
        call.note("no_last_words", error=type(again).__name__)


def _tell(call: Call, error: BaseException) -> None:
    """Something raised: its kind and place, for the record and the log."""
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{where[0].filename.rpartition('/')[2]}:{where[0].lineno}" if where else ""
    # The text of an exception may quote the caller; its kind and place do not.
    LOG.error("call_broken", call_id=call.caller.call_id, error=type(error).__name__, place=place)
    try:
        call.note("internal_error", error=type(error).__name__, place=place)
    except Exception:  # noqa: BLE001 - it may be the record that broke
        LOG.error("call_untold", call_id=call.caller.call_id)


async def _apologise(call: Call) -> None:
    """The line for a lost model fits here too; it is prepared audio and needs nobody. Nothing is said before
    the disclosure was heard: the net begins with it.
    """
    if call.state is None or not call.state.disclosed:
        return
    line = call.outside.artifact.lost_model.line
    audio = call.outside.scripts.get(line.script) if line is not None and line.script else None
    if line is None or not audio:
        return
    call.stop(call.ledger.stop(call.at_ms()), truncate=False)
    orders.play(call, "last words", line.say or "", audio, protected=True)
    call.pump()
    async with asyncio.timeout(LAST_WORDS_MS / 1000):
        await call.quiet.wait()


async def _shut(call: Call) -> None:
    """Let go of everything, the caller first; an action under way may still tell its result. Whatever one
    step raises, the others are taken.
    """
    for let_go in SHUTTING:
        try:
            if (work := let_go(call)) is not None:
                await work
        except BaseException as error:
            if fatal(error):
                raise
            _tell(call, error)
    call.outside.record.end(call.at_ms(), call.reason or "cancelled", call.outcome)


def _hang_up(call: Call) -> None:
    call.line.stop()
    call.outside.line.close(call.close_code)


def _sum_up(call: Call) -> None:
    """What is known of a call only once it is over."""
    call.look_at_record()
    call.dead_air(call.ledger.heard_by_ms)
    if call.unread:
        call.note("unreadable", line=call.unread["line"], model=call.unread["model"])
    dropped = {
        "messages": call.line.dropped,
        "model_bytes": call.ledger.dropped_bytes,
        "caller_frames": call.outside.session.dropped,
    }
    if any(dropped.values()):
        call.note("audio_dropped", **dropped)
    if call.ledger.gap_ms:
        call.note("audio_underrun", gap_ms=round(call.ledger.gap_ms))


async def _tie_up(call: Call) -> None:
    """Let what is under way tell its result; what the flow then takes back is taken back."""
    until = call.loop.time() + (UNDO_S if getattr(call.state, "undo_at", "") else LOOSE_ENDS_S)
    while call.loose and (left := until - call.loop.time()) > 0:
        await asyncio.wait(set(call.loose), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        _record_rest(call)


def _record_rest(call: Call) -> None:
    """What came after the end is recorded with what the engine makes of it; of that nothing is carried out
    but actions that take another back.
    """
    while not call.queue.empty():
        item = call.queue.get_nowait()
        if call.state is not None and not isinstance(item, Broken | Flush | CallEnded):
            effects = _step(call, item)
            _record(call, effects)
            owing.watch(call, item, effects)
            for effect in effects:
                if isinstance(effect, RunAction):
                    orders.run_action(call, effect)


SHUTTING: Final[tuple[Callable[[Call], Awaitable[None] | None], ...]] = (
    Call.cancel_timers,
    lambda call: call.cancel(call.tasks),
    _hang_up,
    lambda call: call.outside.session.listen(nobody),
    lambda call: call.outside.session.close(),
    _tie_up,
    lambda call: call.cancel(call.loose),
    Call.cancel_timers,
    _record_rest,
    owing.clear,
    _sum_up,
)
