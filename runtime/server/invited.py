"""What the provider asks and tells about people who are rung beside a call, led to that call's conference."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.routing import Route

from runtime.handoff import Ringer
from runtime.server.calls import Calls
from runtime.server.conference import Conference
from runtime.server.live import LiveCall
from runtime.server.rest import Rest
from runtime.server.webhooks import Answer, Webhooks
from runtime.telephony.base import LineCall


class Invited:
    """The addresses of the people rung for calls: `/PROVIDER/person/CALL/NAME`, NAME a secret of one ring."""

    def __init__(self, calls: Calls, webhooks: Webhooks, rest: Rest) -> None:
        self._calls, self._webhooks, self._rest = calls, webhooks, rest
        self._provider, self._place = webhooks.provider, webhooks.place

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
        )
        return live.conference

    def routes(self) -> list[Route]:
        """Every address of people and of the room they meet the caller in."""
        path = self._place.person + "/{call_id}/{name}"
        asked: dict[str, Answer] = {
            "": self._about(
                lambda room, name, call, form: room.picked_up(name, call), self._provider.turn_away
            ),
            "/key": self._about(
                lambda room, name, call, form: room.pressed(name, self._provider.read_digit(form)),
                self._provider.turn_away,
            ),
            "/left": self._about(lambda room, name, call, form: None, self._provider.hang_up),
            "/caller": self._about(
                lambda room, name, call, form: room.caller_document(), self._provider.hang_up
            ),
            "/back": self._about(
                lambda room, name, call, form: room.caller_returned(name, call), self._provider.hang_up
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

    def _about(
        self,
        ask: Callable[[Conference, str, LineCall, dict[str, str]], str | None],
        otherwise: Callable[[], str],
    ) -> Answer:
        """A question about one person of a call, answered `otherwise` where nobody knows of them."""

        async def answer(call: LineCall, form: dict[str, str], request: Request) -> str:
            room = self._conference(request)
            document = ask(room, request.path_params["name"], call, form) if room else None
            return otherwise() if document is None else document

        return answer

    def _event(self, form: dict[str, str], request: Request) -> None:
        """How a person's leg stands."""
        room, name = self._conference(request), request.path_params["name"]
        call = self._provider.read_call(form)
        if room is None or call is None:
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
        elif room is not None and call is not None and self._provider.read_over(form):
            self._event(form, request)

    def _conference(self, request: Request) -> Conference | None:
        live = self._calls.find(request.path_params["call_id"])
        return live.conference if live else None
