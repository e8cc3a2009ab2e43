"""What the provider asks over HTTP, and the documents it is answered with.

1. A request is refused before any work unless one of our tokens signed it, over the public address we are
   configured with; what a proxy claims about hosts and schemes is not believed. An error while checking
   refuses as well.
2. A caller is never left in silence: whatever we cannot do is said in one sentence, and a person is rung
   where there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.server.calls import Calls, LiveCall
from runtime.server.place import Place
from runtime.telephony.base import LineCall, Provider

log = structlog.get_logger()

MAX_BODY: Final = 65_536
MAX_FIELDS: Final = 200
SETTLE_MS: Final = 3000  # how long a call may take to say why it ended, once its stream is gone
PLANNED: Final = frozenset({"caller_hangup", "assistant_hangup", "transferred"})

BUSY: Final = "All our lines are busy. Please call again in a few minutes."
CLOSED: Final = "This service is being restarted. Please call again in a few minutes."
UNKNOWN: Final = "This number is not in service."
SORRY: Final = "I'm sorry, something went wrong on our side, and I could not go on."
SORRY_PERSON: Final = "I'm sorry, something went wrong on our side. I'm connecting you with a person."

Answer = Callable[[LineCall, dict[str, str], Request], Awaitable[str]]


class Webhooks:
    """The provider's questions, answered from the calls of this process."""

    def __init__(self, calls: Calls, provider: Provider, place: Place) -> None:
        self.calls, self.provider, self.place = calls, provider, place

    def routes(self) -> list[Route]:
        """Every HTTP address of the server."""
        asked: dict[str, Answer] = {
            self.place.voice: self.voice,
            self.place.after_stream: self.after_stream,
            self.place.after_dial: self.after_dial,
            self.place.whisper + "/{call_id}": self.whisper,
            self.place.whisper + "/{call_id}/answer": self.whisper_answer,
        }
        return [
            *(Route(path, self._signed(answer), methods=["POST"]) for path, answer in asked.items()),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
        ]

    async def health(self, request: Request) -> Response:
        """The process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Whether a further call would be taken."""
        ready = not self.calls.draining and not self.calls.full
        return JSONResponse({"ready": ready, "calls": self.calls.live}, status_code=200 if ready else 503)

    async def voice(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """The telephone rings: answer with a media stream. The same call asked twice is answered the same."""
        known = self.calls.find(call.call_id)
        if known:
            return self._connect(known.token)
        if self.calls.draining:
            return self._apologise(CLOSED)
        if self.calls.full:
            log.warning("call.shed", call_id=call.call_id)
            return self._apologise(BUSY)
        deployment = self.calls.deployment(call.called_number)
        if deployment is None:
            log.warning("call.unknown_number", call_id=call.call_id)
            return self.provider.apologise(text=UNKNOWN)
        return self._connect(self.calls.begin(call, deployment).token)

    async def after_stream(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """A stream has ended: dial if a transfer was ordered, hang up if the call was over, else do not
        hide it.
        """
        live = self.calls.find(call.call_id)
        if call.ended:
            return self.provider.hang_up()
        if live is None:
            return self._sorry()
        ring = live.line.dial()
        if ring:
            return self.provider.dial(
                number=ring.number,
                timeout_ms=ring.timeout_ms,
                after_url=self.place.url(self.place.after_dial),
                whisper_url=self.place.url(f"{self.place.whisper}/{call.call_id}"),
            )
        if live.task is None:  # the provider could not reach our media address
            self.calls.miss(live)
        await _settled(live)
        return self.provider.hang_up() if live.reason in PLANNED else self._sorry()

    async def after_dial(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """Dialling is over: with nobody on the line the caller comes back to the assistant."""
        live = self.calls.find(call.call_id)
        if live is None:
            return self.provider.hang_up() if call.ended else self._sorry()
        if live.line.dial_ended(self.provider.read_dialled(form), caller_gone=call.ended):
            return self._connect(self.calls.new_token(call))
        return self.provider.hang_up() if live.line.joined or call.ended else self._sorry()

    async def whisper(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """A person picked up: tell them who it is, before the two are joined."""
        live = self.calls.find(request.path_params["call_id"])
        told = live.line.person_answered() if live else None
        if live is None or told is None:
            return self.provider.hang_up()
        if not told:
            return self.provider.join()
        answer = f"{self.place.whisper}/{live.call.call_id}/answer"
        return self.provider.whisper(text=told, answer_url=self.place.url(answer))

    async def whisper_answer(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """The person pressed a key."""
        live = self.calls.find(request.path_params["call_id"])
        joined = live is not None and live.line.person_pressed(self.provider.read_digit(form))
        return self.provider.join() if joined else self.provider.hang_up()

    def _connect(self, token: str) -> str:
        return self.provider.connect(
            media_url=self.place.media_url, after_url=self.place.url(self.place.after_stream), token=token
        )

    def _apologise(self, text: str) -> str:
        return self.provider.apologise(text=text, number=self.calls.settings.telephony.fallback_number)

    def _sorry(self) -> str:
        return self._apologise(SORRY_PERSON if self.calls.settings.telephony.fallback_number else SORRY)

    def _signed(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            fields = await _form(request)
            if fields is None or not self._genuine(request, fields):
                return _refuse("signature")
            call = self.provider.read_call(dict(fields))
            account = self.calls.settings.telephony.account
            if call is None or (account and call.account_id != account):
                return _refuse("call")
            return Response(await answer(call, dict(fields), request), media_type="text/xml")

        return answered

    def _genuine(self, request: Request, fields: list[tuple[str, str]]) -> bool:
        telephony = self.calls.settings.telephony
        if telephony.insecure:
            return True
        query = f"?{request.url.query}" if request.url.query else ""
        return self.provider.verify(
            (telephony.auth_token, telephony.previous_auth_token),
            self.place.url(request.scope["path"]) + query,
            fields,
            request.headers.get(self.provider.SIGNATURE_HEADER),
        )


async def _settled(live: LiveCall) -> None:
    """Wait a moment for the call to say why it ended; a stream that broke ends it soon."""
    try:
        async with asyncio.timeout(SETTLE_MS / 1000):
            await live.ended.wait()
    except TimeoutError:
        log.warning("call.unsettled", call_id=live.call.call_id)


async def _form(request: Request) -> list[tuple[str, str]] | None:
    """The fields of a form body of bounded size, None for anything else."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # not ASCII, or too many fields
        return None


def _refuse(why: str) -> Response:
    log.warning("request.refused", why=why)
    return PlainTextResponse("forbidden\n", status_code=403)
