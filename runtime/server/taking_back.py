"""What callers who hung up left to be taken back, where the process that should have done it is gone.

1. It is taken back once: the key of what does so follows from the call, as it did in the process that died.
2. Only what is known to have been done is taken back. What nobody can tell of within an hour, and what cannot
   be taken back, is a person's to decide, and an alert says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from runtime.actions import Actions
from runtime.engine.effects import RunAction
from runtime.engine.events import ActionSucceeded
from runtime.engine.state import State
from runtime.engine.step import step
from runtime.ports import Alert, OutsideFailure, Owed, Unsure
from voiceflow_compiler.artifact import Artifact

if TYPE_CHECKING:
    from runtime.store import Store

log = structlog.get_logger()

AFTER_MS: Final = 150_000  # until then the process that had the call may be at it
NO_OLDER_MS: Final = 3_600_000
FINAL: Final = frozenset({"bad_arguments", "denied", "forbidden", "not_configured", "refused"})

Served = Callable[[str, str], Awaitable[tuple[Artifact, Actions] | None]]


async def take_back(store: Store, flow: str, served: Served, alert: Alert) -> None:
    """Take back what is owed. Raises OutsideFailure when the store cannot be asked."""
    now = store.clock()
    for owed, kept_ms in await store.undoing.owed(flow, before_ms=now - AFTER_MS):
        ended = await _take_back(store, owed, served)
        log.warning("undo.tried", call_id=owed.call_id, ended=ended)
        lost = ended in FINAL or ended == "impossible" or kept_ms < now - NO_OLDER_MS
        if lost and ended not in ("done", "nothing"):
            alert("action.not_undone", call_id=owed.call_id, artifact=owed.artifact, detail=ended)
        if lost or ended in ("done", "nothing"):
            await store.undoing.clear(owed.key)


async def _take_back(store: Store, owed: Owed, served: Served) -> str:
    """How it went: done, nothing (was done that could be taken back), impossible, or why not yet."""
    deed = await store.deed(owed.key)
    if deed is None or deed.state == "failed":
        return "nothing"
    if deed.state != "done":
        return "unknown"
    found = await served(owed.flow, owed.artifact)
    if found is None:
        return "not_served"
    artifact, actions = found
    state = msgspec.json.decode(owed.state, type=State)
    told = ActionSucceeded(at_ms=state.at_ms, run_id=owed.run_id, result=dict(deed.result or {}))
    orders = [effect for effect in step(artifact, state, told)[1] if isinstance(effect, RunAction)]
    if not orders:
        return "impossible"
    try:
        await _done(actions, orders[0])
    except OutsideFailure as failure:
        return failure.reason
    return "done"


async def _done(actions: Actions, order: RunAction) -> None:
    try:
        await actions.run(order)
    except Unsure:
        await actions.find_out(order)
