"""Flows as they were served before, for calls that began with them and go on now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from runtime.ports import Alert, Ledger
from runtime.server.deploy import Deployment, deploy
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import ArtifactError, decode

log = structlog.get_logger()


@dataclass(slots=True)
class Versions:
    """Deployments by content hash, made when they are asked for from what `deploy` kept."""

    settings: Settings
    ledger: Ledger
    alert: Alert
    tell: Callable[[str], None]
    _made: dict[str, asyncio.Task[Deployment | None]] = field(default_factory=dict)

    async def find(self, content_hash: str) -> Deployment | None:
        """The flow whose hash begins so; None where it was not kept here, or cannot be served any more."""
        if content_hash not in self._made:
            self._made[content_hash] = asyncio.create_task(self._make(content_hash))
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

    async def close(self) -> None:
        """Let go of what was made."""
        for made in await asyncio.gather(*self._made.values()):
            if made is not None:
                await made.close()
