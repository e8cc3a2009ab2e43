"""The one owner of response.create: what was asked for, what is under way, and what may be asked next.

Laws
1. At most one response of the conversation is under way, whoever began it; one nobody asked for is cancelled.
2. After a cancel nothing is asked until that response is done.
3. Every request leaves exactly once: done, dropped by a stop, or lost with the connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from runtime.engine.effects import Purpose

ASKED_TOO_OFTEN: Final = 3  # a request the server refuses this often is given up


@dataclass(slots=True, eq=False)
class Request:
    """One response asked for. `response_id` is known once the server made it."""

    request_id: str
    purpose: Purpose
    speech_id: str | None
    turn_id: str | None
    response_id: str | None = None
    refusals: int = 0
    cancelled: bool = False

    @property
    def beside(self) -> bool:
        return self.purpose == "classify"


class Sequencer:
    """Requests in order. Pure: it says what to send, the session sends it."""

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()
        self._beside: list[Request] = []
        self._active: Request | None = None
        self._foreign: str | None = None
        self._count = 0

    def order(self, purpose: Purpose, speech_id: str | None, turn_id: str | None) -> None:
        self._count += 1
        self._queue.append(Request(f"r{self._count}", purpose, speech_id, turn_id))

    def next(self) -> tuple[Request, ...]:
        """What to ask for now: everything beside the conversation, and one response of it if none is under
        way.
        """
        beside = [request for request in self._queue if request.beside]
        self._beside += beside
        self._queue = deque(request for request in self._queue if not request.beside)
        if self._active is None and self._foreign is None and self._queue:
            self._active = self._queue.popleft()
            return (*beside, self._active)
        return tuple(beside)

    def created(self, response_id: str, metadata: dict[str, Any] | None) -> Request | None:
        """The server began a response: the request it answers, None when nobody asked (cancel it then)."""
        request = self._by_metadata(metadata)
        if (
            request is None
            and metadata is None
            and self._active is not None
            and self._active.response_id is None
        ):
            request = self._active
        if request is None:
            self._foreign = response_id
            return None
        request.response_id = response_id
        return request

    def done(self, response_id: str, metadata: dict[str, Any] | None) -> Request | None:
        """A response is over (its `created` may never have come). Returns its request."""
        if response_id == self._foreign:
            self._foreign = None
            return None
        request = self.of(response_id) or self._by_metadata(metadata)
        if request is not None:
            self._release(request)
        return request

    def of(self, response_id: str) -> Request | None:
        """The request behind a response under way."""
        active = self._active
        if active is not None and active.response_id == response_id:  # asked with every piece of audio
            return active
        return next((request for request in self._beside if request.response_id == response_id), None)

    def refused(self, request_id: str, *, again: bool) -> Request | None:
        """The server would not begin this one. Returns it when it is given up; otherwise it is asked for
        again.
        """
        request = next((one for one in self._under_way() if one.request_id == request_id), None)
        if request is None:
            return None
        self._release(request)
        request.refusals += 1
        if not again or request.refusals >= ASKED_TOO_OFTEN or request.cancelled:
            return request
        self._queue.appendleft(request)
        return None

    def wait_for(self, response_id: str) -> None:
        """The server says this response is under way: ask for nothing until it is done."""
        if self.of(response_id) is None:
            self._foreign = response_id

    def stop(self) -> tuple[tuple[Request, ...], Request | None]:
        """Give up all speech: requests dropped before they were asked for, and the one under way to
        cancel.
        """
        dropped = tuple(request for request in self._queue if request.speech_id is not None)
        self._queue = deque(request for request in self._queue if request.speech_id is None)
        active = self._active
        if active is None or active.speech_id is None or active.cancelled:
            return dropped, None
        active.cancelled = True
        return dropped, active

    def lose(self) -> tuple[Request, ...]:
        """The connection is gone: everything asked for and not done, in order."""
        lost = (*self._under_way(), *self._queue)
        self._active, self._foreign, self._beside = None, None, []
        self._queue.clear()
        return lost

    @property
    def busy(self) -> bool:
        """Whether the server owes an end of some response."""
        return self._active is not None or self._foreign is not None or bool(self._beside)

    @property
    def waiting(self) -> bool:
        """Whether anything was asked for, or is still to be."""
        return self.busy or bool(self._queue)

    def _under_way(self) -> list[Request]:
        return [*([self._active] if self._active else []), *self._beside]

    def _by_metadata(self, metadata: dict[str, Any] | None) -> Request | None:
        wanted = (metadata or {}).get("request")
        return next((request for request in self._under_way() if request.request_id == wanted), None)

    def _release(self, request: Request) -> None:
        if request is self._active:
            self._active = None
        else:
            self._beside = [one for one in self._beside if one is not request]
