"""What a stage's own calls say: the evidence for the gate and the results of the guards."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from runtime.gate.evidence import Call, Records
from runtime.gate.guards import Limits, look
from runtime.gate.terms import GuardResult
from runtime.rollout.stages import Rollout


class Complained(Protocol):
    """What settings say about complaints."""

    @property
    def complaint_intents(self) -> tuple[str, ...]: ...


def records_of(records: Path, flow: str, settings: Complained) -> Records:
    """The call records of a deployment, with the complaints about them."""
    return Records(records / "calls", flow, complaints=settings.complaint_intents)


def stage_calls(records: Records, state: Rollout) -> list[Call]:
    """The calls of this stage with this version of the flow, oldest first."""
    return records.calls(since=_iso(state.since_ms), artifact=state.artifact)


def guard_results(records: Records, state: Rollout, limits: Limits) -> tuple[GuardResult, ...]:
    """The guards over this stage; the trend of handoffs is against the earlier calls of this rollout."""
    since = _iso(state.guarded_ms)
    every = records.calls(since=_iso(state.begun_ms), artifact=state.artifact)
    return look([call for call in every if call.started >= since], limits, _before(every, since))


def _before(calls: Sequence[Call], since: str) -> list[Call]:
    return [call for call in calls if call.started < since]


def _iso(at_ms: int) -> str:
    """As the header of a record writes it, so that the two compare as text."""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)
    return at.isoformat(timespec="milliseconds")
