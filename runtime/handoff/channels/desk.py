"""The desk: an open page has the package. Where this is required, nothing is promised while nobody looks."""

import asyncio
from dataclasses import dataclass

from runtime.handoff.channels.base import WITHIN_S, Delivery
from runtime.ports import OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import SettingsError, Table, read_options


@dataclass(frozen=True, slots=True)
class Desk:
    """Implements Channel."""

    lasting: bool = False  # a page that opens later is shown what waits; there is nothing to send again

    async def deliver(self, delivery: Delivery) -> str:
        """Wait until a page has shown it."""
        if delivery.waiting is None:
            raise OutsideFailure("nobody_there")
        try:
            async with asyncio.timeout(WITHIN_S):
                await delivery.waiting.received.wait()
        except TimeoutError:
            raise OutsideFailure("nobody_there") from None
        return delivery.waiting.key

    async def close(self) -> None:
        """Nothing is held."""


def open_channel(place: str, table: Table, settings: Settings) -> Desk:
    """The desk of this server. Raises SettingsError."""
    read_options(place, table, ())
    if not settings.desk_token:
        raise SettingsError([f"{place} needs the desk: set the environment variable VFC_DESK_TOKEN."])
    return Desk()
