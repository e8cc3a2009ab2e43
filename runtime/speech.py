"""Script audio: exact words in a line's format, rendered once and kept by what they are.

Laws
1. The same words in the same voice are the same file: its name is the hash of voice, speed, words and format.
2. A file appears whole or not at all, so two processes may render at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.audio import PCMU, Format, from_pcm16
from runtime.ports import OutsideFailure

SPOKEN_HZ: Final = 24_000
KEPT_AS: Final = {"audio/pcmu": ("mulaw-8000", "ulaw"), "audio/pcm": ("pcm16-24000", "pcm")}
TOGETHER: Final = 4  # scripts rendered at the same time

Speak = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class ScriptAudio:
    """A ScriptVoice that renders with `speak` (words to PCM16 at 24 kHz) and keeps what it made in `folder`.

    `identity` says what the sound depends on beside the words: provider, model, voice and speed.
    """

    speak: Speak
    folder: Path
    identity: str
    audio: Format = PCMU

    def path(self, text: str) -> Path:
        """Where the audio of these words is kept."""
        kind, ending = KEPT_AS[self.audio.name]
        key = "\0".join((kind, self.identity, text))
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.{ending}"

    async def render(self, text: str) -> bytes:
        """The words as the line carries them. Raises OutsideFailure when they cannot be had."""
        path = self.path(text)
        kept = await asyncio.to_thread(_read, path)
        if kept:
            return kept
        spoken = await self.speak(text)
        fitted = await asyncio.to_thread(from_pcm16, spoken, SPOKEN_HZ, self.audio)
        if not fitted:
            raise OutsideFailure("no_audio")
        await asyncio.to_thread(_write, path, fitted)
        return fitted


async def prepare(scripts: Mapping[str, str], voice: ScriptAudio) -> dict[str, bytes]:
    """Every script of an artifact (words by name) as audio by name. Raises OutsideFailure."""
    places = asyncio.Semaphore(TOGETHER)

    async def one(text: str) -> bytes:
        async with places:
            return await voice.render(text)

    audio = await asyncio.gather(*(one(text) for text in scripts.values()))
    return dict(zip(scripts, audio, strict=True))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Keep it if the disk lets us; words that cannot be kept are rendered again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)  # noqa: PTH105
    except OSError:
        return
