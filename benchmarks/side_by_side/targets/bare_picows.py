"""A relay that does nothing else, on picows: the payload of each message is spliced into the other side's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_connect, ws_create_server

from benchmarks.side_by_side.targets import main
from benchmarks.side_by_side.targets.protocol import SESSION

HEAD = b'{"type":"input_audio_buffer.append","audio":"'
TAIL = b'"}'


class ToModel(WSListener):
    """The model's side of one call."""

    def __init__(self, line: ToLine) -> None:
        super().__init__()
        self.line = line

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, SESSION)
        transport.send(WSMsgType.TEXT, b'{"type":"response.create"}')

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes()
        at = message.find(b'"delta":"')
        if at >= 0:
            self.line.play(message[at + 9 : message.index(b'"', at + 9)])


class ToLine(WSListener):
    """The telephone's side of one call."""

    def __init__(self, model_url: str) -> None:
        super().__init__()
        self.model_url = model_url
        self.line: WSTransport | None = None
        self.model: WSTransport | None = None
        self.head = b""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.line = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        message = frame.get_payload_as_bytes()
        at = message.find(b'"payload":"')
        if at >= 0:
            if self.model is not None:
                payload = message[at + 11 : message.index(b'"', at + 11)]
                self.model.send(WSMsgType.TEXT, HEAD + payload + TAIL)
        elif b'"start"' in message:
            at = message.index(b'"streamSid":"') + 13
            stream = message[at : message.index(b'"', at)]
            self.head = b'{"event":"media","streamSid":"' + stream + b'","media":{"payload":"'
            self.opening = asyncio.ensure_future(self.open())

    async def open(self) -> None:
        url = self.model_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime"
        self.model, _ = await ws_connect(lambda: ToModel(self), url)

    def play(self, payload: bytes) -> None:
        if self.line is not None:
            self.line.send(WSMsgType.TEXT, self.head + payload + b'"}}')

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.model is not None:
            self.model.disconnect()


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """The relay on a free port."""

    def accept(request: WSUpgradeRequest) -> ToLine:
        return ToLine(model_url)

    server = await ws_create_server(accept, "127.0.0.1", 0)
    yield {"media_url": f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/media"}
    server.close()


if __name__ == "__main__":
    main(opened)
