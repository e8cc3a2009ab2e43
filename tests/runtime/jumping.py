"""What a call without sockets and waiting needs: a clock that jumps, a model that says what it is told, a
media socket in memory.
"""

import asyncio
import selectors
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from websockets.exceptions import ConnectionClosedOK

from runtime import audio
from runtime.engine.effects import Respond
from runtime.session import model
from runtime.simulate.line import Deed, Moment


class _Jumping(selectors.DefaultSelector):
    """Never waits: what was to be waited for is over at once, and the clock says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("everything waits for something that never comes")
        if not ready and timeout:
            self.ahead += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows no waiting, and does what is for threads at once: runs are repeatable."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.ahead

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            done.set_exception(error)
        return done


class Parrot:
    """Implements ModelSession: says what the newest brief gives as an example, at once."""

    held = dropped = 0

    def __init__(self) -> None:
        self.playing = False
        self._told: list[Any] = []
        self._take: Callable[[Any], None] | None = None
        self._brief, self._items = "", 0
        self._orders: list[Respond] = []
        self.spoken: list[str] = []

    def connect(self) -> None: ...
    def open(self, instructions: str) -> None:
        self.tell(model.Ready())

    def tell(self, event: Any) -> None:
        """The call hears this of the session."""
        self._told.append(event)
        asyncio.get_running_loop().call_soon(self._hand_on)

    def _hand_on(self) -> None:
        while self._told and self._take is not None:
            self._take(self._told.pop(0))

    def hear(self, payload: str) -> None: ...
    def brief(self, text: str) -> None:
        self._brief = text

    def said(self, text: str) -> None: ...
    def heard(self, text: str) -> None: ...
    def answer(self, call_id: str, output: str) -> None: ...
    def respond(self, order: Respond) -> None:
        self._orders.append(order)

    def flush(self) -> None:
        for order in self._orders:
            if order.purpose == "speak" and order.speech_id:
                self._say(order.speech_id)
        self._orders.clear()

    def _say(self, speech: str) -> None:
        self._items += 1
        text = self._brief.partition('For example: "')[2].partition('"')[0] or "Mhm."
        self.spoken.append(text)
        sound = b64encode(spoken(text)).decode()
        self.tell(model.Audio(speech, f"i{self._items}", 0, sound))
        self.tell(model.Words(speech, text))
        self.tell(model.SpeechEnded(speech, ""))

    def stop(self, cut: model.Cut) -> None: ...
    def listen(self, take: Callable[[Any], None]) -> None:
        self._take = take
        self._hand_on()

    async def close(self) -> None:
        self.tell(None)


def spoken(text: str) -> bytes:
    """Words as sound: a third of a second each."""
    return audio.silence(330 * len(text.split()))


class Spoken:
    """Implements ScriptVoice."""

    async def render(self, text: str) -> bytes:
        return spoken(text)


@dataclass
class Patient:
    """A caller who listens until they put the receiver down."""

    hangs_up: bool = False

    def tick(self, moment: Moment) -> Deed:
        return Deed(audio.silence(20), hang_up=self.hangs_up)


class Wire:
    """A media socket in memory, both ends of it: the server's (MediaSocket) and the network's."""

    full = False

    def __init__(self) -> None:
        self._out: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._take: Callable[[str | bytes | None], None] = lambda message: None
        self.closed = False

    def listen(
        self, take: Callable[[str | bytes | None], None], flow: Callable[[], None] | None = None
    ) -> None:
        self._take = take

    def hold(self) -> None:
        """Nothing comes while the server makes up its mind; the network says nothing meanwhile."""

    def write(self, message: str | bytes | None) -> None:
        if not self.closed:
            self._out.put_nowait(message)


class ServerEnd(Wire):
    """What the server holds."""

    def send(self, message: str | bytes) -> None:
        self.write(message)

    def close(self, code: int = 1000) -> None:
        if not self.closed:
            self._out.put_nowait(None)
            self.closed = True
            asyncio.get_running_loop().call_soon(self._take, None)


class NetworkEnd:
    """What the network holds, as its media stream uses a client's connection."""

    def __init__(self, server: ServerEnd) -> None:
        self._server = server

    async def send(self, message: str | bytes) -> None:
        if self._server.closed:
            raise ConnectionClosedOK(None, None)
        self._server._take(message)

    def __aiter__(self) -> "NetworkEnd":
        return self

    async def __anext__(self) -> str | bytes:
        message = await self._server._out.get()
        if message is None:
            raise StopAsyncIteration
        return message

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self._server.closed:
            self._server.closed = True
            self._server._take(None)


@cache
def rsa_key() -> str:
    """A private key for Vonage's interface."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
