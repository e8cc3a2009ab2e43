"""Flows as they were served before, for calls that began with them and go on now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from runtime.ports import Alert, Ledger
from runtime.server.deploy import Deployment, deploy
from runtime.server.tokens import LIFETIME_MS
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import ArtifactError, decode

log = structlog.get_logger()

KEPT_S: Final = 2 * LIFETIME_MS / 1000  # longer than a token opens a stream


@dataclass(slots=True)
class Versions:
    """Deployments by content hash, made when they are asked for from what `deploy` kept."""

    settings: Settings
    ledger: Ledger
    alert: Alert
    tell: Callable[[str], None]
    runs: Callable[[Deployment], bool] = lambda deployment: True
    clock: Callable[[], float] = time.monotonic
    _made: dict[str, asyncio.Task[Deployment | None]] = field(default_factory=dict)
    _found_s: dict[str, float] = field(default_factory=dict)

    async def find(self, content_hash: str) -> Deployment | None:
        """The flow whose hash begins so; None where it was not kept here, or cannot be served any more."""
        if content_hash not in self._made:
            self._made[content_hash] = asyncio.create_task(self._make(content_hash))
        self._found_s[content_hash] = self.clock()
        made = await asyncio.shield(self._made[content_hash])
        if made is None:
            del self._made[content_hash]
        return made

    async def _make(self, content_hash: str) -> Deployment | None:
        try:
            artifact = decode(await asyncio.to_thread(self._kept, content_hash))
            if not artifact.content_hash.startswith(content_hash):
                return None
            return await deploy(artifact, self.settings, self.tell, self.ledger, self.alert)
        except (OSError, ValueError, ArtifactError, SettingsError) as error:
            log.error("version.unusable", artifact=content_hash, kind=type(error).__name__)
            return None

    def _kept(self, content_hash: str) -> bytes:
        (path,) = (self.settings.records / "artifacts").glob(f"{content_hash}*.json")
        return path.read_bytes()

    async def let_go(self) -> None:
        """Let go of what no call runs on, nor a stream may yet come for."""
        past_s = self.clock() - KEPT_S
        for content_hash, task in list(self._made.items()):
            made = task.result() if task.done() else None
            if made is not None and self._found_s[content_hash] < past_s and not self.runs(made):
                del self._made[content_hash]
                await made.close()

    async def close(self) -> None:
        """Let go of what was made."""
        for made in await asyncio.gather(*self._made.values()):
            if made is not None:
                await made.close()
