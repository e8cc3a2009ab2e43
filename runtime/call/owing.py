"""What a caller who hung up leaves to be taken back, written down before anything else: whatever becomes of
this process, it is taken back once.
"""

from __future__ import annotations

import msgspec

from runtime.call.under_way import Call
from runtime.engine.effects import Effect, Flag
from runtime.engine.events import ActionFailed, Event
from runtime.engine.resuming import keepable
from runtime.ports import OutsideFailure, Owed

OVER = frozenset({"action_undone", "undo_impossible"})


def owe(call: Call) -> None:
    """The caller hung up: keep what is under way and is to be taken back."""
    state, artifact = call.state, call.outside.artifact
    if call.outside.undoing is None or not state.undo_at:
        return
    call.owed = call.keys[state.run]
    kept = msgspec.json.encode(keepable(artifact, state))
    owed = Owed(call.owed, call.caller.call_id, artifact.flow, artifact.content_hash, state.run, kept)
    call.spawn(_owing(call, owed), loose=True)


async def _owing(call: Call, owed: Owed) -> None:
    assert call.outside.undoing is not None
    try:
        await call.outside.undoing.owe(owed)
    except OutsideFailure as failure:
        call.note("undo_not_kept", reason=failure.reason)


def watch(call: Call, event: Event, effects: tuple[Effect, ...]) -> None:
    """Something was told after the end: whether nothing is left to take back."""
    failed = isinstance(event, ActionFailed) and event.run_id == call.state.run
    if failed or any(isinstance(effect, Flag) and effect.kind in OVER for effect in effects):
        call.paid = True


async def clear(call: Call) -> None:
    """Nothing is owed any more. What is owed still is another's to settle."""
    if call.outside.undoing is None or not (call.owed and call.paid):
        return
    try:
        await call.outside.undoing.clear(call.owed)
    except OutsideFailure:
        pass  # it is looked at again, and found done
