"""What of a server's deployments waits to be told to people: the spool of their packages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from runtime.handoff import FOLDER, Spool
from runtime.ports import Alert
from runtime.server.deploy import Deployment
from runtime.settings import Settings


async def open_spool(
    settings: Settings, deployments: Iterable[Deployment], alert: Alert, undo: contextlib.AsyncExitStack
) -> Spool:
    """What is delivered later, watched until `undo` is undone."""
    ways = {
        (handoff, way.name): way
        for deployment in deployments
        for handoff, destination in deployment.destinations.items()
        for way in destination.ways
    }
    spool = Spool(settings.records / FOLDER / "spool", ways, alert=alert)
    watching = asyncio.create_task(spool.watch())

    async def close() -> None:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await spool.close()

    undo.push_async_callback(close)
    return spool
