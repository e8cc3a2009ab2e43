"""What one call is given: who calls, and everything outside the engine that it may use."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runtime.engine.state import State
from runtime.ports import ActionRunner, Desk, FactSource, ScriptVoice, Undoing
from runtime.record import Recorder
from runtime.recording.base import Recording
from runtime.session.model import ModelSession
from runtime.telephony.base import Codec, MediaSocket
from voiceflow_compiler.artifact import Artifact

BUDGET: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """The call as the carrier told it. Numbers are E.164, or None when withheld."""

    call_id: str
    caller_number: str | None = field(repr=False)
    called_number: str | None = field(repr=False)
    direction: Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a call goes on: the engine's state as plain data, at milliseconds since the first answer."""

    state: Mapping[str, Any] = field(repr=False)
    at_ms: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything a call touches. `codec` has decoded `start`; `session` may be connecting; `scripts` is
    audio in the line's format by script name.

    `answerer`: on a call we placed, who or what picked up, once that is known; None: nothing is waited for.

    `resumed`: the call does not begin but goes on from there. `keep` is told where the call stands, whenever
    it would be gone on with from elsewhere. `leave`: once set, the call ends (`drained`) at a turn boundary.
    `budget`: how many bytes it may hold before it ends (`over_budget`).
    `undoing`: where it is kept what a caller who hangs up leaves to be taken back.

    The call closes `line` and `session` and ends `record`; the rest is the owner's.
    """

    artifact: Artifact
    line: MediaSocket
    codec: Codec
    session: ModelSession
    facts: FactSource | None
    actions: ActionRunner
    desk: Desk
    voice: ScriptVoice
    scripts: Mapping[str, bytes]
    record: Recorder
    recording: Recording
    answerer: Awaitable[str] | None = None
    resumed: Resumed | None = None
    keep: Callable[[int, State], None] | None = None
    leave: asyncio.Event | None = None
    budget: int = BUDGET
    undoing: Undoing | None = None
