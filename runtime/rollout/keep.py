"""Bringing a step into the store: one row, changed only from the version that was read.

Whoever decides reads first; should anybody else have decided meanwhile, the change is not made and the one
who asked is told. Nothing is tried again by itself: what was right for one version may be wrong for the next.
A process killed anywhere leaves the state before its step or the state after it.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from runtime.rollout.stages import Rollout


class Row(Protocol):
    """A rollout as the store has it."""

    @property
    def version(self) -> int: ...
    @property
    def state(self) -> Mapping[str, Any]: ...


class Rollouts(Protocol):
    """What of the store is needed. Methods raise OutsideFailure."""

    async def rollout(self, flow: str) -> Row | None: ...
    async def change_rollout(self, flow: str, from_version: int, state: Mapping[str, Any]) -> bool: ...


class Overtaken(Exception):
    """Somebody else decided first; nothing was changed."""


async def read(store: Rollouts, flow: str) -> Rollout | None:
    """How far a flow is; None when no rollout was ever begun."""
    row = await store.rollout(flow)
    if row is None:
        return None
    state = msgspec.convert(row.state, Rollout)
    if state.version != row.version:
        raise msgspec.ValidationError("the rollout's row and its state are not of one version")
    return state


async def write(store: Rollouts, before: Rollout | None, after: Rollout) -> bool:
    """Make a step that was decided from `before`; False when there is none. Raises Overtaken."""
    if after == before:
        return False
    version = before.version if before else 0
    if not await store.change_rollout(after.flow, version, msgspec.to_builtins(after)):
        raise Overtaken
    return True
