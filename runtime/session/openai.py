"""The OpenAI Realtime session of one call: its socket, its patience, one reconnection at a time.

Laws
1. A reconnection configures the new session and replays the conversation first: a blank one would be worse
   than none.
2. An end of the stream, however polite, is a loss (the server's own close code is 1001).
3. Pings do not tell a frozen model: a response under way without any event for `stall_ms` is a loss.
4. A session moves to a new connection before the server ends it (60 minutes), at a turn boundary: the new
   one is connected before the old one is left.
5. A refusal that will repeat itself (401, 403, no quota) is never tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import quote

import openai

from runtime.audio import base64_bytes
from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.events import Told
from runtime.session.model import Cut, Lost, Noted, Ready, SessionEvent, SessionSettings, SpeechEnded
from runtime.session.tls import authorities
from runtime.session.unsent import Unsent
from runtime.websocket import Message, RefusedError, Socket, connect, nobody

POLICY_CLOSE: Final = "closed_1008"
DOOR_SHUT: Final = "unusable"
BABBLE: Final = 50  # messages nobody can read, within BABBLE_S: whoever sends them is no model
BABBLE_S: Final = 10.0
BOUNDARY_S: Final = 1.0  # without a word from the server, so that nothing of the last turn is still to come
AGAIN_S: Final = 10.0
PREROLL_FRAMES: Final = 150  # three seconds of 20 ms, for a session that is not ready: no word may be lost
LEAST_WATCH_MS: Final = 20
# base64 of one second of silence (mu-law 0xFF, PCM 0x00), to the next whole group
PADDING: Final = {"audio/pcm": "A" * 64_000}
MULAW_PADDING: Final = "/" * 10_668
PING_S: Final = 10.0
MOST_MESSAGE: Final = 16 * 1024 * 1024
AHEAD: Final = 4096  # bytes; a third of a second of mu-law in JSON


@lru_cache(maxsize=8)
def _headers(base_url: str, api_key: str) -> dict[str, str]:
    """Who we are to the server, as the SDK would say it (with the organization and project of the
    environment).
    """
    client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0)
    of_account = {"OpenAI-Organization": client.organization, "OpenAI-Project": client.project}
    return client.auth_headers | {name: value for name, value in of_account.items() if value}


class _UnreachableError(Exception):
    """The connection could not be made. `final`: trying again cannot help."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason, self.final = reason, final


@dataclass(frozen=True, slots=True)
class _Moved:
    """The connection to go on with."""

    connection: Socket


class OpenAISession:
    """Implements ModelSession over `client.realtime`. Made and used on one event loop."""

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._now = asyncio.get_running_loop().time  # seconds
        self._conversation = Conversation(settings)
        self._told = Told()
        self._unsent = Unsent()
        self._preroll: deque[str] = deque(maxlen=PREROLL_FRAMES)
        self._unread: deque[float] = deque(maxlen=BABBLE)
        self._opened = asyncio.Event()
        self._instructions = ""
        self._task: asyncio.Task[None] | None = None
        self._socket: Socket | None = None
        self._leaving: set[Socket] = set()
        self._dead = self._closed = False
        self.playing = False
        self._moved_at = 0.0
        self._heard_at = self._progress_at = self._began_at = 0.0

    # ---- orders (each returns at once)

    def connect(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._live(), name="model-session")

    def open(self, instructions: str) -> None:
        self._instructions = instructions
        self._opened.set()

    def hear(self, payload: str) -> None:
        self._heard_at = self._now()
        conversation, socket = self._conversation, self._socket
        if not conversation.ready:
            self._preroll.append(payload)
        else:
            size = base64_bytes(payload)
            conversation.appended_bytes += size
            if socket is None or socket.full or self._unsent:
                # The server's times count what it gets.
                conversation.appended_bytes -= self._unsent.put_live(wire.append_audio(payload), size)
                self._flow()
            else:
                socket.send(wire.append_audio(payload))

    def brief(self, text: str) -> None:
        self._conversation.brief(text)

    def said(self, text: str) -> None:
        self._conversation.said(text)

    def heard(self, text: str) -> None:
        self._conversation.heard(text)

    def answer(self, call_id: str, output: str) -> None:
        self._conversation.answer(call_id, output)

    def respond(self, order: Respond) -> None:
        self._conversation.respond(order)
        if self._dead:
            self._told.soon(self._conversation.lose())

    def flush(self) -> None:
        busy = self._conversation.busy
        self._told.soon(self._conversation.ask())
        if not busy:
            self._progress_at = self._now()
        self._send()

    def stop(self, cut: Cut) -> None:
        self._told.soon(self._conversation.stop(cut))
        self._send()

    @property
    def held(self) -> int:
        """How many bytes wait here; events do not, since the call takes them as they come."""
        return self._unsent.held + sum(map(len, self._preroll)) + self._conversation.held

    @property
    def dropped(self) -> int:
        """Frames of the caller's audio that were late for the model, and never sent."""
        return self._unsent.dropped

    def listen(self, take: Callable[[SessionEvent | None], None]) -> None:
        self._told.listen(take)

    async def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for socket in tuple(self._leaving):
            await socket.wait_gone()
        self._told.soon([None])

    # ---- the life of a session: connect, serve, lose, perhaps again

    async def _live(self) -> None:
        attempt, spare = 1, None
        while True:
            connection, spare = spare, None
            try:
                connection = connection or await self._connected()
                ended = await self._serve(connection)
            except _UnreachableError as refusal:
                ended = Lost(refusal.reason, refusal.final)
            finally:
                if connection is not None:
                    self._leave(connection)
            if isinstance(ended, _Moved):
                spare = ended.connection
                self._move()
                continue
            turned_away = ended.reason == POLICY_CLOSE and not self._conversation.ready
            if turned_away or (ended.final and ended.reason != DOOR_SHUT):
                self._settings.door.refused(self._now(), final=ended.final)
            final = ended.final or attempt == self._settings.patience.attempts
            self._lose(Lost(ended.reason, final))
            if final:
                return
            await asyncio.sleep(self._settings.patience.retry_ms * attempt * random.uniform(0.5, 1) / 1000)
            attempt += 1

    def _move(self) -> None:
        self._moved_at = self._now()
        self._unsent.clear()
        self._told.soon(self._conversation.move())

    def _leave(self, socket: Socket) -> None:
        """Say goodbye beside everything else: a frozen peer answers none, and nobody may wait for it."""
        self._leaving = {one for one in self._leaving if not one.gone} | {socket}
        socket.listen(nobody)
        socket.close()

    def _lose(self, lost: Lost) -> None:
        self._dead = lost.final
        self._unsent.clear()
        # What became of the turns asked about is the engine's to decide when the session is back.
        ended = [event for event in self._conversation.lose() if isinstance(event, SpeechEnded)]
        self._told.soon([lost, *ended])

    async def _connected(self) -> Socket:
        settings = self._settings
        if settings.door.shut(self._now()):
            raise _UnreachableError(DOOR_SHUT, final=True)
        url = f"ws{settings.base_url.removeprefix('http')}/realtime?model={quote(settings.model)}"
        try:
            # Not wait_for: before Python 3.12 it can swallow a cancellation, and a hang-up would never end.
            async with asyncio.timeout(settings.patience.connect_ms / 1000):
                socket = await connect(
                    url,
                    _headers(settings.base_url, settings.api_key),
                    most=MOST_MESSAGE,
                    trust=authorities() if url.startswith("wss:") else None,
                    ping_s=PING_S,
                )
                socket.ahead(AHEAD)
                return socket
        except RefusedError as error:
            raise _unreachable(error) from None
        except TimeoutError:
            raise _UnreachableError("connect_timeout", final=False) from None
        except OSError:
            raise _UnreachableError("refused", final=False) from None

    async def _serve(self, socket: Socket) -> Lost | _Moved:
        """Run one connection until it is lost or left; whichever comes first says why."""
        await self._opened.wait()
        self._conversation.configure(self._instructions)
        self._began_at = self._progress_at = self._heard_at = self._now()
        self._unread.clear()
        lost: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()
        self._socket = socket
        self._send()
        socket.listen(partial(self._hear, socket, lost), self._flow)
        works: tuple[Coroutine[None, None, Lost | _Moved], ...] = (self._watch(), self._age())
        tasks = [asyncio.create_task(work, name="model-socket") for work in works]
        ends: list[asyncio.Future[Any]] = [lost, *tasks]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            ended: Lost | _Moved = next(iter(done)).result()
            return ended
        finally:
            self._socket = None
            lost.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hear(self, socket: Socket, lost: asyncio.Future[Lost], message: Message | None) -> None:
        """One message of the server, or its end."""
        if lost.done():
            return
        if message is None:
            lost.set_result(Lost(_close_reason(socket), final=False))
            return
        self._progress_at = self._now()
        try:
            for event in self._conversation.take(wire.decode(message)):
                if isinstance(event, Lost) or self._babbles(event):
                    lost.set_result(event if isinstance(event, Lost) else Lost("babbles", final=False))
                    return
                self._take(event)
            self._send()
        except Exception as error:  # noqa: BLE001 - whoever runs this session must know, not the socket
            lost.set_exception(error)

    async def _age(self) -> Lost | _Moved:
        """Connect anew before the server ends the session, and go there when nobody speaks."""
        patience, born = self._settings.patience, self._now()
        await asyncio.sleep(patience.session_ms / 1000)
        while True:
            try:
                connection = await self._connected()
                break
            except _UnreachableError:
                await asyncio.sleep(AGAIN_S)
        try:
            while True:
                if self._may_move(late=self._now() - born > patience.move_by_ms / 1000):
                    return _Moved(connection)
                await asyncio.sleep(BOUNDARY_S / 4)
        except asyncio.CancelledError:
            self._leave(connection)
            raise

    def _may_move(self, *, late: bool) -> bool:
        """Whether this is a turn boundary; near the end any moment without a response must do."""
        if late:
            return not self._conversation.busy
        settled = self._now() - self._progress_at > BOUNDARY_S
        return settled and not self.playing and self._conversation.movable

    def _take(self, event: SessionEvent) -> None:
        self._told.now(event)
        moved = isinstance(event, Noted) and event.kind == "session_moved"
        if isinstance(event, Ready) or moved:
            self._settings.door.opened()
            self._send()
            while self._preroll:
                self._append(self._preroll.popleft())
        if moved:
            self._told.soon([Noted("session_gap", f"{(self._now() - self._moved_at) * 1000:.0f} ms")])
            self.flush()

    async def _watch(self) -> Lost:
        patience = self._settings.patience
        while True:
            await asyncio.sleep(self._until_deadline())
            now = self._now()
            if not self._conversation.ready and now - self._began_at > patience.configure_ms / 1000:
                return Lost("configure_timeout", final=False)
            if self._conversation.busy and now - self._progress_at > patience.stall_ms / 1000:
                return Lost("stalled", final=False)
            if self._unsent.stuck:
                return Lost("not_reading", final=False)
            if self._conversation.caller_speaking and now - self._heard_at > patience.silence_ms / 1000:
                # The server's VAD runs on audio, not on time: without frames it would never hear the end
                # of the turn.
                self._heard_at = now
                if not self._unsent:  # what does not get through would pile up
                    self._append(PADDING.get(self._settings.audio_format, MULAW_PADDING))
                    self._told.soon([Noted("silence_padded", "")])

    def _until_deadline(self) -> float:
        """Seconds until something may be overdue. What begins meanwhile cannot be overdue before that.

        A clock that ticks on every call costs as much as a frame of audio each time: waking is what is dear.
        """
        patience, now = self._settings.patience, self._now()
        waits: list[float] = [patience.stall_ms, patience.silence_ms]
        if not self._conversation.ready:
            waits.append(patience.configure_ms - 1000 * (now - self._began_at))
        if self._conversation.busy:
            waits.append(patience.stall_ms - 1000 * (now - self._progress_at))
        if self._conversation.caller_speaking:
            waits.append(patience.silence_ms - 1000 * (now - self._heard_at))
        return max(LEAST_WATCH_MS, min(waits) + 1) / 1000

    # ---- small steps

    def _babbles(self, event: SessionEvent) -> bool:
        """Whether this is one unreadable message too many."""
        if not (isinstance(event, Noted) and event.kind == "model_malformed"):
            return False
        self._unread.append(self._now())
        return len(self._unread) == BABBLE and self._unread[-1] - self._unread[0] <= BABBLE_S

    def _append(self, payload: str) -> None:
        self._conversation.appended_bytes += base64_bytes(payload)
        self._put(wire.append_audio(payload))

    def _send(self) -> None:
        """Send what the conversation has to say."""
        for message in self._conversation.drain():
            self._put(message)

    def _put(self, message: str) -> None:
        """Send this, after what waits because the server took nothing."""
        socket = self._socket
        if socket is not None and not socket.full and not self._unsent:
            socket.send(message)
        elif not self._dead:
            self._unsent.put(message)
            self._flow()

    def _flow(self) -> None:
        """The server may take again."""
        socket, unsent = self._socket, self._unsent
        while socket is not None and unsent and not socket.full:
            socket.send(unsent.take())


def _unreachable(error: RefusedError) -> _UnreachableError:
    if error.status in (401, 403):
        return _UnreachableError("unauthorized", final=True)
    if b"insufficient_quota" in error.body:
        return _UnreachableError("insufficient_quota", final=True)
    return _UnreachableError("rate_limited" if error.status == 429 else "refused", final=False)


def _close_reason(socket: Socket) -> str:
    return "closed" if socket.close_code is None else f"closed_{socket.close_code}"
