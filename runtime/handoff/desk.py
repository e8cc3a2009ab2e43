"""One call's desk: its packages brought to a person's side, and the person brought onto the line.

1. A package is checked, written and synced to the disk before it counts as delivered; each required channel
   must have acknowledged it too.
2. A closed desk, and one without a number to ring, is told before anything is promised: the package is passed
   on all the same.
3. Whom to ring stands in the settings.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from runtime.engine.effects import DeliverPackage, Transfer
from runtime.handoff.board import Board, Waiting
from runtime.handoff.channels import Delivery
from runtime.handoff.channels.folder import file_name, write_file
from runtime.handoff.destinations import Destination, Way
from runtime.handoff.package import Package, check_package
from runtime.handoff.spool import Spool, send
from runtime.ports import OutsideFailure, Packages, Tell
from runtime.seals import of_process, sealed

log = structlog.get_logger()

FOLDER: Final = "handoffs"
WHISPER_CHARACTERS: Final = 400
LEAST_RING_MS: Final = 10_000


@dataclass(slots=True)  # not frozen: the port's attributes may be set
class Transferred:
    """How a transfer went.

    `result`: accepted, refused, unanswered; `reason` as in runtime.ports.TransferResult.
    """

    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """Whom to ring while the caller waits.

    `whisper`: what the person hears and must accept; None: joined at once. `others`: whom to ring after
    `number`, in order, while nobody takes the call. `timeout_ms`: how long each is rung. `least_talk_ms`: a
    person who leaves sooner has not had the call. `detect`: have the network judge whether a machine picked
    up. `refer`: the caller is sent on by SIP, and does not come back.
    """

    number: str
    timeout_ms: int
    whisper: str | None = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    least_talk_ms: int = 0
    detect: bool = False
    refer: bool = False


class Ringer(Protocol):
    """Whoever can bring a person onto this call's line."""

    async def ring(self, ring: Ring, tell: Tell) -> Transferred:
        """Ring until a person has the caller, or nobody does. `tell` is told the steps of
        runtime.ports.Desk.transfer.
        """
        ...

    async def join(self) -> None:
        """Bring the caller to the person who waits for them."""
        ...

    def person_answered_elsewhere(self, *, accepted: bool) -> None:
        """The person said on a page whether they take the call."""
        ...

    def give_up(self) -> None: ...


@dataclass(slots=True)
class CallDesk:
    """The human side of one call, as the call sees it (runtime.ports.Desk).

    `packages`: the store; `board`: the open desk pages; `spool`: what is sent again; each if there is one.
    `desk_url`: where a package's link begins.
    """

    call_id: str
    folder: Path
    destinations: Mapping[str, Destination]
    line: Ringer
    packages: Packages | None = None
    board: Board | None = None
    spool: Spool | None = None
    desk_url: str = ""
    clock: Callable[[], float] = time.time
    _packages: dict[str, Package] = field(default_factory=dict, repr=False)

    async def deliver(self, order: DeliverPackage) -> str:
        """Keep the package and bring it to every channel; returns the receipt. Raises OutsideFailure."""
        package = check_package(order.package)
        content = msgspec.json.format(msgspec.json.encode(order.package, order="sorted"), indent=2) + b"\n"
        await write_file(
            self.folder / f"{file_name(self.call_id, order.handoff_id)}.json", sealed(content, of_process())
        )
        if self.packages:
            await self.packages.keep_package(self.call_id, order.handoff_id, order.handoff, content)
        destination = self.destinations.get(order.handoff, Destination(()))
        is_open = bool(destination.numbers) and destination.hours.open_at(self.clock())
        waiting = self._post(order) if is_open else None
        link = f"{self.desk_url}/{waiting.key}" if waiting and self.desk_url else ""
        delivery = Delivery(
            self.call_id, order.handoff_id, order.handoff, order.package, content, waiting, link
        )
        try:
            receipts = await self._send(destination.ways, delivery, is_open=is_open)
        except BaseException:
            self._end(order.handoff_id, "undelivered")
            raise
        if not is_open:
            raise OutsideFailure("closed" if destination.numbers else "nobody_to_ring")
        receipt = next(filter(None, receipts), hashlib.sha256(content).hexdigest()[:16])
        if self.packages:
            await self.packages.acknowledge_package(self.call_id, order.handoff_id, receipt)
        self._packages[order.handoff_id] = package
        return receipt

    async def transfer(self, order: Transfer, tell: Tell) -> Transferred:
        """Ring the people the settings name for this handoff. With nobody to ring: unanswered, closed."""
        destination = self.destinations.get(order.handoff)
        if destination is None or not destination.numbers or not destination.hours.open_at(self.clock()):
            self._end(order.handoff_id, "closed")
            return Transferred("unanswered", "closed")
        waiting = self._waiting(order.handoff_id)
        if waiting and waiting.place == "declined":
            self._end(order.handoff_id, "declined")
            return Transferred("refused", "declined")
        ring = self._ring(order, destination, waiting)
        if waiting and self.board:
            self.board.ring(waiting, self._answered)
        went = Transferred("unanswered", "failed")
        try:
            went = await self.line.ring(ring, tell)
        finally:
            if waiting and self.board:
                if went.result == "accepted":
                    self.board.joined(waiting)
                else:
                    self.board.end(waiting, went.reason)
        return went

    async def join(self, handoff_id: str) -> None:
        """Bring the caller to the person who waits for them."""
        await self.line.join()

    async def give_up(self, handoff_id: str) -> None:
        """Whoever picks up from now on is not joined to the caller."""
        self._end(handoff_id, "too_late")
        self.line.give_up()

    async def _send(self, ways: tuple[Way, ...], delivery: Delivery, *, is_open: bool) -> list[str]:
        """Bring it to every channel; the receipts of the required ones. Raises OutsideFailure."""
        required = [way for way in ways if way.required and is_open]
        for way in ways:
            if way not in required and self.spool:
                self.spool.begin(way, delivery)
            elif way not in required and is_open:
                log.warning("handoff.unspooled", channel=way.name)
        sent = await asyncio.gather(*(self._now(way, delivery) for way in required), return_exceptions=True)
        for one in sent:
            if isinstance(one, BaseException):
                raise one
        return [one for one in sent if isinstance(one, str)]

    async def _now(self, way: Way, delivery: Delivery) -> str:
        return await (self.spool.send(way, delivery) if self.spool else send(way.channel, delivery))

    def _ring(self, order: Transfer, destination: Destination, waiting: Waiting | None) -> Ring:
        first, *others = destination.numbers
        each = max(order.timeout_ms // len(destination.numbers), min(LEAST_RING_MS, order.timeout_ms))
        # Whoever accepted on a page has read the package: they need no whisper and no key.
        taken = waiting is not None and waiting.place == "accepted"
        whisper = self._whisper(order.handoff_id) if order.mode == "warm" and not taken else None
        return Ring(
            first,
            each,
            whisper,
            tuple(others),
            least_talk_ms=destination.least_talk_ms,
            detect=destination.detect,
            refer=destination.refer,
        )

    def _post(self, order: DeliverPackage) -> Waiting | None:
        if self.board is None:
            return None
        return self.board.post(self.call_id, order.handoff_id, order.handoff, order.package)

    def _waiting(self, handoff_id: str) -> Waiting | None:
        found = self.board.of_call(self.call_id, handoff_id) if self.board else []
        return found[0] if found else None

    def _end(self, handoff_id: str, why: str) -> None:
        waiting = self._waiting(handoff_id)
        if waiting and self.board:
            self.board.end(waiting, why)

    def _answered(self, waiting: Waiting) -> None:
        self.line.person_answered_elsewhere(accepted=waiting.place == "accepted")

    def _whisper(self, handoff_id: str) -> str:
        package = self._packages.get(handoff_id)
        told = " ".join(part for part in (package.reason, package.summary) if part) if package else ""
        return f"A caller for you. {told[:WHISPER_CHARACTERS]} Press 1 to take the call."
