"""What a worker tells the store of its live calls, behind their backs: whose they are and where they stand.

1. Nothing here holds up a call's sound. States are gathered and kept in one write, the newest alone; what a
   dead worker loses is at most the turn under way.
2. While the store is away calls go on; what is to be kept waits, and is kept when it is back.
3. A call whose owner shows no beat for DEAD_S gets its one end from whichever worker sees that first. No
   clock that somebody may set is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import structlog

from runtime.engine.state import State
from runtime.ports import Alert, OutsideFailure
from runtime.seals import of_process, opened
from runtime.server.hold import Hold
from runtime.server.meeting import Gathering
from runtime.server.reach import AWAY_S, Reach

if TYPE_CHECKING:
    from runtime.server.keeping import Index
    from runtime.store.leases import Answered, Lease, Leases

log = structlog.get_logger()

# What a caller waits for in silence. A machine may be slow; past this the call goes on, or ends, without.
TAKE_S: Final = 0.5  # for a call that was answered here: there is nothing to go on with
TAKE_ELSEWHERE_S: Final = 2.0  # for one that may have a state, and would begin anew without it
FIND_S: Final = 2.0
MEET_S: Final = 0.25  # before people are rung
LEAVE_S, LEAVING = 0.25, 5  # how long another machine may take to say that a stream is over
LATE_S: Final = 4.0  # for a beat
GATHER_S: Final = 0.2
RETRY_S: Final = 1.0
BEAT_S: Final = 4.0
DEAD_S: Final = 20.0
UNSTARTED_S: Final = 40.0  # a call that was answered and whose stream never came to anybody
FORGET_MS: Final = 86_400_000
CLOSE_S: Final = 10.0

T = TypeVar("T")


class Leasing:
    """The leases of one worker's calls. `owner` names the worker and this run of it."""

    def __init__(
        self,
        leases: Leases,
        owner: str,
        *,
        index: Index,
        alert: Alert,
        swept: Callable[[Lease], Awaitable[None]],
        beat_s: float = BEAT_S,
        dead_s: float = DEAD_S,
        away_s: float = AWAY_S,
    ) -> None:
        self.owner = owner
        self._leases, self._index, self._alert, self._swept = leases, index, alert, swept
        self._beat_s, self._dead_s = beat_s, dead_s
        self._changed: dict[str, Hold] = {}
        self._left: dict[str, Hold] = {}
        self._wake, self._writing = asyncio.Event(), asyncio.Lock()
        self._reach = Reach(alert, asyncio.get_running_loop().time, away_s)
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        self._looked_s = 0.0
        self._stopping = asyncio.Event()
        self._asked: set[asyncio.Future[Any]] = set()
        self._tasks = [asyncio.create_task(one) for one in (self._write(), self._beat(), self._sweep())]

    # --- asked while a caller waits ---

    def begin(self, hold: Hold, stands: Callable[[Lease], object]) -> None:
        """A call was answered here. Nobody waits for this: whose it is is decided when its stream comes.
        `stands` is given what the store has of it (another worker may have answered it before).
        """
        task = self._begun(self._leases.begin(hold.answered()))
        task.add_done_callback(lambda done: stands(done.result()) if _well(done) else None)

    async def find(self, call_id: str) -> Lease | None:
        """The lease of a call with all that we know of it; None where there is none or the store is away."""
        return await self._soon(self._find(call_id), "find")

    async def find_left(self, call_id: str) -> Lease | None:
        """The same, once whoever holds the call has said that its stream is over, or a second later: they may
        be on another machine, whose question this was.
        """
        for _ in range(LEAVING):
            lease = await self.find(call_id)
            if lease is None or lease.ended or lease.owner in ("", self.owner):
                break
            await self._pause(LEAVE_S)
        return lease

    async def _find(self, call_id: str) -> Lease | None:
        async with self._writing:
            hold = self._changed.get(call_id)
            if hold is not None:
                await self._write_all([hold])
        return await self._leases.find(call_id)

    async def take(self, call: Answered, hold: Hold | None) -> Lease | None:
        """A stream brought this token: its call's lease, or None when the token opens nothing. `hold`: of a
        call that was answered here. Raises OutsideFailure when the store has not said so in time; what it
        says later fences that call all the same.
        """
        task = self._begun(self._leases.take(call, self.owner))
        try:
            return await self._answer(task, "take", TAKE_ELSEWHERE_S if hold is None else TAKE_S)
        except OutsideFailure:
            if hold is not None:
                task.add_done_callback(lambda done: _fence(hold, done))
            raise

    async def reopen(self, seen: Lease, token: str, *, counts: bool) -> Lease | None:
        """Let a new stream go on with a call; None when somebody else was first, or the store is away."""
        return await self._soon(self._leases.reopen(seen, token, counts=counts), "reopen")

    # --- told, and written when there is time ---

    def keep(self, hold: Hold, at_ms: int, state: State) -> None:
        """Where a call stands now."""
        hold.at_ms, hold.state = at_ms, state
        self._put(hold)

    async def meet(self, hold: Hold, gathering: Gathering | None) -> None:
        """Whom a caller is being brought to (None: nobody any more), kept before anything relies on it, if
        the store takes it soon.
        """
        hold.room = gathering.written(self._leases.clock()) if gathering else ""
        self._put(hold)
        await self._soon(self._write_one(hold), "meet", MEET_S)

    async def _write_one(self, hold: Hold) -> None:
        async with self._writing:
            await self._write_all([hold])

    def over(self, hold: Hold, reason: str, outcome: str | None, *, planned: bool) -> None:
        """The stream of a call is over; unplanned, somebody may still go on with the call."""
        hold.over = (reason, outcome, planned)
        if not planned:
            self._left[hold.call_id] = hold
        self._put(hold)

    def finish(self, call_id: str) -> None:
        """The provider says that the call is over: nobody will go on with it."""
        hold = self._left.pop(call_id, None)
        if hold is not None and hold.over is not None:
            reason, outcome, _ = hold.over
            self.over(hold, reason, outcome, planned=True)

    async def flush(self) -> None:
        """Wait until all that was told is written, if the store takes it soon."""
        try:
            async with asyncio.timeout(CLOSE_S):
                async with self._writing:
                    await self._write_all(list(self._changed.values()))
        except (OutsideFailure, TimeoutError):
            log.error("leases.lost", calls=len(self._changed))

    async def close(self) -> None:
        """End what was left with nobody to go on with it, write what waits, and stop."""
        if self._stopping.is_set():
            return
        await self.flush()
        for call_id, hold in list(self._left.items()):
            if hold.fence is not None and hold.over is not None:
                await self._end_left(call_id, hold.fence, hold.over)
        self._stopping.set()
        self._wake.set()
        working = {*self._tasks, *self._asked}
        _, late = await asyncio.wait(working, timeout=CLOSE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _end_left(self, call_id: str, fence: int, over: tuple[str, str | None, bool]) -> None:
        try:
            if await self._leases.end(call_id, fence, over[0]):
                self._index.end(call_id, over[0], over[1])
        except OutsideFailure as failure:
            log.warning("lease.unended", reason=failure.reason)

    # --- the writer ---

    def _put(self, hold: Hold) -> None:
        self._changed[hold.call_id] = hold
        self._wake.set()

    async def _write(self) -> None:
        while await self._woken():
            try:
                async with self._writing:
                    await self._write_all(list(self._changed.values()))
                self._reach.answered()
            except OutsideFailure as failure:
                self._reach.failed(failure.reason)
                self._wake.set()
                await self._pause(RETRY_S)

    async def _woken(self) -> bool:
        await self._wake.wait()
        self._wake.clear()
        return await self._pause(GATHER_S)

    async def _write_all(self, batch: list[Hold]) -> None:
        from runtime.store.leases import Kept

        for hold in batch:
            if hold.fence is None and not await self._adopt(hold):
                self._changed.pop(hold.call_id, None)
                self._lost(hold)
        held = [hold for hold in batch if hold.fence is not None]
        states = {hold.call_id: hold.state for hold in held if hold.state is not None}
        kept = [
            Kept(hold.call_id, hold.fence or 0, hold.at_ms, hold.kept_state(state), hold.room)
            for hold in held
            if (state := states.get(hold.call_id)) is not None
        ]
        gone = set(await self._leases.keep(kept)) if kept else set()
        for hold in held:
            over = hold.over
            if over is not None:
                await self._write_end(hold)
            elif hold.call_id in gone:
                self._lost(hold)
            same = hold.over is over and hold.state is states.get(hold.call_id)
            if same and self._changed.get(hold.call_id) is hold:
                del self._changed[hold.call_id]

    def _lost(self, hold: Hold) -> None:
        """Somebody else has this call."""
        if hold.over is None:
            self._alert("call.superseded", call_id=hold.call_id)
            hold.superseded()

    async def _adopt(self, hold: Hold) -> bool:
        """Have a call by its lease that began while the store was away, or was slow to say whose it is."""
        lease = await self._leases.take(hold.answered(), self.owner)
        if lease is None:
            stands = await self._leases.find(hold.call_id)
            lease = stands if stands and stands.owner == self.owner and not stands.ended else None
        hold.fence = lease.fence if lease else None
        return lease is not None

    async def _write_end(self, hold: Hold) -> None:
        assert hold.over is not None
        reason, outcome, planned = hold.over
        if not planned:
            await self._leases.leave(hold.call_id, hold.fence or 0, reason, outcome)
        elif await self._leases.end(hold.call_id, hold.fence or 0, reason) or await self._ended(hold):
            self._index.end(hold.call_id, reason, outcome)

    async def _ended(self, hold: Hold) -> bool:
        """Whether a call is over by our own fence: the answer to its end was lost, and it is told again."""
        lease = await self._leases.find(hold.call_id)
        return lease is not None and lease.ended and lease.fence == hold.fence

    # --- who lives ---

    async def _beat(self) -> None:
        going = True
        while going:
            await self._ask(self._leases.beat(self.owner), "beat")
            going = await self._pause(self._beat_s)

    async def _sweep(self) -> None:
        while await self._pause(self._dead_s / 4):
            await self._ask(self._swept_once(), "sweep")

    async def _swept_once(self) -> None:
        live = {lease.call_id: lease for lease in await self._leases.live()}
        now = asyncio.get_running_loop().time()
        if now - self._looked_s > self._dead_s / 2:
            # The store was away, or we stood still: nobody could show a beat, or we could not see any.
            self._seen.clear()
        self._looked_s = now
        self._seen = {call_id: one for call_id, one in self._seen.items() if call_id in live}
        for lease in live.values():
            beat, since = self._seen.get(lease.call_id, ((-1, -1), now))
            if beat != (lease.fence, lease.beat):
                self._seen[lease.call_id] = ((lease.fence, lease.beat), now)
            elif now - since > (UNSTARTED_S if lease.expects else self._dead_s):
                await self._bury(lease)
        await self._leases.forget(self._leases.clock() - FORGET_MS)

    async def _bury(self, lease: Lease) -> None:
        """Nobody carries this call, and nobody asked to go on with it: say how it ended, once. A caller whom
        it left with a person, and who stayed, was handed over.
        """
        if lease.room and Gathering.read(lease.room).sent:
            if self.met(lease):
                await self.handed_over(lease)
            return
        reason = lease.reason or ("never_started" if lease.expects else "worker_lost")
        if await self._end_for(lease, reason, lease.outcome) and reason == "worker_lost":
            self._alert("call.lost", call_id=lease.call_id)

    def met(self, lease: Lease) -> bool:
        """Whether this call's caller has been with a person for the least time a talk takes."""
        return bool(lease.room) and Gathering.read(lease.room).met(self._leases.clock())

    async def handed_over(self, lease: Lease) -> None:
        """End a call whose caller has a person, and whose worker is gone."""
        outcome = lease.outcome
        if lease.state is not None and not lease.ended:
            stood = msgspec.json.decode(opened(lease.state.encode(), of_process()), type=_Stood)
            outcome = f"handoff:{stood.handoff}" if stood.handoff else outcome
        await self._end_for(lease, "transferred", outcome)

    async def _end_for(self, lease: Lease, reason: str, outcome: str | None) -> bool:
        """End a call of another's, in the store, the index and its record; False: somebody else has."""
        if not await self._leases.end(lease.call_id, lease.fence, reason):
            return False
        self._left.pop(lease.call_id, None)
        self._index.end(lease.call_id, reason, outcome)
        await self._swept(replace(lease, reason=reason))
        return True

    async def _ask(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Have this done, however long it takes: it is told meanwhile that the store is slow."""
        task = self._begun(work)
        while not task.done():
            await asyncio.wait({task}, timeout=LATE_S)
            if not task.done():
                self._reach.failed(what)

    async def _soon(
        self, work: Coroutine[Any, Any, T | None], what: str, within_s: float = FIND_S
    ) -> T | None:
        """The store's answer, if it comes soon; what was begun is finished all the same."""
        try:
            return await self._answer(self._begun(work), what, within_s)
        except OutsideFailure:
            return None

    async def _answer(self, task: asyncio.Task[T], what: str, within_s: float) -> T:
        """What comes of it. Raises OutsideFailure, also when that takes too long."""
        await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            await asyncio.sleep(0)  # a loop that stood still hears of the answer and of the time at once
        if task.done():
            return task.result()
        self._reach.failed(what)
        raise OutsideFailure("timeout")

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Work that is finished though nobody waits for it any more: a connection must not be torn away."""
        task = asyncio.create_task(work)
        self._asked.add(task)
        task.add_done_callback(self._heard)
        return task

    def _heard(self, task: asyncio.Future[Any]) -> None:
        self._asked.discard(task)
        if task.cancelled():
            return
        match task.exception():
            case None:
                self._reach.answered()
            case OutsideFailure() as failure:
                self._reach.failed(failure.reason)
            case error:
                log.error("lease.raised", kind=type(error).__name__)

    async def _pause(self, seconds: float) -> bool:
        """Wait so long; False: it is time to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return True
        return False


class _Stood(msgspec.Struct):
    """What a kept state says of where the call stood."""

    handoff: str = ""


def _well(task: asyncio.Future[Any]) -> bool:
    return not task.cancelled() and task.exception() is None


def _fence(hold: Hold, task: asyncio.Future[Lease | None]) -> None:
    """A lease that came late is the call's fence, unless the writer has seen to that already."""
    lease = task.result() if _well(task) else None
    if lease is not None and hold.fence is None:
        hold.fence = lease.fence
