"""One live call of a server: what it holds, its line, its record, and why it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import structlog

from runtime import context
from runtime.alerts.lines import Lines
from runtime.call import Resumed
from runtime.engine.effects import SetOutcome
from runtime.numbers import pseudonym
from runtime.ports import Watch
from runtime.record import Header, Recorder
from runtime.recording.spool import Spool
from runtime.seals import of_process, opened, sealed
from runtime.server.conference import Conference
from runtime.server.deploy import Deployment
from runtime.server.hold import Hold
from runtime.server.language import Chosen
from runtime.server.line import Line
from runtime.server.tokens import Opens
from runtime.session.openai import OpenAISession
from runtime.telephony.base import Answerer, LineCall
from runtime.writing import DISK, Disk

if TYPE_CHECKING:
    from runtime.store.leases import Answered, Lease

# Ends that somebody meant: nobody goes on with the call.
PLANNED: Final = frozenset({"caller_hangup", "assistant_hangup", "transferred", "never_started"})


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """What a call holds while it lives: its session, the look-up begun for it, its sound where kept."""

    session: OpenAISession
    look_up: context.StartedLookUp | None
    sound: Spool | None


@dataclass(slots=True)
class LiveCall:
    """One call from its first webhook on. `reason`: why it ended, None while it has not.

    `held` is None until its stream comes (where another worker may get it), and once the call has let go of
    it, as are `language` and `hold`, since many calls that are over are remembered. `artifact`: the content
    hash of its flow. `resumed`: it goes on from there. `leave`: set when the call is to leave at its next
    turn boundary.
    """

    call: LineCall
    flow: str
    artifact: str
    token: str = field(repr=False)
    record: Path
    language: Chosen | None
    held: Held | None = field(default=None, repr=False)
    hold: Hold | None = field(default=None, repr=False)
    resumed: Resumed | None = field(default=None, repr=False)
    answerer: asyncio.Future[Answerer] | None = field(default=None, repr=False)
    consent: str = ""
    line: Line = field(default_factory=Line)
    conference: Conference | None = field(default=None, repr=False)
    tokens_used: set[str] = field(default_factory=set, repr=False)
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    reason: str | None = None
    tries: int = 0
    leave: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def deployment(self) -> Deployment:
        """Its flow in its locale, while it lives."""
        assert self.language is not None
        return self.language.deployment

    def have(self, lease: Lease) -> None:
        """It is this worker's by its lease, and goes on from the state that stands there."""
        if self.hold is not None:
            self.hold.fence = lease.fence
        if lease.call:
            self.consent = msgspec.json.decode(unsealed(lease.call), type=Told).consent
        if lease.state is not None:
            # How long the line was cut is not known here: a second is what it takes at best.
            state = msgspec.json.decode(unsealed(lease.state), type=dict[str, Any])
            self.resumed = Resumed(state, lease.at_ms + 1000, lease.attempts)

    def log_answered(self, key: str) -> None:
        """Say in the log that it began: whose it is under this key, and by which flow."""
        caller = pseudonym(self.call.caller_number, key)
        log.info("call.answered", call_id=self.call.call_id, flow=self.flow, caller=caller)


class Told(msgspec.Struct, frozen=True):
    """What the store keeps of a call beside its flow, so that another worker can carry it."""

    account_id: str
    caller: str | None
    called: str | None
    direction: Literal["inbound", "outbound"]
    leg_id: str
    consent: str = ""


def told_of(call: LineCall, consent: str) -> str:
    """A call as the store keeps it."""
    about = Told(
        call.account_id, call.caller_number, call.called_number, call.direction, call.leg_id, consent
    )
    return sealed(msgspec.json.encode(about), of_process()).decode()


def answered_of(opens: Opens, token: str, call: LineCall, hold: Hold | None) -> Answered:
    """What the row of the call begins with that a token opens, should nobody have told of it yet."""
    from runtime.store.leases import Answered

    told = told_of(call, "") if hold is None else hold.call
    return Answered(call.call_id, opens.flow, opens.artifact, told, token)


def unsealed(text: str) -> bytes:
    """What a lease keeps, as JSON. Raises SealError."""
    return opened(text.encode(), of_process())


class Watched(Recorder):
    """A record whose lines someone looks at while they are written."""

    def __init__(
        self, path: Path, header: Header, watch: Watch | None, lines: Lines, disk: Disk = DISK
    ) -> None:
        self._call_id, self._watch, self._lines = header.call_id, watch, lines
        self.outcome: str | None = None
        super().__init__(path, header, disk)

    def append(self, body: Mapping[str, Any]) -> None:
        super().append(body)
        if isinstance(body.get("effect"), SetOutcome):
            self.outcome = body["effect"].outcome
        self._lines.read(body)
        if self._watch:
            self._watch(self._call_id, body)

    def tell_refused(self) -> None:
        """The disk refuses it: an operator is told, once."""
        self._lines.tell("record.failed")


class Unrecorded:
    """Implements Recording for calls whose sound is not kept."""

    held = 0

    def caller(self, at_ms: int, payload: str) -> None:
        """Nothing is kept."""

    def assistant(self, at_ms: int, payload: str) -> None:
        """Nothing is kept."""

    def cleared(self, at_ms: int) -> None:
        """Nothing is kept."""


def was_cancelled() -> bool:
    """Whether somebody asked the present task to stop, rather than a call raising what says so."""
    return (task := asyncio.current_task()) is not None and task.cancelling() > 0
