"""OpenAI's speech endpoint: exact words as audio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import openai

from runtime.ports import OutsideFailure
from runtime.session.tls import authorities


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """Where and how exact words are rendered."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    voice: str
    speed: float
    timeout_s: float = 20.0


def speech(settings: SpeechSettings) -> Callable[[str], Awaitable[bytes]]:
    """OpenAI's speech endpoint as a function from exact words to PCM16 mono at 24 kHz. It raises
    OutsideFailure.
    """

    async def speak(text: str) -> bytes:
        async with openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key,
            timeout=settings.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(verify=authorities()),
        ) as client:
            try:
                spoken = await client.audio.speech.create(
                    model=settings.model,
                    voice=settings.voice,
                    input=text,
                    speed=settings.speed,
                    response_format="pcm",
                )
            except openai.APIStatusError as error:
                raise OutsideFailure(
                    "unauthorized" if error.status_code in (401, 403) else "refused"
                ) from None
            except openai.APIConnectionError:
                raise OutsideFailure("unreachable") from None
            return spoken.content

    return speak
