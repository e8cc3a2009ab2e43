"""A process whose caller hangs up on an action, and which dies at a mark: MARK, store, office, folder."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.actions import open_actions
from runtime.database import read_url
from runtime.ports import Intent, Owed, Settled, Standing
from runtime.session.stand_in import StandIn
from runtime.simulate.clock import idle
from runtime.simulate.profile import Line
from runtime.store import Store, open_store
from tests.runtime.actions.desk import settings
from tests.runtime.call.conftest import FLOW, World, build, speaker
from tests.runtime.call.test_unknown import DEEDS, Office

UNDONE = FLOW.replace("while_waiting: One moment.", "while_waiting: One moment., undo: book_undo")
UNDONE = UNDONE.replace("within_ms: 2000", "within_ms: 60000").replace(
    "actions:\n",
    "actions:\n  book_undo: {does: Cancels., takes: {at: results.book.at}, changes_something: true}\n",
)
SPEED = 4.0  # of the call's clock, while all wait for the parent


def tables(office: str) -> str:
    """The actions of the flow, all done by this office."""
    first = f'executor = "http"\nurl = "{office}/demos"\nresult = {{ at = "time" }}\n'
    return first + f'\n[actions.book_undo]\nexecutor = "http"\nurl = "{office}/demos"\n'


@dataclass
class Dying:
    """A store that kills its process at a mark: once what is owed is kept, before and after the outcome of
    the first deed is, and before that of the second.
    """

    store: Store
    mark: str
    settled: int = 0

    async def intend(self, intent: Intent) -> Standing:
        return await self.store.intend(intent)

    async def settle(self, key: str, settled: Settled) -> None:
        self._die({0: "told", 1: "undone"}[self.settled])
        await self.store.settle(key, settled)
        self.settled += 1
        self._die("kept")

    async def owe(self, owed: Owed) -> None:
        await self.store.undoing.owe(owed)
        self._die("owed")

    async def clear(self, key: str) -> None:
        await self.store.undoing.clear(key)

    def _die(self, mark: str) -> None:
        if mark == self.mark:
            os.kill(os.getpid(), signal.SIGKILL)


def main(mark: str, url: str, office: str, place: str) -> None:
    """Hold the call, as far as that goes."""
    folder = Path(place)
    firm: Any = Office()

    @asynccontextmanager
    async def model() -> AsyncIterator[StandIn]:
        store = await open_store(read_url(url, folder))
        firm.undoing = Dying(store, mark)
        chosen = settings(folder, tables(office))
        firm.actions = open_actions(DEEDS, chosen, flow="table", ledger=firm.undoing)
        async with StandIn(voice="tones") as stand_in:
            yield stand_in

    where = lambda: "book" if firm.runs else "size"  # noqa: E731
    says = speaker("four people", Line(at="book", hang_up=True, interrupt_after_ms=200), where=where)
    World(build(folder, UNDONE), folder, SPEED, idle).call(model, says, firm=firm)


if __name__ == "__main__":
    main(*sys.argv[1:])
