"""A call that is handed over, in one process without sockets and with a clock that jumps: the real server,
bridge and engine; a fake network with its phones; a model that says what it is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette

from runtime import audio
from runtime.actions import open_actions
from runtime.alerts import Alerts
from runtime.call import Caller, Outside, carry
from runtime.handoff import Board, open_destinations
from runtime.metrics import Metrics
from runtime.server.calls import Calls
from runtime.server.deploy import Deployment
from runtime.server.invited import Invited
from runtime.server.media import Media, _Waiting
from runtime.server.net import Net
from runtime.server.place import Place
from runtime.server.rest import Rest
from runtime.server.split import Split
from runtime.server.webhooks import Webhooks
from runtime.session.model import SessionSettings
from runtime.settings import Settings, load
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.colleague import pick_up
from runtime.simulate.network import FAULT, Leg, Network, NetworkError
from runtime.simulate.phone import Ended, PhoneError, Subscription, place
from runtime.simulate.profile import Person
from runtime.telephony import PROVIDERS
from tests.runtime.jumping import JumpingLoop, NetworkEnd, Parrot, Patient, ServerEnd, Spoken, rsa_key
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.pipeline import compile as compile_flow

PROMISE = "They have my notes"
FLOW = """
language: 1
flow: lead-qualification
version: "1"
company: Harbour House
purpose: pass callers on
slots: {}
start: hello
nodes:
  hello:
    kind: disclosure
    say: "I am the AI assistant of {company}. This call is recorded. Ask for a person at any time."
    next: to_desk
  to_desk: {kind: handoff, to: sales}
  nobody: {kind: end, say: "I am sorry, somebody will call you back today. Goodbye.", outcome: callback}
handoffs:
  sales:
    mode: warm
    say: I am connecting you with a colleague now. They have my notes.
    package: [reason, summary]
    if_unanswered: nobody
fallback:
  lost_model: {say: "I am sorry, I lost my thread. Goodbye.", go: nobody}
"""
STEPS = {"DeliverPackage", "PackageDelivered", "Transfer", "JoinCaller", "TransferAccepted", "EndCall"}
URL = "https://calls.test"
SECRET = "the-auth-token"


@dataclass
class Scene:
    """One call from its ring to its end, with hands on everything."""

    network: Network
    calls: Calls
    mouth: Patient
    lines: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    parrot: Parrot = field(default_factory=Parrot)
    ended: Ended | None = None
    reason: str = ""
    left: int = 0
    together: int = 0

    # --- while it goes on ---

    async def until(self, holds: Callable[[], object], within_s: float = 120) -> None:
        """Wait until this holds."""
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - the clock jumps, nobody waits
                await asyncio.sleep(0.01)

    async def until_joined(self) -> None:
        """Wait until both are in the room, and it has begun."""
        await self.until(lambda: any(one.began for one in self.network.rooms.values()))

    async def until_ringing(self) -> None:
        """Wait until a person is to be rung."""
        await self.until(lambda: "beside" in self.steps)

    async def over(self) -> None:
        """Wait until the call is over for us."""
        live = next(iter(self.calls._known.values()))
        async with asyncio.timeout(300):
            await live.ended.wait()

    async def pass_s(self, seconds: float) -> None:
        """Time goes by."""
        await asyncio.sleep(seconds)

    def room(self) -> list[Leg]:
        """Who is in the room."""
        return [leg for meeting in self.network.rooms.values() for leg, _ in meeting.members.values()]

    async def hang_up_caller(self) -> None:
        """The caller puts the receiver down, wherever they are."""
        self.mouth.hangs_up = True
        for leg in list(self.network.legs.values()):
            if not leg.outbound:
                leg.leaves.set()

    def hang_up_person(self) -> None:
        """The person puts the receiver down."""
        for leg in self.network.legs.values():
            if leg.outbound:
                leg.leaves.set()

    # --- afterwards ---

    @property
    def steps(self) -> list[str]:
        """The steps of the transfer, as the record notes them."""
        return [
            line["note"].get("step", "")
            for _, line in self.lines
            if line.get("note", {}).get("kind") == "transfer"
        ]

    def order(self) -> list[str]:
        """What of a handoff's order the record tells, in its order."""
        told, since = [], False
        for _, line in self.lines:
            one: Any = line.get("event") or line.get("effect")
            name = type(one).__name__ if one is not None else ""
            since = since or name == "DeliverPackage"
            if name in STEPS:
                told.append(name)
            elif name == "TransferProgressed":
                told.append(one.step)
            elif since and name in ("PlayScript", "PlaybackFinished") and "PlaybackFinished" not in told:
                told.append(name)
        return told

    def failed(self) -> str:
        """Why the transfer came to nothing."""
        for _, line in self.lines:
            if type(line.get("event")).__name__ in ("TransferUnanswered", "TransferRefused"):
                return str(line["event"].reason)
        return ""

    def said(self, words: str) -> int:
        """How often the caller heard these words."""
        return sum(
            words in getattr(line.get("event"), "text", "")
            for _, line in self.lines
            if type(line.get("event")).__name__ == "PlaybackFinished"
        )

    def silence_ms(self) -> int:
        """The longest time without a word to the caller between the promise and the next node's words."""
        ends = [
            at
            for at, line in self.lines
            if type(line.get("event")).__name__ == "PlaybackFinished"
            or type(line.get("effect")).__name__ in ("PlayScript", "Respond")
        ]
        return max((after - before for before, after in pairwise(ends)), default=0)

    def talking(self) -> int:
        """How many were in the room when the call was over for us."""
        return self.together

    def legs_left(self) -> int:
        """How many legs were alive at the end of it all."""
        return self.left


@cache
def artifact() -> Artifact:
    """The flow above."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flow.yaml"
        path.write_text(FLOW)
        compiled = compile_flow(str(path))
    assert compiled.artifact is not None, [f"{one.code} {one.message}" for one in compiled.findings]
    return compiled.artifact


def settings(folder: Path, carrier: str, toml: str) -> Settings:
    """Settings of a server on this carrier with an account at its REST interface."""
    folder.mkdir(parents=True, exist_ok=True)
    table = toml or '[handoffs.sales]\nnumber = "+15005550009"\n'
    head = f'[telephony]\nprovider = "{carrier}"\naccount = "{CARRIERS[carrier].account}"\n'
    (folder / "vfc.toml").write_text(head + '[dialling]\napi_url = "http://rest.test"\n' + table)
    environment = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9", "VFC_PUBLIC_URL": URL}
    secret = rsa_key() if carrier == "vonage" else "rest-secret"
    options = {"telephony.auth_token": SECRET, "dialling.secret": secret}
    return load(folder / "vfc.toml", environment, options)


def _deployment(chosen: Settings) -> Deployment:
    flow = artifact()
    session = SessionSettings(
        base_url="http://127.0.0.1:9", api_key="k", model="m", voice="marin", speed=1.0, tools=[]
    )
    voice: Any = Spoken()
    return Deployment(
        flow,
        {},
        voice,
        session,
        None,
        open_actions(flow.actions, chosen, flow=flow.flow, ledger=None, tell=lambda line: None),
        open_destinations(flow.handoffs, chosen),
    )


class _Order(httpx2.AsyncBaseTransport):
    """The REST interface, without sockets."""

    def __init__(self, network: Network) -> None:
        self.network = network

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        limit = request.extensions["timeout"]["read"]
        try:
            async with asyncio.timeout(limit):
                status, body = await self.network.order(
                    request.method, request.url.path, request.headers, request.content
                )
        except TimeoutError:
            raise httpx2.ReadTimeout("") from None
        if status == FAULT:
            raise httpx2.ReadError("")
        return httpx2.Response(status, content=body)


Do = Callable[[Scene], Awaitable[None]]


def staged(
    folder: Path,
    carrier: str,
    person: Person | Callable[[], Person],
    do: Do,
    *,
    interface: list[tuple[int, float] | None] | None = None,
    toml: str = "",
    board: Board | None = None,
    parrot: Parrot | None = None,
    caller: str = "+12025550101",
    dialled: Person = "accepts",
) -> Scene:
    """Place one call whose person behaves so, with `do` beside it; what came of it. `dialled`: what somebody
    the network itself rings does.
    """
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(
            _stage(
                folder, carrier, person, do, interface or [], toml, board, parrot or Parrot(), caller, dialled
            )
        )


async def _stage(
    folder: Path,
    carrier: str,
    person: Any,
    do: Do,
    interface: list[Any],
    toml: str,
    board: Board | None,
    parrot: Parrot,
    caller: str,
    dialled: Person,
) -> Scene:
    chosen = settings(folder, carrier, toml)
    provider, where = PROVIDERS[carrier], Place(URL, carrier)
    deployment = _deployment(chosen)
    scene: Scene

    async def with_parrot(caller: Caller, outside: Outside) -> str:
        await outside.session.close()
        return await carry(caller, replace(outside, session=scene.parrot))

    def watch(call_id: str, line: Mapping[str, Any]) -> None:
        scene.lines.append((int(asyncio.get_running_loop().time() * 1000), line))

    calls = Calls(
        chosen,
        {deployment.artifact.flow: deployment},
        alerts=Alerts(Metrics()),
        carry=with_parrot,
        watch=watch,
        board=board,
    )
    network = Network(CARRIERS[carrier], SECRET, _unready, person, pick_up)
    network.interface += interface
    rest = Rest(chosen, provider, _Order(network))
    webhooks = Webhooks(calls, provider, where, Split(Any, chosen, {}), Net(calls, provider, where), rest)  # type: ignore[arg-type]
    invited = Invited(calls, webhooks, rest)
    calls.ringer = invited.ringer
    media = Media(calls, provider, where)
    app = Starlette(routes=[*webhooks.routes(), *invited.routes()])
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app))

    async def ask(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        answer = await http.post(url, content=body, headers=dict(headers))
        return answer.status_code, answer.text

    async def connect(url: str, headers: Mapping[str, str]) -> NetworkEnd:
        path = "/" + url.split("/", 3)[3]
        why = media._turned_away(path, {name.lower(): value for name, value in headers.items()})
        assert why == ("", 0), why
        wire: Any = ServerEnd()
        _Waiting(media, wire, headers)
        return NetworkEnd(wire)

    network.ask, network.connect = ask, connect
    scene = Scene(network, calls, Patient(), parrot=parrot)
    to = Subscription(f"{URL}{where.voice}", SECRET, provider=carrier, network=network)
    greeting = audio.silence(60_000)
    calling = asyncio.ensure_future(
        place(to, scene.mouth, caller_number=caller, person=dialled, speak=lambda text: greeting)
    )
    await scene.until(lambda: calling.done() or calls._known)
    if calling.done():
        calling.result()
    over = asyncio.ensure_future(scene.over())
    over.add_done_callback(lambda done: setattr(scene, "together", len(scene.room())))
    try:
        await do(scene)
        await over
        await asyncio.sleep(5)  # what is to be hung up is, in a moment
        scene.reason = next(iter(calls._known.values())).reason or ""
        scene.left = len(network.legs)
    finally:
        over.cancel()
        await calls.close()
        await network.close()
        calling.cancel()
        for one in await asyncio.gather(calling, return_exceptions=True):
            if isinstance(one, Ended):
                scene.ended = one
            elif isinstance(one, (PhoneError, NetworkError, AssertionError)):
                raise one
        await rest.aclose()
        await http.aclose()
    return scene


async def _unready(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    raise AssertionError("asked before it was there")
