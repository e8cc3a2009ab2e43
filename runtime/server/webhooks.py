"""What the provider asks over HTTP, and the documents it is answered with.

1. A request is refused before any work unless one of our tokens signed it, over the public address we are
   configured with; what a proxy claims about hosts and schemes is not believed. An error while checking
   refuses as well.
2. A caller is never left in silence: whatever we cannot do is said in one sentence, and a person is rung
   where there is one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.handoff import Ring
from runtime.server.admission import Admission
from runtime.server.calls import Calls
from runtime.server.fleet import NOT_MINE, Fleet, inside, passed_on
from runtime.server.live import PLANNED, LiveCall
from runtime.server.net import NOBODY, Net
from runtime.server.place import Place
from runtime.server.replays import Replays
from runtime.server.rest import Rest, RestFailed
from runtime.server.split import Split
from runtime.telephony.base import Asked, LineCall, Provider

if TYPE_CHECKING:
    from runtime.store import Store

log = structlog.get_logger()

MAX_BODY: Final = 65_536
MAX_FIELDS: Final = 200
RING_PEOPLE_MS: Final = 60_000  # how long the human line may ring
GOODBYE_S: Final = 2.0
SETTLE_MS: Final = 3000  # how long a call may take to say why it ended, once its stream is gone

BUSY: Final = "All our lines are busy. Please call again in a few minutes."
CLOSED: Final = "This service is being restarted. Please call again in a few minutes."
UNKNOWN: Final = "This number is not in service."

Answer = Callable[[LineCall, dict[str, str], Request], Awaitable[str]]


class Webhooks:
    """The provider's questions, answered from the calls of this process."""

    def __init__(
        self,
        calls: Calls,
        provider: Provider,
        place: Place,
        split: Split,
        net: Net,
        rest: Rest,
        fleet: Fleet | None = None,
        store: Store | None = None,
    ) -> None:
        self.calls, self.provider, self.place, self.split = calls, provider, place, split
        self.net, self.rest, self.fleet = net, rest, fleet
        self.admission, self.replays = Admission(calls, fleet, store), Replays()

    def routes(self) -> list[Route]:
        """Every HTTP address of the server."""
        asked: dict[str, Answer] = {
            self.place.voice: self.voice,
            self.place.after_stream: self.after_stream,
            self.place.after_dial: self.after_dial,
            self.place.after_people: self.after_people,
            self.place.back + "/{call_id}": self.back,
            self.place.whisper + "/{call_id}": self.whisper,
            self.place.whisper + "/{call_id}/answer": self.whisper_answer,
        }
        return [
            *(Route(path, self.signed(answer), methods=["POST"]) for path, answer in asked.items()),
            Route(self.place.events, self.told(self.event), methods=["POST"]),
            Route("/fleet/taken/{call_id}", self.taken, methods=["POST"]),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
        ]

    async def health(self, request: Request) -> Response:
        """The process is alive: its loop turns, or nobody would answer."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Whether a further call would be taken."""
        if self.fleet is None:
            ready = not self.calls.draining and not self.calls.full
            return JSONResponse({"ready": ready, "calls": self.calls.live}, status_code=200 if ready else 503)
        rows = [row for row in self.fleet.board.rows() if row.live]
        ready = any(row.ready for row in rows) and not self.calls.draining and not self.admission.full
        told = {"ready": ready, "calls": self.fleet.calls(self.calls.live)[0], "workers": len(rows)}
        return JSONResponse(told, status_code=200 if ready else 503)

    def event(self, form: dict[str, str], request: Request) -> None:
        """How a call stands: one that is over before its stream came is let go at once."""
        call = self.provider.read_call(form)
        if call is not None and call.ended:
            self._tell_ended(call)

    def _tell_ended(self, call: LineCall) -> None:
        """The provider says that a call is over: whatever waits for a stream waits no more."""
        live = self.calls.find(call.call_id)
        if live is not None and live.task is None:
            self.calls.miss(live)
        elif live is not None and live.conference:
            live.conference.caller_gone()
        if self.calls.leasing:
            self.calls.leasing.finish(call.call_id)

    async def voice(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """The telephone rings: answer with a media stream. The same call asked twice is answered the same."""
        known = self.calls.find(call.call_id)
        if known:
            self.calls.alert("call.repeated", call_id=call.call_id)
            return self.net.connect(known.call, known.token)
        deployment = self.calls.deployment(call.called_number)
        if deployment and not self.split.takes(deployment.artifact.flow, call):
            return self._to_people(call)
        if deployment is None:
            self.calls.alert("call.number_unknown", call_id=call.call_id)
            return self.provider.apologise(text=UNKNOWN)
        why = await self.admission.refusal(call)
        if why is not None:
            if why != "draining":
                self.calls.alert("call.shed", call_id=call.call_id, detail=why)
            return self.net.apologise(CLOSED if why == "draining" else BUSY, call)
        return self.net.connect(call, self.calls.begin(call, deployment).token)

    async def after_stream(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """A stream has ended: dial if a transfer was ordered, hang up if the call was over, else go on with
        it, and do not hide it.
        """
        live = self.calls.find(call.call_id)
        if call.ended:
            self._tell_ended(call)
            return self.provider.hang_up()
        if live is None:
            return await self.net.go_on(call)
        room = live.conference.caller_document() if live.conference else None
        if room:
            return room
        ring = live.line.dial()
        if ring:
            return self._dial(live, ring)
        if live.line.refused_early():
            return self.net.connect(live.call, self.calls.another_token(live))
        if live.task is None and live.reason is None:
            return await self.net.try_again(live)
        await self._settled(live)
        # A caller who hung up asks nothing: where the provider says that the socket was cut, they are there.
        planned = live.reason in PLANNED and not (call.cut and live.reason == "caller_hangup")
        return self.provider.hang_up() if planned else await self.net.go_on(call)

    async def after_dial(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """Dialling is over: with nobody on the line the caller comes back to the assistant."""
        live = self.calls.find(call.call_id)
        dialled = self.provider.read_dialled(form)
        if call.ended:
            self._tell_ended(call)
        if live is None:
            over = call.ended or dialled.result == "answered"
            return self.provider.hang_up() if over else await self.net.go_on(call)
        ring = live.line.dial_next(caller_gone=call.ended)
        if ring:
            return self._dial(live, ring)
        if live.line.dial_ended(dialled, caller_gone=call.ended):
            return self.net.connect(live.call, self.calls.another_token(live))
        joined = live.line.joined or call.ended
        return self.provider.hang_up() if joined else await self.net.go_on(call)

    async def back(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """A caller was fetched back while the network still rang a person."""
        live = self.calls.find(call.call_id)
        if live is None or call.ended or live.line.over:
            return self.provider.hang_up()
        return self.net.connect(live.call, self.calls.another_token(live))

    async def after_people(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """People were rung: over, or nobody was there."""
        if call.ended or self.provider.read_dialled(form).result == "answered":
            return self.provider.hang_up()
        if at := request.query_params.get("next"):
            return self.net.ring_next(call, at)
        return self.net.apologise(NOBODY, call)

    async def whisper(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """A person picked up: tell them who it is, before the two are joined."""
        live = self.calls.find(request.path_params["call_id"])
        told = live.line.person_answered() if live else None
        if live is None or told is None:
            return self.turn_away(call)
        if not told:
            return self.provider.join()
        answer = f"{self.place.whisper}/{live.call.call_id}/answer"
        return self.provider.whisper(text=told, answer_url=self.place.url(answer))

    async def whisper_answer(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """The person pressed a key."""
        live = self.calls.find(request.path_params["call_id"])
        joined = live is not None and live.line.person_pressed(self.provider.read_digit(form))
        return self.provider.join() if joined else self.turn_away(call)

    def turn_away(self, call: LineCall) -> str:
        """The person does not take the call: their leg ends, by order where no document can end it."""
        if not self.provider.TURNING_AWAY_ENDS and self.rest.usable and call.leg_id:
            self.calls.keep(self._hang_up(call.leg_id))
        return self.provider.turn_away()

    async def _hang_up(self, leg_id: str) -> None:
        await asyncio.sleep(GOODBYE_S)  # a word of thanks is spoken to them first
        try:
            await self.rest.insist(self.provider.end_call(self.rest.account, leg_id))
        except RestFailed:
            log.warning("leg.left_parked")

    def _to_people(self, call: LineCall) -> str:
        """The caller is outside the assistant's share: they get the human line, as if there were no other."""
        number = self.split.human_number
        log.info("call.to_people", call_id=call.call_id)
        if not number:  # a rollout that was begun while a server ran without a human line
            return self.net.sorry(call)
        return self.provider.dial(
            number=number,
            timeout_ms=RING_PEOPLE_MS,
            after_url=self.place.url(self.place.after_people),
            whisper_url=None,
            from_number=call.called_number,
        )

    async def _settled(self, live: LiveCall) -> None:
        """Wait a moment for the call to say why it ended; a stream that broke ends it soon."""
        try:
            async with asyncio.timeout(SETTLE_MS / 1000):
                await live.ended.wait()
        except TimeoutError:
            self.calls.alert("call.unsettled", call_id=live.call.call_id)

    async def _recall(self, live: LiveCall) -> None:
        """A ring under way has become pointless: fetch the caller back. Where that cannot be ordered, nothing
        is lost but time: the ring ends by itself.
        """
        if not self.rest.usable or not live.line.ringing:
            return
        order = self.provider.redirect_call(
            self.rest.account,
            live.call.leg_id or live.call.call_id,
            url=self.place.url(f"{self.place.back}/{live.call.call_id}"),
            document=self.net.connect(live.call, self.calls.another_token(live)),
        )
        try:
            await self.rest.insist(order)
        except RestFailed:
            log.warning("recall.failed", call_id=live.call.call_id)

    def _dial(self, live: LiveCall, ring: Ring) -> str:
        live.line.recall = lambda: self.calls.keep(self._recall(live))
        if ring.refer:
            return self.provider.refer(number=ring.number, after_url=self.place.url(self.place.after_dial))
        return self.provider.dial(
            number=ring.number,
            timeout_ms=ring.timeout_ms,
            after_url=self.place.url(self.place.after_dial),
            whisper_url=self.place.url(f"{self.place.whisper}/{live.call.call_id}"),
            from_number=live.call.called_number,
        )

    def told(
        self, take: Callable[[dict[str, str], Request], None]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An address that is only told things, by those who sign as the provider does."""

        async def taken(request: Request) -> Response:
            asked = await self._asked(request)
            if asked is None or not self._genuine(asked):
                return self._refuse("signature")
            form = dict(asked.fields)
            key = self._replay_key(asked)
            if again := self.replays.answer(key):
                return again
            elsewhere = await self._elsewhere(self.provider.read_call(form), request, asked)
            if elsewhere is None:
                take(form, request)
            return self.replays.keep(key, elsewhere or Response(status_code=204))

        return taken

    def signed(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """An address that answers with a document, to those who sign as the provider does."""

        async def answered(request: Request) -> Response:
            asked = await self._asked(request)
            if asked is None or not self._genuine(asked):
                return self._refuse("signature")
            form = dict(asked.fields)
            call = self.provider.read_call(form)
            if call is None:
                return self._refuse("call")
            if not self.provider.wants_document(form):
                return Response(status_code=204)
            key = self._replay_key(asked)
            if again := self.replays.answer(key):
                self.calls.alert("call.repeated", call_id=call.call_id)
                return again
            told = await self._elsewhere(call, request, asked)
            if told is None:
                document = await answer(call, form, request)
                told = Response(document, media_type=self.provider.DOCUMENT_TYPE)
            return self.replays.keep(key, told) if told.status_code != NOT_MINE else told

        return answered

    def _replay_key(self, asked: Asked) -> str | None:
        telephony = self.calls.settings.telephony
        return self.provider.replay_key((telephony.auth_token, telephony.previous_auth_token), asked)

    async def _elsewhere(self, call: LineCall | None, request: Request, asked: Asked) -> Response | None:
        """The answer of the worker whose call this is, where it is not ours."""
        if self.fleet is None or call is None:
            return None
        named = str(request.path_params.get("call_id", call.call_id))
        mine = self.calls.find(named) is not None or request.scope["path"] == self.place.voice
        if mine:
            return None
        if passed_on(request):
            return Response(status_code=NOT_MINE)
        return await self.fleet.ask(request, asked.body)

    async def taken(self, request: Request) -> Response:
        """Another worker has the stream of a call we answered."""
        live = self.calls.find(request.path_params["call_id"])
        if inside(request) and live is not None:
            self.calls.drop(live)
        return Response(status_code=204 if inside(request) else 404)

    async def _asked(self, request: Request) -> Asked | None:
        body = await _body(request)
        fields = None if body is None else _fields(body, request.headers.get("content-type", ""))
        if body is None or fields is None:
            return None
        query = f"?{request.url.query}" if request.url.query else ""
        url = self.place.url(request.scope["path"]) + query
        return Asked(url, dict(request.headers), int(time.time()), tuple(fields), body)

    def _refuse(self, why: str) -> Response:
        self.calls.alert("security.request_refused", detail=why)
        return PlainTextResponse("forbidden\n", status_code=403)

    def _genuine(self, asked: Asked) -> bool:
        telephony = self.calls.settings.telephony
        secrets = (telephony.auth_token, telephony.previous_auth_token)
        return telephony.insecure or self.provider.genuine(secrets, asked, telephony.account)


async def _body(request: Request) -> bytes | None:
    """A body of bounded size, None for a longer one."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _fields(body: bytes, content_type: str) -> list[tuple[str, str]] | None:
    """The fields of a form or of a JSON object, None for anything else."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return _json_fields(body)
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # not ASCII, or too many fields
        return None


def _json_fields(body: bytes) -> list[tuple[str, str]] | None:
    """Texts and numbers of a JSON object, and of the objects in it as `outer.inner`."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    inner = [
        (f"{name}.{one}", value)
        for name, part in told.items()
        if isinstance(part, dict)
        for one, value in part.items()
    ]
    fields = [
        (name, str(value)) for name, value in [*told.items(), *inner] if isinstance(value, str | int | float)
    ]
    return fields if len(fields) <= MAX_FIELDS else None
