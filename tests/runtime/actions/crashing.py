"""A process that does one action and dies at a marked point, for tests: MARK, store, office, folder."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from runtime.database import read_url
from runtime.ports import Intent, Settled, Standing
from runtime.store import Store, open_store
from tests.runtime.actions.desk import opened, order


@dataclass(frozen=True, slots=True)
class Dying:
    """A ledger that kills its process at a mark: after the intent, before or after the outcome is kept."""

    store: Store
    mark: str

    async def intend(self, intent: Intent) -> Standing:
        standing = await self.store.intend(intent)
        self._die("intended")
        return standing

    async def settle(self, key: str, settled: Settled) -> None:
        self._die("called")
        await self.store.settle(key, settled)
        self._die("settled")

    def _die(self, mark: str) -> None:
        if mark == self.mark:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(mark: str, url: str, office: str, folder: str) -> None:
    """Do it, as far as that goes."""
    # The lease is measured by a clock an hour behind: for whoever comes later it has long run out.
    store = await open_store(read_url(url, Path()), clock=lambda: 1)
    table = f'executor = "http"\nurl = "{office}/demos"'
    async with opened(Path(folder), table, ledger=Dying(store, mark)) as actions:
        await actions.run(order())
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
