"""One action of a flow, ready: judged, once, within its time, retried where that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import stamina
from msgspec.structs import replace as changed

from runtime.actions.base import NOT_DONE, PASSING, Contract, Executor
from runtime.actions.doing.breaker import Breaker
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure, Unsure

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
JITTER_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Attempts:
    """An executor with its contract and its breaker: as many attempts as an order allows, all in its time.

    What changes something is not tried again after an attempt that may have been acted upon: the caller is
    told first that nobody knows.
    """

    executor: Executor
    contract: Contract
    breaker: Breaker
    repeatable: bool
    changes: bool = False

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Raises OutsideFailure; Unsure when an attempt may have been acted upon."""
        self.contract.check_arguments(order.arguments)
        tries = _Tries(self)
        try:
            async with asyncio.timeout(allowed_ms(order) / 1000):
                return await tries.run(order)
        except TimeoutError:
            raise tries.told(OutsideFailure("timeout")) from None
        except OutsideFailure as failure:
            raise tries.told(failure) from None


def allowed_ms(order: RunAction) -> int:
    """How long an order may take, all attempts and pauses together."""
    return order.within_ms * (order.retries + 1)


@dataclass(slots=True)
class _Tries:
    """The attempts of one order."""

    of: Attempts
    unsure: bool = False

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        until = asyncio.get_running_loop().time() + allowed_ms(order) / 1000
        async for attempt in stamina.retry_context(
            on=self._may_help,
            attempts=order.retries + 1,
            timeout=None,
            wait_initial=FIRST_PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=JITTER_S,
        ):
            with attempt:
                left_ms = int(1000 * (until - asyncio.get_running_loop().time()))
                return await self._attempt(changed(order, within_ms=min(order.within_ms, max(left_ms, 1))))
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, order: RunAction) -> Mapping[str, Any]:
        breaker = self.of.breaker
        breaker.enter()
        # Until it tells otherwise, this attempt may have been acted upon.
        self.unsure, before = True, self.unsure
        settled = False
        try:
            result = await self.of.executor.run(order)
            self.of.contract.check_result(result)
            settled = True
        except OutsideFailure as failure:
            settled = True
            breaker.failed()
            self.unsure = before or failure.reason not in NOT_DONE
            raise
        finally:
            if not settled:
                breaker.left()
        breaker.succeeded()
        return result

    def _may_help(self, error: Exception) -> bool:
        """Whether another attempt may mend it, and nobody has to be told anything first."""
        if not isinstance(error, OutsideFailure) or error.reason not in PASSING:
            return False
        return not self.unsure or (self.of.repeatable and not self.of.changes)

    def told(self, failure: OutsideFailure) -> OutsideFailure:
        return Unsure(failure.reason) if self.unsure else failure
