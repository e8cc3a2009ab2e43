"""The calls of one process: admitted when the telephone rings, let in by token, carried by the bridge,
remembered when over.

1. One call id is one call: a webhook that comes twice gets the same answer, and no second call begins.
2. Nothing of one call is reachable from another: each has its own line, session and record.
3. A call that was answered and whose stream never comes is let go.
4. Any worker may get the stream of a call that another one answered: the token says what is needed, and the
   lease lets one of them have it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from runtime.alerts import Alerts
from runtime.call import Caller, Outside, carry
from runtime.handoff import Board, Ringer, Spool
from runtime.ports import OutsideFailure, Packages, Undoing, Watch
from runtime.server.carrying import Carrying
from runtime.server.deploy import Deployment, line_format
from runtime.server.hold import Hold
from runtime.server.keeping import Index
from runtime.server.language import chosen
from runtime.server.leasing import Leasing
from runtime.server.live import (
    PLANNED,
    Held,
    LiveCall,
    Watched,
    answered_of,
    told_of,
    was_cancelled,
)
from runtime.server.pulse import Pulse
from runtime.server.tokens import LIFETIME_MS, Opens, Tokens, call_of, now_ms
from runtime.server.weight import Weight
from runtime.settings import Settings
from runtime.telephony.base import Answerer, Codec, LineCall, StreamStarted
from runtime.writing import DISK, Disk

if TYPE_CHECKING:
    from runtime.store.leases import Lease

log = structlog.get_logger()

SHORT: Final = 16  # characters of a content hash in a token, whose length is bounded
LEAVE_S: Final = 15.0  # for calls that leave at a turn boundary
REMEMBERED: Final = 2_000  # calls that are over, so that a late webhook is answered as it should be
Carry = Callable[[Caller, Outside], Awaitable[str]]
Find = Callable[[str], Awaitable[Deployment | None]]


class Calls:
    """Every call of this process, live and over.

    `alone`: every stream comes here, so that the model is connected to and the facts are asked for while the
    phone still rings. `find_deployment`: a flow by its content hash, served now or before.
    """

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
        undoing: Undoing | None = None,
        tokens: Tokens | None = None,
        find_deployment: Find | None = None,
        alone: bool = True,
        disk: Disk = DISK,
    ) -> None:
        self.settings = settings
        self.deployments = deployments
        self.audio = line_format(settings)
        self.draining = False
        self.alert, self.metrics = alerts, alerts.metrics
        self.leasing: Leasing | None = None
        self.pulse: Pulse | None = None
        self.weight: Weight | None = None
        self._carry = carry
        self._index, self.board = index, board
        self._carrying = Carrying(settings, alerts, watch, packages, board, spool, undoing, disk)
        self.released: Callable[[], object] = lambda: None  # called when a call has let go of all it held
        # Who brings people onto a call; by itself the line.
        self.ringer: Callable[[LiveCall], Ringer] = lambda live: live.line
        self._tokens = tokens or Tokens()
        self._find_deployment, self.alone = find_deployment, alone
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

    async def bury(self, call_id: str, part: int, reason: str) -> None:
        """Give what a dead process left of a call its end."""
        await self._carrying.bury(self._carrying.record(call_id, part), reason)

    def find(self, call_id: str) -> LiveCall | None:
        """The call with this id, live or over, if it is remembered."""
        return self._known.get(call_id)

    def runs_on(self, deployment: Deployment) -> bool:
        """Whether a live call needs this flow, in any of its locales."""
        held = (self._known[call_id].language for call_id in self._live if call_id in self._known)
        return any(one is not None and one.deployment.actions is deployment.actions for one in held)

    def deployment(self, called_number: str | None) -> Deployment | None:
        """The flow that answers this number: the one the settings name, or the only one there is."""
        flow = self.settings.numbers.get(called_number or "")
        if flow is None and len(self.deployments) == 1:
            return next(iter(self.deployments.values()))
        return self.deployments.get(flow or "")

    async def deployment_of(self, flow: str, content_hash: str) -> Deployment | None:
        """The flow a call began with, by the first SHORT characters of its hash at least."""
        served = self.deployments.get(flow)
        if served is not None and served.artifact.content_hash.startswith(content_hash):
            return served
        return await self._find_deployment(content_hash) if self._find_deployment else None

    # --- admitted ---

    def begin(
        self,
        call: LineCall,
        deployment: Deployment,
        *,
        answerer: asyncio.Future[Answerer] | None = None,
        consent: str = "",
    ) -> LiveCall:
        """Admit a call. A call we placed waits for its `answerer`, and its record names the consent it was
        placed by.
        """
        artifact = deployment.artifact
        token = self.new_token(call, artifact.flow, artifact.content_hash)
        live = self._new(call, deployment, token, consent=consent)
        live.answerer = answerer
        if self.alone:
            live.held = self._carrying.open(live)
        self._remember(live)
        if self.leasing and live.hold:
            self.leasing.begin(live.hold, lambda lease: self._stands(live, lease))
        if self._index:
            self._index.begin(call, artifact, live.record)
        self.metrics.begun.inc()
        live.log_answered(self.settings.privacy_key)
        return live

    def _stands(self, live: LiveCall, lease: Lease) -> None:
        """What the store had of a call that was answered here: it may be over, or another worker's."""
        ours = self.leasing is not None and lease.owner == self.leasing.owner
        if live.reason is None and (lease.ended or not (lease.expects or ours)):
            self.drop(live)

    def new_token(self, call: LineCall, flow: str, content_hash: str, *, owner: str = "") -> str:
        """A token for one more stream of this call; `owner`: only there, since the call is live there."""
        return self._tokens.make(call, now_ms(), flow=flow, artifact=content_hash[:SHORT], owner=owner)

    def another_token(self, live: LiveCall) -> str:
        """A token for the stream that brings a caller back to this call."""
        owner = self.leasing.owner if self.leasing else "-"
        return self.new_token(live.call, live.flow, live.artifact, owner=owner)

    def read_token(self, token: str, started: StreamStarted) -> Opens | None:
        """What a stream's token is for, when it is one of ours and of this call."""
        return self._tokens.read(token, started.call_id, started.account_id, now_ms())

    # --- let in ---

    async def claim(self, token: str, started: StreamStarted) -> LiveCall | None:
        """The call this token opens, once. None for a token that is forged, old, used, or of another call."""
        opens = self.read_token(token, started)
        live = self._known.get(started.call_id)
        if opens is None or (live is not None and token in live.tokens_used):
            return None
        if opens.owner:
            return self._claim_back(live, token)
        if live is not None and live.reason is None:
            if live.task is not None or live.line.over:
                return None
            live.tokens_used.add(token)
        return await self._take(live, opens, token, started)

    def _claim_back(self, live: LiveCall | None, token: str) -> LiveCall | None:
        if live is None or live.reason or live.line.over:
            return None
        live.tokens_used.add(token)
        return live

    async def _take(
        self, live: LiveCall | None, opens: Opens, token: str, started: StreamStarted
    ) -> LiveCall | None:
        """Have the call by its lease; while the store is away the token alone decides."""
        lease = None
        if self.leasing is not None:
            known = live.hold if live is not None and live.reason is None else None
            try:
                call = call_of(opens, started.call_id, started.account_id)
                lease = await self.leasing.take(answered_of(opens, token, call, known), known)
            except OutsideFailure as failure:
                log.info("lease.not_taken", call_id=started.call_id, reason=failure.reason)
            else:
                if lease is None:
                    return None
        if live is None or live.reason is not None:
            live = await self._arrived(opens, token, started)
        if live is None or live.task is not None:
            return None
        if lease is not None:
            live.have(lease)
            if lease.fence > 1:
                live.record = self._carrying.next_part(started.call_id, lease.fence)
            if live.resumed is not None:
                self.alert("call.resumed", call_id=started.call_id)
        if live.held is None:
            live.held = self._carrying.open(live)
        return live

    async def _arrived(self, opens: Opens, token: str, started: StreamStarted) -> LiveCall | None:
        """A call that another worker answered, or that goes on here."""
        deployment = await self.deployment_of(opens.flow, opens.artifact)
        if deployment is None:
            return None
        live = self._new(call_of(opens, started.call_id, started.account_id), deployment, token)
        live.tokens_used.add(token)
        self._remember(live)
        return live

    def take(self, live: LiveCall, codec: Codec) -> None:
        """Carry a call whose first stream has started (and is attached to its line)."""
        if live.expiry:
            live.expiry.cancel()
        if live.held:
            live.task = self.keep(self._hold(live, live.held, codec))

    # --- over ---

    async def drain(self, within_ms: int, *, leave_s: float = LEAVE_S) -> None:
        """Take no more calls; wait until the live ones are over, then let the others leave through the net,
        each at a turn boundary.
        """
        self.draining = True
        if await self._empty(within_ms / 1000):
            return
        self.alert("drain.deadline")
        for live in list(self._known.values()):
            live.leave.set()
        if not await self._empty(leave_s):
            await self._end_all()

    async def _empty(self, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._none_live.wait()
        return not self._live

    async def close(self) -> None:
        """End every call now."""
        await self._end_all()
        if self.board:
            self.board.close()
        if self.leasing:
            await self.leasing.close()

    async def _end_all(self) -> None:
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

    async def _hold(self, live: LiveCall, held: Held, codec: Codec) -> None:
        call = live.call
        reason = "internal_error"
        caller = Caller(call.call_id, call.caller_number, call.called_number, call.direction)
        held = await self._carrying.in_language(live, held)
        outside = self._carrying.outside(live, held, codec, self.leasing, self.ringer(live))
        try:
            reason = await self._carry(caller, outside)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit) or was_cancelled():
                raise
            log.error("call.raised", call_id=call.call_id, kind=type(error).__name__)
            self.alert("call.broken", call_id=call.call_id)
        finally:
            outside.record.end(0, reason, None)  # where the call could not do it itself
            outcome = outside.record.outcome if isinstance(outside.record, Watched) else None
            self._over(live, reason, outcome, hung_up=codec.at_close != "caller_hangup")
            log.info("call.ended", call_id=call.call_id, reason=reason)
            await self._carrying.let_go(live)
            self.released()
            if outside.record.failed and isinstance(outside.record, Watched):
                outside.record.tell_refused()

    def miss(self, live: LiveCall) -> None:
        """The stream never came: the caller hung up while it rang, or the provider could not reach us."""
        if live.task is None and live.reason is None:
            self._over(live, "never_started")
            log.info("call.missed", call_id=live.call.call_id)
            self.keep(self._carrying.let_go(live))

    def drop(self, live: LiveCall) -> None:
        """Forget a call that is another worker's."""
        if live.task is None:
            if live.expiry:
                live.expiry.cancel()
            self._known.pop(live.call.call_id, None)
            self._forget(live)

    async def _expired(self, live: LiveCall) -> None:
        """No stream came here: it may have come to another worker."""
        lease = await self.leasing.find(live.call.call_id) if self.leasing and not self.alone else None
        if lease is not None and not lease.expects:
            self.drop(live)
        else:
            self.miss(live)

    def _over(self, live: LiveCall, reason: str, outcome: str | None = None, *, hung_up: bool = True) -> None:
        live.reason = reason
        self.metrics.ended_call(reason)
        if self.board:
            self.board.end_call(live.call.call_id)
        # Where a line says no good-bye, a caller who hung up may still be there: the provider tells.
        planned = reason in PLANNED and (hung_up or reason != "caller_hangup")
        if self.leasing and live.hold:
            self.leasing.over(live.hold, reason, outcome, planned=planned)
        elif self._index:
            self._index.end(live.call.call_id, reason, outcome)
        live.ended.set()
        self._forget(live)

    def _forget(self, live: LiveCall) -> None:
        self._live.discard(live.call.call_id)
        self.metrics.live.set(self.live)
        if not self._live:
            self._none_live.set()

    # --- the parts of a call ---

    def _new(self, call: LineCall, deployment: Deployment, token: str, *, consent: str = "") -> LiveCall:
        live = LiveCall(
            call=call,
            flow=deployment.artifact.flow,
            artifact=deployment.artifact.content_hash,
            language=chosen(deployment, self.settings, call),
            token=token,
            record=self._carrying.record(call.call_id, 1),
            consent=consent,
        )
        if self.leasing:
            lost = lambda: live.line.close(1001)  # noqa: E731
            live.hold = Hold(call.call_id, deployment.artifact, told_of(call, consent), token, lost)
        live.expiry = asyncio.get_running_loop().call_later(
            LIFETIME_MS / 1000, lambda: self.keep(self._expired(live))
        )
        return live

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
