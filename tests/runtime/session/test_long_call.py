"""A call longer than a session may last, on an idle clock that leaps from minute to minute."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from runtime.engine.effects import Respond
from runtime.session.model import Answered, Lost, Noted, Patience, Ready, SessionSettings, SpeechEnded
from runtime.session.stand_in import StandIn
from runtime.simulate.clock import IdleLoop, idle
from tests.runtime.inbox import HeardSession

MINUTES = 62
SECOND = "/" * 10_668  # base64 of a second of mu-law silence


def settings(base_url: str) -> SessionSettings:
    return SessionSettings(
        base_url=base_url,
        api_key="any",
        model="gpt-realtime-2.1",
        voice="marin",
        speed=1.0,
        tools=[],
        # A leap of the clock is no silence of the server.
        patience=Patience(stall_ms=120_000),
    )


async def settle(loop: IdleLoop, stand_in: StandIn, seconds: float) -> None:
    """Let time pass in leaps; while a new connection is taken into use time passes as it does."""
    for _ in range(int(seconds / 5)):
        before = stand_in.connections
        loop.leap(5.0)
        await asyncio.sleep(0.005)
        if stand_in.connections != before:
            await asyncio.sleep(0.4)


async def speak(session: HeardSession, number: int) -> None:
    """One answer of the model, heard to its end."""
    session.respond(Respond(purpose="speak", speech_id=f"s{number}"))
    session.flush()
    async with asyncio.timeout(3600):
        while not isinstance(event := await session.receive(), Answered):
            assert not isinstance(event, Lost)
            seen.append(event)
        seen.append(event)
    session.heard(f"line {number}")


seen: list[object] = []


def test_a_call_of_62_minutes_is_not_cut() -> None:
    """The session moves to a new connection before its 60 minutes are over, between two turns, with a gap of
    at most half a second; nothing is lost, and the new one knows what was said.
    """
    seen.clear()

    async def hold() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, IdleLoop)
        async with StandIn(voice="text") as stand_in:
            session = HeardSession(settings(stand_in.base_url))
            session.connect()
            session.open("You are an assistant.")
            session.brief("Now at: the end")
            while not isinstance(await session.receive(), Ready):
                pass
            for minute in range(MINUTES):
                session.playing = True
                await speak(session, minute)
                session.playing = False
                session.hear(SECOND)
                await settle(loop, stand_in, 60)
            await session.close()
            while (event := await session.receive()) is not None:
                seen.append(event)

    with asyncio.Runner(loop_factory=idle(20)) as runner:
        runner.run(hold())
    moved = [event for event in seen if event == Noted("session_moved", "")]
    notes = [event for event in seen if isinstance(event, Noted)]
    gaps = [int(note.detail.split()[0]) for note in notes if note.kind == "session_gap"]
    assert len(moved) == len(gaps) == 1
    assert gaps[0] <= 500
    assert not [event for event in seen if isinstance(event, Lost)]
    assert len([event for event in seen if isinstance(event, SpeechEnded)]) == MINUTES


class Server:
    """A Realtime server that configures every session and remembers what each connection was sent."""

    def __init__(self) -> None:
        self.got: list[list[dict[str, Any]]] = []
        self._changed = asyncio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await self._changed.wait()

    async def serve(self, connection: ServerConnection) -> None:
        mine: list[dict[str, Any]] = []
        self.got.append(mine)
        self._changed.set()
        try:
            await connection.send(json.dumps({"type": "session.created", "session": {}}))
            async for message in connection:
                mine.append(json.loads(message))
                self._changed.set()
                if mine[-1]["type"] == "session.update":
                    await connection.send(json.dumps({"type": "session.updated", "session": {}}))
        except ConnectionClosed:
            return


async def moved_by(playing: bool) -> list[list[dict[str, Any]]]:
    """What both connections got when a session grew old while the caller did, or did not, hear something."""
    server = Server()
    async with serve(server.serve, "127.0.0.1", 0) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        old = Patience(session_ms=10, move_by_ms=600_000)
        chosen = SessionSettings(
            base_url=f"http://127.0.0.1:{port}/v1",
            api_key="any",
            model="m",
            voice="marin",
            speed=1.0,
            tools=[],
            patience=old,
        )
        session = HeardSession(chosen)
        session.playing = playing
        session.connect()
        session.open("You are an assistant.")
        session.brief("Now at: size")
        session.flush()
        while not isinstance(await session.receive(), Ready):
            pass
        session.heard("How many are you?")
        async with asyncio.timeout(90):
            await server.until(lambda: len(server.got) == 2)
        if playing:
            await asyncio.sleep(1.5)  # longer than a boundary takes to be seen
        else:
            while await session.receive() != Noted("session_moved", ""):
                pass
            session.hear(SECOND)
            async with asyncio.timeout(90):
                await server.until(
                    lambda: any(one["type"] == "input_audio_buffer.append" for one in server.got[1])
                )
        await session.close()
    return server.got


async def test_the_new_connection_is_told_where_the_call_stands() -> None:
    """It is configured with the same instructions, and told what was heard and the newest brief, before the
    caller's next words.
    """
    _, second = await moved_by(playing=False)
    kinds = [one["type"] for one in second]
    assert kinds[0] == "session.update"
    assert second[0]["session"]["instructions"] == "You are an assistant."
    told = [one["item"] for one in second if one["type"] == "conversation.item.create"]
    assert [(one["role"], one["content"][0]["text"]) for one in told] == [
        ("assistant", "How many are you?"),
        ("system", "Now at: size"),
    ]
    assert kinds.index("input_audio_buffer.append") > kinds.index("conversation.item.create")


async def test_a_session_does_not_move_while_the_caller_listens() -> None:
    """While something is played the old connection stays: what is heard of it is not known yet."""
    _, second = await moved_by(playing=True)
    assert second == []
