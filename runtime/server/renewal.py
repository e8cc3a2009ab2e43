"""A new version of what is served, taken while calls live.

1. A call keeps the version it began with, also when it goes on in another process.
2. What is not whole, does not fit the settings or is another set of flows is refused, and what was served
   goes on being served: it is replaced flow by flow, and only once all of them are ready.
3. Settings are read when a server starts, and never again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from runtime.ports import Alert, Ledger
from runtime.server.deploy import Deployment, Tell, deploy
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import Artifact, ArtifactError

log = structlog.get_logger()

Read = Callable[[], Sequence[Artifact]]


class Refused(Exception):
    """A version nobody can read; the reasons were told to the operator already."""


@dataclass(slots=True)
class Renewal:
    """Replaces `deployments` and `hashes` (the content hash of each flow) in place. What `runs` says a call
    still runs on stays open until that call is over.
    """

    settings: Settings
    deployments: dict[str, Deployment]
    hashes: dict[str, str]
    ledger: Ledger
    alert: Alert
    tell: Tell
    runs: Callable[[Deployment], bool]
    _replaced: list[Deployment] = field(default_factory=list)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def renew(self, read: Read) -> bool:
        """Serve what `read` gives (called in a thread) from the next call on; False where that is refused."""
        async with self._one:
            try:
                await self._take(await reread(read, self.deployments))
            except (Refused, SettingsError) as error:
                refuse(error, self.alert)
                return False
        return True

    async def _take(self, artifacts: Sequence[Artifact]) -> None:
        changed = [one for one in artifacts if one.content_hash != self.hashes[one.flow]]
        ready = []
        for artifact in changed:
            ready.append(await deploy(artifact, self.settings, self.tell, self.ledger, self.alert))
        for one in ready:
            flow, content_hash = one.artifact.flow, one.artifact.content_hash
            self._replaced.append(self.deployments[flow])
            self.deployments[flow], self.hashes[flow] = one, content_hash
            log.info("flow.renewed", flow=flow, artifact=content_hash)

        await self.let_go()

    async def let_go(self) -> None:
        """Let go of every version that was replaced and that no call runs on any more."""
        replaced, self._replaced = self._replaced, []
        for one in replaced:
            if self.runs(one):
                self._replaced.append(one)
            else:
                await one.close()

    async def close(self) -> None:
        """Let go of what was replaced, whoever runs on it."""
        for one in self._replaced:
            await one.close()


async def reread(read: Read, flows: Sequence[str] | dict[str, Deployment]) -> Sequence[Artifact]:
    """The flows as they stand now. Raises Refused, SettingsError."""
    try:
        artifacts = await asyncio.to_thread(read)
    except (OSError, ArtifactError) as error:
        raise SettingsError([str(error)]) from None
    if sorted(one.flow for one in artifacts) != sorted(flows):
        raise SettingsError(
            [f"other flows than {', '.join(sorted(flows))}: start the server again for that."]
        )
    return artifacts


def refuse(error: Refused | SettingsError, alert: Alert) -> None:
    """Tell the operator why a version is not taken."""
    alert("flow.refused")
    for line in getattr(error, "problems", ()):
        log.error("flow.refused", why=line)
