"""What the provider asks and tells about people who are rung beside a call, led to that call's conference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from runtime.handoff import Ringer
from runtime.server.bereft import Bereft
from runtime.server.calls import Calls
from runtime.server.conference import Conference
from runtime.server.live import LiveCall
from runtime.server.meeting import Gathering
from runtime.server.rest import Rest
from runtime.server.webhooks import Answer, Webhooks
from runtime.telephony.base import LineCall

Ask = Callable[[Conference, str, LineCall, dict[str, str]], str | None]
Otherwise = Callable[[LineCall], Awaitable[str]]


class Invited:
    """The addresses of the people rung for calls: `/PROVIDER/person/CALL/NAME`, NAME a secret of one ring."""

    def __init__(self, calls: Calls, webhooks: Webhooks, rest: Rest) -> None:
        self._calls, self._webhooks, self._rest = calls, webhooks, rest
        self._provider, self._place = webhooks.provider, webhooks.place
        self._bereft = Bereft(calls, webhooks.net, rest, webhooks.place)

    def ringer(self, live: LiveCall) -> Ringer:
        """Whoever brings people onto this call: by conference where the REST interface may be asked."""
        ours = live.call.called_number or self._calls.settings.dialling.number or ""
        if not self._rest.usable:
            return live.line
        live.conference = Conference(
            live.call,
            live.line,
            self._rest,
            self._place,
            from_number=ours,
            connect=lambda: self._webhooks.net.connect(live.call, self._calls.another_token(live)),
            keep=self._calls.keep,
            note=partial(self._note, live),
        )
        return live.conference

    async def _note(self, live: LiveCall, gathering: Gathering | None) -> None:
        if self._calls.leasing and live.hold:
            await self._calls.leasing.meet(live.hold, gathering)

    def routes(self) -> list[Route]:
        """Every address of people and of the room they meet the caller in."""
        path = self._place.person + "/{call_id}/{name}"
        turn_away, hang_up = self._turn_away, self._hang_up
        asked: dict[str, Answer] = {
            "": self._about(lambda room, name, call, form: room.picked_up(name, call), turn_away),
            "/key": self._about(
                lambda room, name, call, form: room.pressed(name, self._provider.read_digit(form)), turn_away
            ),
            "/left": self._about(lambda room, name, call, form: None, hang_up),
            # Where nobody has the call any more, whoever is asked about the caller sees to them.
            "/caller": self._about(
                lambda room, name, call, form: room.caller_document(), hang_up, self._webhooks.net.go_on
            ),
            "/back": self._about(
                lambda room, name, call, form: room.caller_returned(name, call),
                hang_up,
                self._bereft.returned,
            ),
        }
        told = {"/event": self._event, "/room": self._room}
        return [
            *(
                Route(path + end, self._webhooks.signed(what), methods=["POST"])
                for end, what in asked.items()
            ),
            *(Route(path + end, self._webhooks.told(what), methods=["POST"]) for end, what in told.items()),
        ]

    async def _turn_away(self, call: LineCall) -> str:
        return self._webhooks.turn_away(call)

    async def _hang_up(self, call: LineCall) -> str:
        return self._provider.hang_up()

    def _about(self, ask: Ask, otherwise: Otherwise, bereft: Otherwise | None = None) -> Answer:
        """A question about one person of a call, answered `otherwise` where nobody knows of them; `bereft`:
        where nobody knows of the call.
        """

        async def answer(call: LineCall, form: dict[str, str], request: Request) -> str:
            room = self._conference(request)
            if room is None:
                return await (bereft or otherwise)(call)
            document = ask(room, request.path_params["name"], call, form)
            return await otherwise(call) if document is None else document

        return answer

    def _event(self, form: dict[str, str], request: Request) -> None:
        """How a person's leg stands."""
        room, name = self._conference(request), request.path_params["name"]
        call = self._provider.read_call(form)
        if call is None:
            return
        if room is None:
            if self._provider.read_over(form):
                call_id = request.path_params["call_id"]
                self._calls.keep(self._bereft.person_over(call, call_id, name))
            return
        by = self._provider.read_answerer(form)
        if by is not None:
            room.answered_by(name, by)
        elif self._provider.read_over(form):
            room.person_over(name, call, self._provider.read_unanswered(form))

    def _room(self, form: dict[str, str], request: Request) -> None:
        """Who came into the room, or left it."""
        room, call = self._conference(request), self._provider.read_call(form)
        what = self._provider.read_conference(form)
        if room is not None and call is not None and what is not None:
            room.happened(request.path_params["name"], what, call)
        elif call is not None and self._provider.read_over(form):
            self._event(form, request)

    def _conference(self, request: Request) -> Conference | None:
        live = self._calls.find(request.path_params["call_id"])
        return live.conference if live else None
