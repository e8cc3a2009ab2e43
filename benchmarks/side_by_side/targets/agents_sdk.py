"""The OpenAI Agents SDK in its pattern for Twilio: mu-law both ways, every frame of the caller at once, and a
tracker that hears of what was played by marks.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.side_by_side.targets import main, uvicorn_on

BUFFER_BYTES = 160  # 20 ms: the pattern gathers 50, which alone would be more than is allowed here


class Call:
    """One call on the SDK's session."""

    def __init__(self, line: Any, session: Any, tracker: Any, stream: str) -> None:
        self.line, self.session, self.tracker, self.stream = line, session, tracker, stream
        self.buffer = bytearray()
        self.marks: dict[str, tuple[str, int, int]] = {}
        self.number = 0

    async def to_model(self) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            async for text in self.line.iter_text():
                message = json.loads(text)
                if message["event"] == "media":
                    self.buffer += base64.b64decode(message["media"]["payload"])
                    if len(self.buffer) >= BUFFER_BYTES:
                        await self.session.send_audio(bytes(self.buffer))
                        self.buffer.clear()
                elif message["event"] == "mark":
                    item = self.marks.pop(message["mark"]["name"], None)
                    if item is not None:
                        self.tracker.on_play_bytes(item[0], item[1], b"\xff" * item[2])
        except WebSocketDisconnect:
            pass

    async def to_line(self) -> None:
        async for event in self.session:
            if event.type == "audio":
                audio = event.audio.data
                payload = base64.b64encode(audio).decode()
                await self._tell({"event": "media", "media": {"payload": payload}})
                self.number += 1
                self.marks[str(self.number)] = (event.audio.item_id, event.audio.content_index, len(audio))
                await self._tell({"event": "mark", "mark": {"name": str(self.number)}})
            elif event.type == "audio_interrupted":
                await self._tell({"event": "clear"})

    async def _tell(self, event: dict[str, Any]) -> None:
        await self.line.send_text(json.dumps(event | {"streamSid": self.stream}))


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """The relay on a free port."""
    from agents import set_tracing_disabled
    from agents.realtime import RealtimeAgent, RealtimePlaybackTracker, RealtimeRunner
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    set_tracing_disabled(True)
    url = model_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime"
    settings = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"}

    async def media_stream(line: WebSocket) -> None:
        await line.accept()
        stream = ""
        while not stream:
            stream = json.loads(await line.receive_text()).get("streamSid", "")
        tracker = RealtimePlaybackTracker()
        runner = RealtimeRunner(RealtimeAgent(name="caller", instructions="Talk."))
        turns = {"turn_detection": {"type": "server_vad", "interrupt_response": True}}
        config: Any = {
            "api_key": "none",
            "url": url,
            "initial_model_settings": settings | turns,
            "playback_tracker": tracker,
        }
        async with await runner.run(model_config=config) as session:
            call = Call(line, session, tracker, stream)
            back = asyncio.create_task(call.to_line())
            await call.to_model()
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    async with uvicorn_on(Starlette(routes=[WebSocketRoute("/media", media_stream)]), "/media") as address:
        yield address


if __name__ == "__main__":
    main(opened)
