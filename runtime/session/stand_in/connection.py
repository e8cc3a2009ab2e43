"""One WebSocket of the stand-in: reads client events, performs the conversation's orders, writes in one
order.

Everything that goes out passes one queue, so events keep the order in which the conversation made them,
whatever tasks are playing. Hearing and speaking run in threads: a decoder must not hold up the loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from runtime.session.stand_in import prompt
from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.conversation import Begin, Close, Conversation, Hear, Out, Stop
from runtime.session.stand_in.faults import Drop, FaultPlan, Frame, Raw, Saboteur, Stall
from runtime.session.stand_in.items import Item
from runtime.session.stand_in.responses import COMPLETED, Ending, Pace, Response, Wait, play
from runtime.session.stand_in.turns import Output, Policy, Say
from runtime.voices import Voice

Watch = Callable[[str, Json], None]
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a stand-in behaves on every connection."""

    policy: Policy
    pace: Pace
    think_ms: float  # from response.created to the first output
    transcript_delay_ms: float
    session_limit_s: float
    clock: Callable[[], float]  # epoch seconds
    watch: Watch  # sees every event that comes in or goes out, every fault that was carried out, and the end


class Connection:
    """The shell around one Conversation."""

    def __init__(
        self, socket: WebSocket, conversation: Conversation, voice: Voice, manner: Manner, plan: FaultPlan
    ) -> None:
        self._socket, self._conversation, self._voice, self._manner = socket, conversation, voice, manner
        self._saboteur = Saboteur(plan)
        self._outgoing: asyncio.Queue[Frame] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._playing: dict[str, asyncio.Task[None]] = {}
        self._hearing: dict[str, asyncio.Task[None]] = {}
        self._failure: BaseException | None = None
        self._voice_lock = asyncio.Lock()  # one decoder, one utterance at a time

    async def serve(self, wire: Callable[[], asyncio.Transport | None]) -> None:
        """Hold the conversation until either side ends it; leaves no task behind. `wire` gives what carries
        it, so that a fault can cut it.
        """
        self._perform(self._conversation.opening())
        reading = self._start(self._read())
        writing = self._start(self._write(wire))
        self._start(self._expire())
        await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._manner.watch("end", {"type": "closed"})
        if self._failure:
            raise self._failure

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if (
            not task.cancelled() and task.exception() is not None
        ):  # our own bug, or a policy's: loud, and the call ends
            self._failure = self._failure or task.exception()
            self._outgoing.put_nowait(Drop(1011))

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            event, at_s = self._parsed(message)
            self._manner.watch("in", event if isinstance(event, dict) else {})
            self._perform(self._conversation.receive(event, at_s))

    def _parsed(self, message: Any) -> tuple[Any, float]:
        text = message.get("text")
        try:
            event = json.loads(text if text is not None else message.get("bytes") or b"")
        except (ValueError, RecursionError):
            event = None
        return event, self._manner.clock()

    async def _expire(self) -> None:
        await asyncio.sleep(max(0.0, self._conversation.session["expires_at"] - self._manner.clock()))
        self._perform(self._conversation.expire())

    async def _write(self, wire: Callable[[], asyncio.Transport | None]) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the peer went first: nobody is left to tell
            while True:
                match await self._outgoing.get():
                    case Raw(str(text)):
                        await self._socket.send_text(text)
                    case Raw(bytes(data)):
                        await self._socket.send_bytes(data)
                    case Drop(None):
                        self._manner.watch("fault", {"type": "drop"})
                        if transport := wire():
                            transport.abort()
                        return None
                    case Drop(code):
                        return await self._socket.close(code or 1000)
                    case Stall(frozen):
                        self._manner.watch("fault", {"type": "stall"})
                        if frozen and (transport := wire()):
                            transport.pause_reading()
                        await asyncio.get_running_loop().create_future()
                    case dict() as event:
                        self._manner.watch("out", event)
                        await self._socket.send_text(json.dumps(event))

    def _perform(self, outs: Iterable[Out]) -> None:
        """Do what the conversation ordered. Never awaits, so that no other task sees half of a change."""
        late: str | None = None
        for out in outs:
            match out:
                case Hear(item):
                    self._hearing[item.id] = self._start(self._hear(item))
                case Begin(response):
                    self._playing[response.id] = self._start(
                        self._respond(response, self._saboteur.responses)
                    )
                case Stop(response):
                    late = self._stop(response)
                case Close(code):
                    self._outgoing.put_nowait(Drop(code))
                case event:
                    assert isinstance(event, dict)
                    if late and event["type"] == "response.output_audio.done":
                        self._send(*self._saboteur.late(event))
                    self._send(event)

    def _send(self, *events: Json) -> None:
        for event in events:
            for frame in self._saboteur.pass_on(event):
                self._outgoing.put_nowait(frame)

    def _stop(self, response: Response) -> str | None:
        task = self._playing.pop(response.id, None)
        if task is None or task is asyncio.current_task():
            return None
        task.cancel()
        return response.id

    async def _hear(self, item: Item) -> None:
        phrases = prompt.likely_phrases(
            self._conversation.session, [one.entry() for one in self._conversation.items]
        )
        async with self._voice_lock:
            words = await self._off_loop(self._voice.hear, bytes(item.audio), phrases)
        item.heard = words or ""
        # The model hears at once; the transcript comes from elsewhere and may be later than the answer.
        self._start(self._transcribe(item, words))

    async def _transcribe(self, item: Item, words: str | None) -> None:
        await asyncio.sleep(self._manner.transcript_delay_ms / 1000)
        self._perform(self._conversation.heard(item, words))

    async def _respond(self, response: Response, ordinal: int) -> None:
        if self._manner.think_ms:
            await asyncio.sleep(self._manner.think_ms / 1000)
        await asyncio.gather(*(self._hearing[item.id] for item in response.seen if item.id in self._hearing))
        outputs = self._saboteur.alter(tuple(self._manner.policy(response.turn())), ordinal)
        rendered = [(output, await self._render(output, response)) for output in outputs]
        for step in play(self._conversation, response, rendered, self._manner.pace):
            if not isinstance(step, Wait):
                self._send(step)
            else:
                await asyncio.sleep(step.ms / 1000)
        planned = Ending("incomplete", "max_output_tokens") if response.over_budget else COMPLETED
        self._perform(self._conversation.finish(response, self._saboteur.ending(ordinal, planned)))

    async def _render(self, output: Output, response: Response) -> bytes:
        if not isinstance(output, Say) or response.modality != "audio":
            return b""
        async with self._voice_lock:
            return await self._off_loop(self._voice.speak, output.text)

    async def _off_loop(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return (
            work(*arguments, **named)
            if self._voice.quick
            else await asyncio.to_thread(work, *arguments, **named)
        )
