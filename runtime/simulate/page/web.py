"""The page of a role-play over HTTP, on loopback, for one person: what they do, what they see and hear.

1. The address carries a token that opens the page once: it becomes a cookie, and is worth nothing afterwards.
2. Whatever is shown and done is the role-play's own; the page decides nothing.
3. One thing at a time: moves are made in the order in which they were asked for.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runtime import audio
from runtime.console.page import HEADERS, body, given, ours, read
from runtime.ports import OutsideFailure
from runtime.session.openai_speech import SpeechSettings, speech
from runtime.session.stand_in.server import Beside
from runtime.simulate.page.ears import RATE_HZ, HearingError, Speaking, understand
from runtime.simulate.roleplay import Roleplay, Told
from runtime.simulate.scenario.write import as_yaml

HOST: Final = "127.0.0.1"
HERE: Final = "runtime.simulate.page"
FILES: Final = {
    "play.js": ("text/javascript", HERE),
    "recorder.js": ("text/javascript", HERE),
    "play.css": ("text/css", HERE),
    "desk.css": ("text/css", "runtime.console"),
}
MOST_TYPED: Final = 4096
MOST_SOUND_S: Final = 40
RATES: Final = range(8_000, 96_001)
LIT: Final = (
    ".here .shape{stroke:#d6336c;stroke-width:5}@media (forced-colors:active){.here .shape{stroke:Highlight}}"
)
PAGE: Final = {
    **HEADERS,
    "Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; media-src 'self'; frame-src 'self'",
}
PICTURE: Final = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
CLOSED: Final = b"This address was used already, or is another one's. Start vfc play --browser again.\n"

Keep = Callable[[str, str], str]
Shown = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Stage:
    """One role-play and what it needs. `draw` gives the graph as SVG; `keep` takes a name and a scenario's
    YAML and gives the place where it was put (raises OSError, or ValueError for a name it does not like);
    `speaking` None: in text only, and `silent` says why.
    """

    game: Roleplay
    draw: Callable[[], str]
    keep: Keep
    speaking: Speaking | None
    silent: str = ""
    notice: str = ""
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _pass: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _host: str = ""
    _voiced: dict[str, bytes] = field(default_factory=dict)

    def address(self, port: int) -> str:
        """Where the page is, once it is served there."""
        self._host = f"{HOST}:{port}"
        return f"http://{self._host}/?token={self._token}"

    def app(self) -> Starlette:
        """The page's addresses."""
        known: dict[str, tuple[str, Shown]] = {
            "/scene": ("GET", self._scene),
            "/graph.svg": ("GET", self._graph),
            "/said/{number:int}": ("GET", self._said),
            "/take": ("POST", self._take),
            "/heard": ("POST", self._heard),
            "/save": ("POST", self._save),
        }
        known |= {f"/{name}": ("GET", given(name, *kind)) for name, kind in FILES.items()}
        routes = [Route(path, self._known(shown), methods=[way]) for path, (way, shown) in known.items()]
        return Starlette(routes=[Route("/", self._page, methods=["GET"]), *routes])

    # ---- who may

    def _cookie(self) -> str:
        return f"vfc_play_{self._host.rpartition(':')[2]}"  # cookies do not tell ports apart

    def _may(self, request: Request) -> bool:
        held = request.cookies.get(self._cookie(), "")
        at_home = request.headers.get("host") == self._host  # another name for loopback is somebody's trick
        return at_home and hmac.compare_digest(held.encode(), self._pass.encode())

    def _known(self, shown: Shown) -> Shown:
        async def answered(request: Request) -> Response:
            if not (self._may(request) and ours(request)):
                return Response(CLOSED, 403, HEADERS, "text/plain")
            return await shown(request)

        return answered

    async def _page(self, request: Request) -> Response:
        if self._may(request):
            if request.url.query:
                return RedirectResponse("/", 303, headers=HEADERS)
            return Response(read("play.html", HERE), media_type="text/html", headers=PAGE)
        asked = request.query_params.get("token", "")
        right = bool(self._token) and hmac.compare_digest(asked.encode(), self._token.encode())
        if not right or request.headers.get("host") != self._host:
            return Response(CLOSED, 403, HEADERS, "text/plain")
        self._token = ""
        answer = RedirectResponse("/", 303, headers=HEADERS)
        answer.set_cookie(self._cookie(), self._pass, httponly=True, samesite="strict")
        return answer

    # ---- what is shown

    async def _scene(self, request: Request) -> Response:
        return self._answer()

    def _answer(self, told: tuple[Told, ...] = ()) -> Response:
        artifact = self.game.artifact
        whole = {
            "flow": artifact.flow,
            "told": told,
            "scene": self.game.scene(),
            "intents": sorted(artifact.intents),
            "silent": self.silent,
            "notice": self.notice,
        }
        return Response(msgspec.json.encode(whole), media_type="application/json", headers=HEADERS)

    async def _graph(self, request: Request) -> Response:
        drawn = await asyncio.to_thread(self.draw)
        lit = drawn.replace("</style>", f"{LIT}</style>", 1)
        return Response(lit, media_type="image/svg+xml", headers=PICTURE)

    async def _said(self, request: Request) -> Response:
        """One line of the assistant, spoken."""
        lines = self.game.scene().transcript
        number = request.path_params["number"]
        if self.speaking is None or number >= len(lines) or lines[number].kind != "assistant":
            return Response(status_code=404, headers=HEADERS)
        text = lines[number].text
        if text not in self._voiced:
            one, own = self.speaking, self.game.artifact
            voice = SpeechSettings(one.base_url, one.api_key, one.speech, one.voice or own.voice, own.speed)
            try:
                self._voiced[text] = audio.mono_wav(await speech(voice)(text), RATE_HZ)
            except OutsideFailure as failure:
                return Response(failure.reason, 502, HEADERS, "text/plain")
        return Response(self._voiced[text], media_type="audio/wav", headers=HEADERS)

    # ---- what is done

    async def _take(self, request: Request) -> Response:
        typed = (await body(request, MOST_TYPED)).decode("utf-8", "replace")
        word, _, rest = typed.strip().partition(" ")
        async with self._one:
            match word:
                case ":save":
                    return self._kept(rest.strip())
                case ":quit":
                    return self._answer((Told("note", "close this page, and press Ctrl-C where it began"),))
            return self._answer(tuple(self.game.take(typed)))

    async def _heard(self, request: Request) -> Response:
        """A turn that was spoken: PCM16, so many samples a second as `rate` says."""
        rate = request.query_params.get("rate", "")
        if self.speaking is None or not rate.isdigit() or int(rate) not in RATES:
            return Response(status_code=404, headers=HEADERS)
        sound = await body(request, MOST_SOUND_S * int(rate) * audio.PCM16_BYTES)
        if not sound:
            return self._answer((Told("note", f"at most {MOST_SOUND_S} seconds at a time"),))
        pcm = audio.resample(sound[: len(sound) // 2 * 2], int(rate), RATE_HZ)
        async with self._one:
            try:
                turn = await understand(self.speaking, self.game.artifact, self.game.state, self._last(), pcm)
            except HearingError as error:
                return self._answer((Told("note", str(error)),))
            if turn is None:
                return self._answer((Told("note", "nobody was heard: speak louder, or type"),))
            return self._answer(tuple(self.game.do(turn)))

    def _last(self) -> str:
        """What the assistant said last."""
        lines = (one.text for one in reversed(self.game.scene().transcript) if one.kind == "assistant")
        return next(lines, "")

    async def _save(self, request: Request) -> Response:
        name = (await body(request, MOST_TYPED)).decode("utf-8", "replace").strip()
        async with self._one:
            return self._kept(name)

    def _kept(self, name: str) -> Response:
        try:
            where = self.keep(name, as_yaml(self.game.scenario(name.replace("_", " "))))
        except ValueError as error:
            return self._answer((Told("note", f"not saved: {error}"),))
        except OSError as error:
            reason = (error.strerror or "cannot be written").lower()
            return self._answer((Told("note", f"not saved: {reason}"),))
        return self._answer((Told("note", f"saved: {where}"),))


async def serve(stage: Stage, port: int, ready: Callable[[str], Any]) -> None:
    """Serve the page until cancelled; `ready` is told its address. Raises OSError: the port is taken."""
    listening = socket.create_server((HOST, port))
    # made once the address is known: nobody may enter by another
    address = stage.address(listening.getsockname()[1])
    config = uvicorn.Config(
        stage.app(),
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = Beside(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    asyncio.get_running_loop().call_soon(partial(ready, address))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
