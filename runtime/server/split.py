"""Who is answered by the assistant while a flow is being rolled out, and the guards that look on.

1. A server goes by the last state it read; a store that is away changes nobody's share.
2. The guards are looked at by every server; whoever is first decides, and the others read what was decided.
3. A flow without a rollout is the assistant's; one with a rollout needs a human line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
import structlog

from runtime.gate.guards import limits_of
from runtime.ports import OutsideFailure
from runtime.rollout.keep import Overtaken, read, write
from runtime.rollout.split import chosen
from runtime.rollout.stages import Rollout
from runtime.rollout.steps import guarded
from runtime.rollout.watch import guard_results, records_of
from runtime.settings.keys import SettingsError
from runtime.telephony.base import LineCall

if TYPE_CHECKING:
    from runtime.settings import Settings
    from runtime.store import Store

log = structlog.get_logger()


class Split:
    """The rollouts of the flows a server serves, by flow. `artifacts`: the content hash of each."""

    def __init__(self, store: Store, settings: Settings, artifacts: Mapping[str, str]) -> None:
        self._store, self._settings = store, settings
        self._artifacts = artifacts
        self._states: dict[str, Rollout] = {}
        self._limits = limits_of(settings.rollout)
        self._records = {flow: records_of(settings.records, flow, settings.rollout) for flow in artifacts}

    @property
    def human_number(self) -> str | None:
        """Where callers outside the share go."""
        return self._settings.rollout.human_number

    def takes(self, flow: str, call: LineCall) -> bool:
        """Whether the assistant takes this call. Calls we place are always the assistant's."""
        state = self._states.get(flow)
        if state is None or call.direction == "outbound":
            return True
        return chosen(state.key, state.percent, call.caller_number, call.call_id)

    async def begin(self) -> None:
        """Read every rollout before the first call. Raises SettingsError."""
        try:
            await self._read(self._artifacts)
        except OutsideFailure as failure:
            why = f"store.url: the rollouts cannot be read ({failure.reason}); set VFC_STORE_URL."
            raise SettingsError([why]) from None
        partial = [state.flow for state in self._states.values() if state.percent < 100]
        if partial and not self.human_number:
            flow = f"rollout.human_number is missing, and {partial[0]} is being rolled out"
            raise SettingsError([f"{flow}: set VFC_HUMAN_NUMBER to the human line."])

    async def watch(self) -> None:
        """Read the rollouts and look at their guards, now and then, for ever."""
        while True:
            await asyncio.sleep(self._settings.rollout.check_ms / 1000)
            try:
                await self._read(self._artifacts)
                for state in list(self._states.values()):
                    await self._guard(state)
            except (OutsideFailure, OSError, msgspec.ValidationError) as failure:
                log.warning("rollout.unread", kind=type(failure).__name__)

    async def _read(self, flows: Iterable[str]) -> None:
        for flow in flows:
            state = await read(self._store, flow)
            if state is None:
                continue
            known = self._states.get(flow)
            self._states[flow] = state
            if known is None or known.version != state.version:
                other = state.artifact != self._artifacts[flow]
                log.info(
                    "rollout.stage", flow=flow, stage=state.stage, percent=state.percent, other_flow=other
                )

    async def _guard(self, state: Rollout) -> None:
        results = await asyncio.to_thread(guard_results, self._records[state.flow], state, self._limits)
        after = guarded(state, results, self._store.clock())
        try:
            if await write(self._store, state, after):
                self._states[state.flow] = after
                decided = after.decisions[-1]
                log.warning("rollout.guarded", flow=state.flow, act=decided.act, reason=decided.reason)
        except Overtaken:
            pass  # another server was first; the next look reads what it decided
