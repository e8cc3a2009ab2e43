"""The calls of one process: admitted when the telephone rings, let in by token, carried by the bridge,
remembered when over.

1. One call id is one call: a webhook that comes twice gets the same answer, and no second call begins.
2. Nothing of one call is reachable from another: each has its own line, session and record.
3. A call that was answered and whose stream never comes is let go.
"""

from __future__ import annotations

import asyncio
import datetime
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from runtime import context
from runtime.alerts import Alerts
from runtime.alerts.lines import Lines
from runtime.call import Caller, Outside, carry
from runtime.engine.effects import SetOutcome
from runtime.handoff import FOLDER, Board, CallDesk, Ringer, Spool
from runtime.ports import Packages
from runtime.record import Header, Recorder
from runtime.recording.tracks import Tracks
from runtime.seals import of_process
from runtime.server.conference import Conference
from runtime.server.deploy import Deployment, line_format
from runtime.server.keeping import Index
from runtime.server.line import Line
from runtime.server.tokens import LIFETIME_MS, Tokens
from runtime.session.openai import OpenAISession
from runtime.settings import Settings
from runtime.telephony.base import Answerer, Codec, LineCall, StreamStarted

log = structlog.get_logger()

REMEMBERED: Final = 2_000  # calls that are over, so that a late webhook is answered as it should be
Carry = Callable[[Caller, Outside], Awaitable[str]]
Watch = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Held:
    """What a call holds while it lives: its session, the look-up begun for it, its sound where kept."""

    session: OpenAISession
    look_up: context.StartedLookUp | None
    sound: Tracks | None


@dataclass(slots=True)
class LiveCall:
    """One call from its first webhook on. `reason`: why it ended, None while it has not.

    `held` is None once the call has let go of it: many calls that are over are remembered.
    """

    call: LineCall
    deployment: Deployment
    token: str = field(repr=False)
    held: Held | None = field(repr=False)
    record: Path
    answerer: asyncio.Future[Answerer] | None = field(default=None, repr=False)
    consent: str = ""
    line: Line = field(default_factory=Line)
    conference: Conference | None = field(default=None, repr=False)
    tokens_used: set[str] = field(default_factory=set, repr=False)
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    reason: str | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class Calls:
    """Every call of this process, live and over."""

    def __init__(
        self,
        settings: Settings,
        deployments: Mapping[str, Deployment],
        *,
        alerts: Alerts,
        carry: Carry = carry,
        watch: Watch | None = None,
        index: Index | None = None,
        packages: Packages | None = None,
        board: Board | None = None,
        spool: Spool | None = None,
    ) -> None:
        self.settings = settings
        self.deployments = deployments
        self.audio = line_format(settings)
        self.draining = False
        self.alert, self.metrics = alerts, alerts.metrics
        self._carry = carry
        self._watch = watch
        self._index, self._packages, self.board, self._spool = index, packages, board, spool
        # Who brings people onto a call; the line itself where nothing better was set.
        self.ringer: Callable[[LiveCall], Ringer] = lambda live: live.line
        self._tokens = Tokens()
        self._known: OrderedDict[str, LiveCall] = OrderedDict()
        self._live: set[str] = set()
        self._none_live = asyncio.Event()
        self._none_live.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def live(self) -> int:
        """How many calls are not over."""
        return len(self._live)

    @property
    def full(self) -> bool:
        """Whether no further call is taken now."""
        return self.live >= self.settings.limits.calls

    def find(self, call_id: str) -> LiveCall | None:
        """The call with this id, live or over, if it is remembered."""
        return self._known.get(call_id)

    def deployment(self, called_number: str | None) -> Deployment | None:
        """The flow that answers this number: the one the settings name, or the only one there is."""
        flow = self.settings.numbers.get(called_number or "")
        if flow is None and len(self.deployments) == 1:
            return next(iter(self.deployments.values()))
        return self.deployments.get(flow or "")

    def begin(
        self,
        call: LineCall,
        deployment: Deployment,
        *,
        answerer: asyncio.Future[Answerer] | None = None,
        consent: str = "",
    ) -> LiveCall:
        """Admit a call: the model is connected to and the facts are asked for while the phone still rings.

        A call we placed waits for its `answerer`, and its record names the consent it was placed by.
        """
        session = OpenAISession(deployment.session)
        session.connect()
        facts, number = deployment.facts, call.caller_number
        live = LiveCall(
            call=call,
            deployment=deployment,
            answerer=answerer,
            consent=consent,
            token=self.new_token(call),
            held=Held(
                session=session,
                look_up=context.begin(facts, number) if facts and number else None,
                sound=Tracks(self.audio) if self.settings.keep_sound else None,
            ),
            record=self.settings.records / "calls" / f"{call.call_id}.jsonl",
        )
        live.expiry = asyncio.get_running_loop().call_later(LIFETIME_MS / 1000, self.miss, live)
        self._remember(live)
        self._note_begin(live)
        self.metrics.begun.inc()
        log.info("call.answered", call_id=call.call_id, flow=deployment.artifact.flow)
        return live

    def new_token(self, call: LineCall) -> str:
        """A token for one more stream of this call."""
        return self._tokens.make(call.call_id, call.account_id, _now_ms())

    def claim(self, token: str, started: StreamStarted) -> LiveCall | None:
        """The call this token opens, once. None for a token that is forged, old, used, or of another call."""
        live = self._known.get(started.call_id)
        known = self._tokens.check(token, started.call_id, started.account_id, _now_ms())
        if live is None or not known or token in live.tokens_used or live.reason or live.line.over:
            return None
        live.tokens_used.add(token)
        return live

    def take(self, live: LiveCall, codec: Codec) -> None:
        """Carry a call whose first stream has started (and is attached to its line)."""
        if live.expiry:
            live.expiry.cancel()
        if live.held:
            live.task = self.keep(self._hold(live, live.held, codec))

    async def drain(self, within_ms: int) -> None:
        """Take no more calls; wait until the live ones are over, then end what is left."""
        self.draining = True
        try:
            async with asyncio.timeout(within_ms / 1000):
                await self._none_live.wait()
        except TimeoutError:
            self.alert("drain.deadline")
        await self.close()

    async def close(self) -> None:
        """End every call now."""
        self.draining = True
        for live in list(self._known.values()):
            if live.reason is None and live.task is None:
                self.miss(live)
            elif live.reason is None:
                live.line.close(1001)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self.board:
            self.board.close()

    async def _hold(self, live: LiveCall, held: Held, codec: Codec) -> None:
        call = live.call
        reason = "internal_error"
        caller = Caller(call.call_id, call.caller_number, call.called_number, call.direction)
        outside = self._outside(live, held, codec)
        try:
            reason = await self._carry(caller, outside)
        except Exception as error:  # noqa: BLE001 - the outermost loop of a call: the others must go on
            log.error("call.raised", call_id=call.call_id, kind=type(error).__name__)
            self.alert("call.broken", call_id=call.call_id)
            outside.record.end(0, reason, None)
        finally:
            self._over(live, reason, outcome_of(outside.record))
            log.info("call.ended", call_id=call.call_id, reason=reason)
            await self._let_go(live)
            if outside.record.failed:
                self.alert("record.failed", call_id=call.call_id)

    def _outside(self, live: LiveCall, held: Held, codec: Codec) -> Outside:
        deployment = live.deployment
        artifact, call_id = deployment.artifact, live.call.call_id
        header = Header(
            call_id=call_id,
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            artifact_hash=artifact.content_hash,
            flow=artifact.flow,
            flow_version=artifact.flow_version,
        )
        folder = self.settings.records / FOLDER
        lines = Lines(self.alert, self.metrics, call_id, artifact.content_hash)
        record = _Watched(live.record, header, self._watch, lines)
        if live.consent:
            record.note(0, "consent", id=live.consent)
        return Outside(
            artifact=artifact,
            line=live.line,
            codec=codec,
            session=held.session,
            facts=held.look_up or deployment.facts,
            actions=deployment.actions,
            desk=CallDesk(
                call_id,
                folder,
                deployment.destinations,
                self.ringer(live),
                self._packages,
                self.board,
                self._spool,
            ),
            voice=deployment.voice,
            scripts=deployment.scripts,
            record=record,
            recording=held.sound or Unrecorded(),
            answerer=live.answerer,
        )

    def miss(self, live: LiveCall) -> None:
        """The stream never came: the caller hung up while it rang, or the provider could not reach us."""
        if live.task is None and live.reason is None:
            self._over(live, "never_started")
            log.info("call.missed", call_id=live.call.call_id)
            self.keep(self._let_go(live))

    async def _let_go(self, live: LiveCall) -> None:
        if live.expiry:
            live.expiry.cancel()
        live.line.close()
        held, live.held = live.held, None
        if held is None:
            return
        if held.look_up:
            held.look_up.task.cancel()
            await asyncio.gather(held.look_up.task, return_exceptions=True)
        await held.session.close()
        if held.sound and live.task:
            await self._keep_sound(live, held.sound)

    async def _keep_sound(self, live: LiveCall, sound: Tracks) -> None:
        path = live.record.with_suffix(".wav")
        try:
            await asyncio.to_thread(_write_sound, sound, path)
        except OSError as error:
            self.alert("sound.failed", call_id=live.call.call_id, detail=type(error).__name__.lower())

    def _note_begin(self, live: LiveCall) -> None:
        call, artifact = live.call, live.deployment.artifact
        if self._index:
            self._index.begin(
                call_id=call.call_id,
                flow=artifact.flow,
                flow_version=artifact.flow_version,
                artifact=artifact.content_hash,
                caller=call.caller_number,
                called=call.called_number,
                direction=call.direction,
                record=str(live.record),
            )

    def _over(self, live: LiveCall, reason: str, outcome: str | None = None) -> None:
        live.reason = reason
        self.metrics.ended_call(reason)
        if self.board:
            self.board.end_call(live.call.call_id)
        if self._index:
            self._index.end(live.call.call_id, reason, outcome)
        live.ended.set()
        self._live.discard(live.call.call_id)
        self.metrics.live.set(self.live)
        if not self._live:
            self._none_live.set()

    def _remember(self, live: LiveCall) -> None:
        self._known[live.call.call_id] = live
        self._live.add(live.call.call_id)
        self.metrics.live.set(self.live)
        self._none_live.clear()
        if len(self._known) > REMEMBERED:
            oldest = next((call_id for call_id, one in self._known.items() if one.reason), None)
            self._known.pop(oldest or "", None)

    def keep(self, work: Any) -> asyncio.Task[None]:
        """A task of a call, awaited when the process ends."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Watched(Recorder):
    """A record whose lines someone looks at while they are written."""

    def __init__(self, path: Path, header: Header, watch: Watch | None, lines: Lines) -> None:
        self._call_id, self._watch, self._lines = header.call_id, watch, lines
        self.outcome: str | None = None
        super().__init__(path, header)

    def append(self, body: Mapping[str, Any]) -> None:
        super().append(body)
        if isinstance(body.get("effect"), SetOutcome):
            self.outcome = body["effect"].outcome
        self._lines.read(body)
        if self._watch:
            self._watch(self._call_id, body)


def outcome_of(record: Recorder) -> str | None:
    """What a call has led to so far."""
    return record.outcome if isinstance(record, _Watched) else None


class Unrecorded:
    """Implements Recording for calls whose sound is not kept."""

    def caller(self, at_ms: int, payload: str) -> None:
        """Nothing is kept."""

    def assistant(self, at_ms: int, payload: str) -> None:
        """Nothing is kept."""

    def cleared(self, at_ms: int) -> None:
        """Nothing is kept."""


def _write_sound(sound: Tracks, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seals = of_process()
    kept = path if seals is None else path.with_suffix(".wav.sealed")
    kept.touch(mode=0o600)
    kept.write_bytes(sound.wav() if seals is None else seals.seal(sound.wav()))


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
