"""Pipecat's Twilio serializer and OpenAI Realtime service in one pipeline, PCM at 24 kHz between them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.side_by_side.targets import main, uvicorn_on

RATE = 24_000


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """The bot on a free port."""
    from fastapi import FastAPI, WebSocket
    from loguru import logger
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.runner import PipelineRunner
    from pipecat.pipeline.task import PipelineParams, PipelineTask
    from pipecat.serializers.twilio import TwilioFrameSerializer
    from pipecat.services.openai.realtime.events import SessionProperties, TurnDetection
    from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
    from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport

    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    url = model_url.replace("http", "ws", 1) + "/realtime"
    app = FastAPI()

    async def media_stream(line: WebSocket) -> None:
        await line.accept()
        start: dict[str, str] = {}
        while not start:
            start = json.loads(await line.receive_text()).get("start", {})
        unhung = TwilioFrameSerializer.InputParams(auto_hang_up=False)
        serializer = TwilioFrameSerializer(start["streamSid"], start["callSid"], params=unhung)
        params = FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, add_wav_header=False, serializer=serializer
        )
        transport = FastAPIWebsocketTransport(websocket=line, params=params)
        properties = SessionProperties(
            audio={"input": {"turn_detection": TurnDetection()}}, instructions="Talk."
        )
        llm = OpenAIRealtimeLLMService(
            api_key="none",
            base_url=url,
            settings=OpenAIRealtimeLLMService.Settings(session_properties=properties),
        )
        rates = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
        task = PipelineTask(Pipeline([transport.input(), llm, transport.output()]), params=rates)
        await PipelineRunner(handle_sigint=False).run(task)

    media_stream.__annotations__["line"] = WebSocket  # FastAPI reads types at run time
    app.websocket("/media")(media_stream)
    async with uvicorn_on(app, "/media") as address:
        yield address


if __name__ == "__main__":
    main(opened)
