"""What one call is given: who calls, and everything outside the engine that it may use."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from runtime.ports import ActionRunner, Desk, FactSource, ScriptVoice
from runtime.record import Recorder
from runtime.recording.base import Recording
from runtime.session.model import ModelSession
from runtime.telephony.base import Codec, MediaSocket
from voiceflow_compiler.artifact import Artifact


@dataclass(frozen=True, slots=True)
class Caller:
    """The call as the carrier told it. Numbers are E.164, or None when withheld."""

    call_id: str
    caller_number: str | None = field(repr=False)
    called_number: str | None = field(repr=False)
    direction: Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything a call touches. `codec` has decoded `start`; `session` may be connecting; `scripts` is
    audio in the line's format by script name.

    `answerer`: on a call we placed, who or what picked up, once that is known; None: nothing is waited for.

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
