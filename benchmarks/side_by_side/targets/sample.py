"""A relay in the manner of the public samples: FastAPI, `websockets`, the json module, marks, and truncation
by the telephone's clock.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.side_by_side.targets import main, uvicorn_on
from benchmarks.side_by_side.targets.protocol import SESSION


class Call:
    """The state the samples keep in nested functions."""

    def __init__(self, line: Any, model: Any) -> None:
        self.line, self.model = line, model
        self.stream = ""
        self.latest = 0
        self.began: int | None = None
        self.item = ""
        self.marks: list[str] = []

    async def to_model(self) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            async for text in self.line.iter_text():
                message = json.loads(text)
                if message["event"] == "media" and self.model.state.name == "OPEN":
                    self.latest = int(message["media"]["timestamp"])
                    event = {"type": "input_audio_buffer.append", "audio": message["media"]["payload"]}
                    await self.model.send(json.dumps(event))
                elif message["event"] == "start":
                    self.stream = message["start"]["streamSid"]
                elif message["event"] == "mark" and self.marks:
                    self.marks.pop(0)
        except WebSocketDisconnect:
            pass

    async def to_line(self) -> None:
        async for text in self.model:
            event = json.loads(text)
            if event["type"] == "response.output_audio.delta":
                payload = base64.b64encode(base64.b64decode(event["delta"])).decode()
                await self._tell({"event": "media", "media": {"payload": payload}})
                if event.get("item_id") != self.item:
                    self.item, self.began = event["item_id"], self.latest
                await self._tell({"event": "mark", "mark": {"name": "responsePart"}})
                self.marks.append("responsePart")
            elif event["type"] == "input_audio_buffer.speech_started":
                await self._interrupted()

    async def _interrupted(self) -> None:
        if not self.marks or self.began is None:
            return
        told = {"type": "conversation.item.truncate", "item_id": self.item, "content_index": 0}
        await self.model.send(json.dumps(told | {"audio_end_ms": self.latest - self.began}))
        await self._tell({"event": "clear"})
        self.marks.clear()
        self.item, self.began = "", None

    async def _tell(self, event: dict[str, Any]) -> None:
        await self.line.send_json(event | {"streamSid": self.stream})


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """The relay on a free port."""
    from fastapi import FastAPI, WebSocket
    from websockets.asyncio.client import connect

    url = model_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime"
    app = FastAPI()

    async def media_stream(line: WebSocket) -> None:
        await line.accept()
        async with connect(url, max_size=None) as model:
            await model.send(SESSION)
            await model.send('{"type":"response.create"}')
            call = Call(line, model)
            back = asyncio.create_task(call.to_line())
            await call.to_model()
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    media_stream.__annotations__["line"] = WebSocket  # FastAPI reads types at run time
    app.websocket("/media-stream")(media_stream)
    async with uvicorn_on(app, "/media-stream") as address:
        yield address


if __name__ == "__main__":
    main(opened)
