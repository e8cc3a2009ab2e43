"""The line of one call: one media socket to the bridge, though a transfer may end a stream and begin another.

1. While the network itself rings a person (`ring`), or the caller is away with one (`let_go`), there is no
   stream: nothing is received, and what is sent is dropped, since nobody hears it.
2. A transfer that failed is told only once the caller is back, so that what is said next is heard.
3. A person who accepted has the caller once they stayed for the least time a talk takes; from then on, until
   the bridge closes the line, nothing more is received. Whoever leaves sooner brings the caller back.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from runtime.handoff import Ring, Tell, Transferred
from runtime.telephony.base import Dialled, MediaSocket
from runtime.websocket import Message, Take, nobody, nothing

ASKED_MS: Final = 10_000  # how soon the provider asks what to do once a stream has ended, and comes back
WHISPER_MS: Final = 45_000  # how long a person may take to hear the whisper and press a key


@dataclass(slots=True)
class _Transfer:
    ring: Ring
    tell: Tell
    result: "asyncio.Future[Transferred]"
    limit: asyncio.Timeout
    left: deque[str] = field(default_factory=deque, repr=False)
    dialled: bool = False
    answered: bool = False
    accepted: bool = False
    refused: bool = False
    joined: bool = False
    failed: Transferred | None = None


class Line:
    """Implements MediaSocket for the bridge, Ringer for the desk, and answers what the webhooks ask."""

    def __init__(self) -> None:
        self._stream: MediaSocket | None = None
        self._transfer: _Transfer | None = None
        self._early: deque[Message | None] = deque()
        self._take: Take = self._early.append
        self._flow: Callable[[], None] = nothing
        self._over = False
        self._joined = False
        self._away: str | None = None
        self.back = asyncio.Event()
        # Asked when a ring under way has become pointless; whoever has a faster way back takes it.
        self.recall: Callable[[], object] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will ever come again."""
        return self._over

    @property
    def ringing(self) -> bool:
        """Whether a person is being rung (or is about to be)."""
        return self._transfer is not None

    @property
    def streaming(self) -> bool:
        """Whether the caller hears us now."""
        return self._stream is not None

    @property
    def away(self) -> str | None:
        """The document for a caller on their way to a person; None for any other."""
        return self._away

    @property
    def joined(self) -> bool:
        """Whether a person has the caller."""
        return self._joined

    def attach(self, socket: MediaSocket, start: Message | None) -> None:
        """Take a stream's socket. `start`: a message not yet decoded."""
        self._release()
        self._stream = socket
        if start is not None:
            self._take(start)
        transfer, self._transfer = self._transfer, None
        if transfer and not transfer.result.done():
            transfer.result.set_result(transfer.failed or _recalled(transfer))
        self._away = None
        self.back.set()
        socket.listen(self._hearing(socket), self._flowing)

    # --- for the bridge ---

    @property
    def full(self) -> bool:
        """Whether the carrier takes nothing at the moment."""
        return self._stream is not None and self._stream.full

    def listen(self, take: Take, flow: Callable[[], None]) -> None:
        """Hand on every message of whatever stream there is, and None once the line is gone."""
        if not self._over:
            self._take, self._flow = take, flow
        while self._early:
            take(self._early.popleft())

    def send(self, message: Message) -> None:
        """Put a message on the stream, where there is one."""
        if self._stream is not None:
            self._stream.send(message)

    def close(self, code: int = 1000) -> None:
        """End the line for good."""
        self._release(code)
        self._finish()

    # --- for the desk ---

    async def ring(self, ring: Ring, tell: Tell) -> Transferred:
        """Have the network ring a person; back once they have the caller, or the caller is back with us, or
        the line is gone.
        """
        if self._over or self._stream is None or self._transfer:
            return Transferred("unanswered", "failed")
        tell("away")
        result: asyncio.Future[Transferred] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ASKED_MS / 1000) as limit:
                self._transfer = _Transfer(ring, tell, result, limit, deque(ring.others))
                # A stream that ended is the provider's cue to ask what to do next: the answer is to dial.
                self._release()
                outcome = await result
        except TimeoutError:
            settled = self._joined and not self._over
            outcome = Transferred("accepted") if settled else Transferred("unanswered", "failed")
            if not settled:
                self._finish()
        except asyncio.CancelledError:
            # Nobody waits for the person any more, but the caller is still with the provider and comes back.
            self.give_up()
            raise
        self._transfer = None
        return outcome

    def person_answered_elsewhere(self, *, accepted: bool) -> None:
        """The person said on a page whether they take the call; it counts when they pick up, or have."""
        if self._transfer:
            self._transfer.accepted = accepted
            if not accepted:
                self.give_up()

    def give_up(self) -> None:
        """Whoever presses a key from now on is too late."""
        transfer = self._transfer
        if transfer and not self._joined and not transfer.refused:
            transfer.refused = True
            if transfer.dialled and not transfer.failed and self.recall:
                self.recall()

    async def join(self) -> None:
        """The network joins whom it rings."""

    # --- for whoever takes the caller to a person in a conference ---

    def let_go(self, document: str) -> None:
        """The caller leaves for a person: a stream that ends from now on does not end the line."""
        self._away = document
        self.back.clear()

    def drop_stream(self) -> None:
        """End the stream, so that the provider asks what comes next."""
        self._release()

    def stay(self) -> None:
        """The caller does not leave after all; a line whose stream has gone meanwhile is over."""
        self._away = None
        if self._stream is None and not self._joined:
            self._finish()

    def settle(self) -> None:
        """A person has the caller for good."""
        self._joined, self._away = True, None

    def caller_gone(self) -> None:
        """The caller hung up while they were away."""
        if self._stream is None:
            self._finish()

    # --- for the webhooks ---

    def dial(self) -> Ring | None:
        """Whom to dial now, None when no transfer is under way."""
        if self._transfer is None or self._transfer.result.done():
            return None
        if self._transfer.refused:
            return None
        self._transfer.dialled = True
        self._extend(self._transfer.ring.timeout_ms + WHISPER_MS + ASKED_MS)
        return self._transfer.ring

    def refused_early(self) -> bool:
        """Whether the person declined (or the transfer was given up) before anybody was dialled: the caller
        comes straight back.
        """
        transfer = self._transfer
        if transfer is None or not transfer.refused or transfer.dialled or self._over:
            return False
        self._extend(ASKED_MS)
        return True

    def person_answered(self) -> str | None:
        """A person picked up: the words for their ear, "" when they are joined at once, None when it is
        too late.
        """
        transfer = self._transfer
        if transfer is None or transfer.refused or transfer.failed or self._over:
            return None
        transfer.answered = True
        if transfer.ring.whisper is None or transfer.accepted:
            self._join(transfer)
            return ""
        return transfer.ring.whisper

    def person_pressed(self, digit: str) -> bool:
        """Whether the person is joined to the caller: they pressed 1, or nothing and had accepted on a page,
        and it was not too late.
        """
        transfer = self._transfer
        taken = transfer is not None and transfer.accepted and not digit
        late = transfer is None or transfer.refused or transfer.failed or self._over
        if transfer is None or late or not (digit == "1" or taken):
            if transfer and digit:
                transfer.refused = True
            return False
        self._join(transfer)
        return True

    def dial_next(self, *, caller_gone: bool) -> Ring | None:
        """Whom to dial after somebody who did not take the call; None when there is nobody else, or the time
        for it is over.
        """
        transfer = self._transfer
        if transfer is None or transfer.result.done() or transfer.refused or self._over or self._joined:
            return None
        if caller_gone or not transfer.left:
            return None
        transfer.ring = replace(transfer.ring, number=transfer.left.popleft())
        transfer.answered = False
        return self.dial()

    def dial_ended(self, dialled: Dialled, *, caller_gone: bool) -> bool:
        """Dialling is over. True: the caller waits for a new stream. False: the call is over."""
        transfer = self._transfer
        if transfer is None and self._stream and not caller_gone:
            return True  # the caller was fetched back already: whatever is still asked leads to us
        if self._over or transfer is None or caller_gone or (self._joined and transfer.result.done()):
            self._finish()
            return False
        self._joined = False  # whoever was joined left too soon
        transfer.failed = _failure(transfer, dialled)
        self._extend(ASKED_MS)
        return True

    def _join(self, transfer: _Transfer) -> None:
        self._joined = transfer.joined = True
        transfer.tell("accepted")
        if transfer.ring.least_talk_ms:
            self._set_limit(transfer.ring.least_talk_ms)
        elif not transfer.result.done():
            transfer.result.set_result(Transferred("accepted"))

    def _extend(self, ms: int) -> None:
        if not self._joined:
            self._set_limit(ms)

    def _set_limit(self, ms: int) -> None:
        limit = self._transfer.limit if self._transfer else None
        if limit and limit.when() is not None and not limit.expired() and not self._given_up():
            limit.reschedule(asyncio.get_running_loop().time() + ms / 1000)

    def _given_up(self) -> bool:
        """Whether nobody waits for the result of the transfer any more."""
        return self._transfer is None or self._transfer.result.cancelled()

    def _hearing(self, socket: MediaSocket) -> Take:
        """What has the messages of a stream, as long as it is the line's. Without a transfer the end of a
        stream is the end of the line, too.
        """

        def arrived(message: Message | None) -> None:
            if socket is not self._stream:
                return
            if message is not None:
                self._take(message)
                return
            self._stream = None
            if self._transfer is None and not self._joined and self._away is None:
                self._finish()

        return arrived

    def _flowing(self) -> None:
        self._flow()

    def _finish(self) -> None:
        self._release()
        if self._transfer and not self._transfer.result.done():
            gone = Transferred("accepted") if self._joined else Transferred("unanswered", "failed")
            self._transfer.result.set_result(self._transfer.failed or gone)
        self.back.set()
        self._gone()

    def _gone(self) -> None:
        if not self._over:
            self._over = True
            # Lines that are over are remembered; who listened to them is let go.
            take, self._take, self._flow = self._take, nobody, nothing
            take(None)

    def _release(self, code: int = 1000) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(code)


def _recalled(transfer: _Transfer) -> Transferred:
    """How a transfer went whose caller is back though no dial was told to have ended."""
    return Transferred("refused", "declined") if transfer.refused else Transferred("unanswered", "failed")


def _failure(transfer: _Transfer, dialled: Dialled) -> Transferred:
    if transfer.joined:
        return Transferred("unanswered", "left")
    if transfer.refused:
        return Transferred("refused", "declined")
    if transfer.answered:
        return Transferred("unanswered", "voicemail")  # somebody or something picked up and pressed nothing
    return Transferred("unanswered", dialled.reason or "no_answer")
