"""The desk over HTTP: its page, the stream of what changes, and what a human agent answers.

1. Nothing but the sign-in page is shown without the token. Answers are taken from our own page alone.
2. The page may load nothing from elsewhere and run no inline script; whatever a caller said reaches it as
   JSON and is shown as text.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qs

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.console.entry import COOKIE, LASTS_S, Entry
from runtime.console.page import HEADERS, body, given, ours, read
from runtime.handoff import SharedBoard, Waiting
from runtime.ports import Alert, untold

log = structlog.get_logger()

MAX_BODY: Final = 4096
QUIET_S: Final = 15.0  # a comment this often keeps the stream open and notices a page that went
FILES: Final = {"desk.js": "text/javascript", "desk.css": "text/css"}

Shown = Callable[[Request, str], Awaitable[Response]]
Deed = Callable[[str, str], Awaitable[Waiting | None]]
KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Console:
    """The desk's addresses."""

    def __init__(
        self,
        desk: SharedBoard,
        token: str,
        public_url: str,
        entry: Entry | None = None,
        alert: Alert = untold,
        complain: Callable[[str, str], object] = lambda call_id, by: None,
    ) -> None:
        self._alert, self._complain = alert, complain
        self.desk, self.board, self.entry = desk, desk.board, entry or Entry(token)
        self._secure = public_url.startswith("https:")

    def routes(self) -> list[Route]:
        """Every address below /desk."""
        deeds: dict[str, Deed] = {
            "received": self.desk.receive,
            "accept": lambda key, by: self.desk.answer(key, by, accepted=True),
            "decline": lambda key, by: self.desk.answer(key, by, accepted=False),
            "put-away": self.desk.put_away,
            "complaint": self._complained,
        }
        return [
            Route("/desk", self._page, methods=["GET"]),
            Route("/desk/enter", self._enter, methods=["POST"]),
            Route("/desk/leave", self._leave, methods=["POST"]),
            Route("/desk/handoffs/{key}", self._linked, methods=["GET"]),
            Route("/desk/changes", self._known(self._changes), methods=["GET"]),
            *(
                Route(f"/desk/handoffs/{{key}}/{name}", self._known(self._deed(name, do)), methods=["POST"])
                for name, do in deeds.items()
            ),
            *(Route(f"/desk/{name}", given(name, kind), methods=["GET"]) for name, kind in FILES.items()),
        ]

    async def _page(self, request: Request) -> Response:
        page = "enter.html" if self._name(request) is None else "desk.html"
        return Response(read(page), media_type="text/html", headers=HEADERS)

    async def _linked(self, request: Request) -> Response:
        """The link of one package, as messages about it carry: for whoever may see the desk, while it stands
        there.
        """
        key = request.path_params["key"]
        if self._name(request) is None:
            page = read("enter.html").replace(b'value=""', b'value="' + key.encode() + b'"', 1)
            known = KEY.fullmatch(key)
            return Response(page if known else read("enter.html"), media_type="text/html", headers=HEADERS)
        if await self.desk.find(key) is None:
            return Response(read("gone.html"), status_code=404, media_type="text/html", headers=HEADERS)
        return RedirectResponse(f"/desk#{key}", status_code=303, headers=HEADERS)

    async def _enter(self, request: Request) -> Response:
        if not ours(request):
            return _refuse()
        sent = await body(request, MAX_BODY)
        fields = parse_qs(sent.decode("utf-8", "replace"), max_num_fields=6) if sent else {}
        cookie = await self.entry.enter(fields.get("token", [""])[0], fields.get("name", [""])[0])
        if cookie is None:
            self._alert("security.page_refused", detail="desk")
            page = read("enter.html").replace(b"<!-- wrong -->", b"That token is not the desk's.")
            return Response(page, status_code=403, media_type="text/html", headers=HEADERS)
        to = fields.get("to", [""])[0]
        where = f"/desk/handoffs/{to}" if KEY.fullmatch(to) else "/desk"
        answer = RedirectResponse(where, status_code=303, headers=HEADERS)
        answer.set_cookie(
            COOKIE, cookie, LASTS_S, path="/desk", secure=self._secure, httponly=True, samesite="strict"
        )
        return answer

    async def _leave(self, request: Request) -> Response:
        if not ours(request):
            return _refuse()
        answer = RedirectResponse("/desk", status_code=303, headers=HEADERS)
        answer.delete_cookie(COOKIE, path="/desk")
        return answer

    async def _changes(self, request: Request, name: str) -> Response:
        return StreamingResponse(self._told(), media_type="text/event-stream", headers=HEADERS)

    async def _told(self) -> AsyncIterator[bytes]:
        yield b"retry: 1000\nevent: begin\ndata: {}\n\n"
        async with aclosing(self.board.watch(QUIET_S)) as changes:
            async for change in changes:
                yield b": quiet\n\n" if change is None else b"data: " + msgspec.json.encode(change) + b"\n\n"

    def _deed(self, name: str, do: Deed) -> Shown:
        async def done(request: Request, by: str) -> Response:
            if not ours(request):
                return _refuse()
            one = await do(request.path_params["key"], by)
            if one is None:
                return JSONResponse({"place": "over"}, status_code=404, headers=HEADERS)
            if name != "received":
                log.info("desk.answered", answer=name, call_id=one.call_id, place=one.place)
            return JSONResponse({"place": one.place, "by": one.by}, headers=HEADERS)

        return done

    async def _complained(self, key: str, by: str) -> Waiting | None:
        """The caller complained about the assistant: it counts for the guards of a rollout."""
        one = await self.desk.find(key)
        if one is not None:
            await asyncio.to_thread(self._complain, one.call_id, by)
        return one

    def _known(self, shown: Shown) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            name = self._name(request)
            return _refuse() if name is None else await shown(request, name)

        return answered

    def _name(self, request: Request) -> str | None:
        return self.entry.name(request.cookies.get(COOKIE, ""))


def _refuse() -> Response:
    return JSONResponse({"refused": True}, status_code=403, headers=HEADERS)
