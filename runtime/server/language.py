"""In which of a flow's locales a call is held, decided before its first word.

In this order: what the settings say of the number that was dialled, or of the flow; what the caller's record
says, where the flow names such a fact; the flow's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runtime.context import StartedLookUp
from runtime.ports import OutsideFailure
from runtime.record import Recorder
from runtime.server.deploy import Deployment
from runtime.settings import Settings
from runtime.telephony.base import LineCall


@dataclass(frozen=True, slots=True)
class Chosen:
    """A flow in the locale of one call, and why it is that one."""

    deployment: Deployment
    by: Literal["number", "settings", "fact", "flow"]

    @property
    def tag(self) -> str | None:
        """The locale, of a flow that has several."""
        return self.deployment.artifact.locale if self.deployment.locales else None

    def tell(self, record: Recorder) -> None:
        """Write down which locale it is, and why."""
        if self.tag:
            record.note(0, "locale", tag=self.tag, by=self.by)


def chosen(deployment: Deployment, settings: Settings, call: LineCall) -> Chosen:
    """The locale by what is known when the telephone rings."""
    number = call.called_number if call.direction == "inbound" else call.caller_number
    by_number = deployment.in_locale(settings.locales.get(number or ""))
    if by_number is not None:
        return Chosen(by_number, "number")
    by_flow = deployment.in_locale(settings.locales.get(deployment.artifact.flow))
    return Chosen(by_flow, "settings") if by_flow is not None else Chosen(deployment, "flow")


async def by_record(
    before: Chosen, look_up: StartedLookUp | None, known: Mapping[str, Any] | None = None
) -> Chosen:
    """The locale by the caller's record, where that may decide: it is waited for as long as the flow waits
    for facts. `known`: what a call that goes on here was told of its caller.
    """
    whole, fact = before.deployment, before.deployment.artifact.locale_fact
    if before.by in ("number", "settings") or fact is None or not whole.locales:
        return before
    record = known if known is not None else await _looked_up(whole, look_up)
    found = whole.in_locale(str((record or {}).get(fact, "")).strip() or None)
    return Chosen(found, "fact") if found is not None else before


async def _looked_up(whole: Deployment, look_up: StartedLookUp | None) -> Mapping[str, Any] | None:
    if look_up is None:
        return None
    try:
        async with asyncio.timeout(whole.artifact.fact_wait_ms / 1000):
            return await look_up.look_up(look_up.number)
    except (TimeoutError, OutsideFailure):
        return None
