"""Slow, lost and unfinished actions over the whole stack: what the caller hears, and what was done."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from runtime.actions import Actions, open_actions
from runtime.database import read_url
from runtime.ports import Owed
from runtime.record import replay
from runtime.session.stand_in import StandIn
from runtime.simulate.clock import idle
from runtime.simulate.profile import Line
from runtime.store import open_store
from runtime.store.undoing import Undoings
from tests.runtime.actions.desk import settings
from tests.runtime.call.conftest import FLOW, Firm, World, build
from tests.runtime.provider import provider
from voiceflow_compiler.artifact import Action

pytestmark = pytest.mark.faults

CHECKING = "I'm checking whether that went through."
NOT_KNOWN = "I'm sorry, I can't tell yet whether that went through."
BOOKED = "Your table is booked. Goodbye."
FAILED = "I could not book it. Someone will call you. Goodbye."
MOMENT = "One moment."


DEEDS = {
    "book": Action("Books.", returns={"at": "text"}, changes_something=True),
    "book_undo": Action("Cancels.", changes_something=True),
}


@dataclass
class Noted:
    """Where it is kept what is to be taken back, and every key that was kept there."""

    store: Undoings
    keys: list[str] = field(default_factory=list)

    async def owe(self, owed: Owed) -> None:
        self.keys.append(owed.key)
        await self.store.owe(owed)

    async def clear(self, key: str) -> None:
        await self.store.clear(key)


class Office(Firm):
    """A firm whose actions are really done, over HTTP, by a provider that keeps a ledger."""

    actions: Actions
    deeds: list[str]
    left: list[Any]

    async def run(self, order: Any) -> Mapping[str, Any]:
        self.runs.append(order)
        return await self.actions.run(order)

    async def find_out(self, order: Any) -> Mapping[str, Any]:
        return await self.actions.find_out(order)

    def opens(self, folder: Path, table: str = "", **options: Any) -> Callable[[], Any]:
        """The model and this office, open in the loop of a call."""

        @asynccontextmanager
        async def both() -> AsyncIterator[StandIn]:
            store = await open_store(read_url("sqlite:///deeds.db", folder))
            self.undoing = Noted(store.undoing)
            async with StandIn(voice="tones") as stand_in, provider(**options) as (url, self.deeds):
                whole = f'executor = "http"\nurl = "{url}/demos"\nresult = {{ at = "time" }}\n'
                whole += table.replace("URL", url)
                undo = f'\n[actions.book_undo]\nexecutor = "http"\nurl = "{url}/demos"\n'
                chosen = settings(folder, whole + undo)
                self.actions = open_actions(DEEDS, chosen, flow="table", ledger=store)
                yield stand_in
                await self.actions.close()
                self.kept = await store.deed(self.runs[0].idempotency_key) if self.runs else None
                self.left = await store.undoing.owed("table", before_ms=store.clock())
            await store.close()

        return both

    kept: Any = None


@pytest.fixture
def world(world: World) -> World:
    """The same by a clock that a busy machine does not hurry."""
    return replace(world, clock=idle)


@pytest.fixture
def office() -> Office:
    return Office()


def table(text: str = FLOW, **changes: str) -> str:
    """The flow with other words in these places."""
    for old, new in changes.items():
        assert old.replace("__", ": ") in text
        text = text.replace(old.replace("__", ": "), new)
    return text


def test_a_lost_answer_is_told_looked_for_and_found(world: World, mouth: Any, office: Office) -> None:
    """Done there and not told: the caller hears that it is being checked, the same key is asked again, the
    provider has one deed, and the caller hears the truth.
    """
    call = world.call(office.opens(world.folder, lose=1), mouth("four people"), firm=office)
    assert call.said[-1] == BOOKED
    assert CHECKING in [order["text"] for order in call.effects("PlayScript")]
    assert [event.get("final", False) for event in call.events("ActionUnknown")] == [False]
    assert len(office.deeds) == 1
    assert (office.kept.state, office.kept.attempts) == ("done", 2)
    assert replay(world.artifact, call.record.lines) is None


def test_a_look_finds_out_where_a_repeat_would_harm(world: World, mouth: Any, office: Office) -> None:
    """Where the other side ignores keys but can be asked, it is asked, and nothing is done again."""
    asks = 'repeatable = false\nstatus = "URL/demos/{key}"'
    call = world.call(office.opens(world.folder, asks, lose=1), mouth("four people"), firm=office)
    assert call.said[-1] == BOOKED
    assert len(office.deeds) == 1
    assert office.kept.state == "done"


def test_what_the_other_side_has_not_done_has_failed(world: World, mouth: Any, office: Office) -> None:
    """The request was lost before anything was done, and the other side says so to the end: it failed."""
    asks = 'repeatable = false\nstatus = "URL/demos/{key}"\nfind_out_s = 2'
    opens = office.opens(world.folder, asks, lose=1, forget=True)
    call = world.call(opens, mouth("four people"), firm=office)
    assert call.said[-1] == FAILED
    assert NOT_KNOWN not in call.said
    assert call.events("ActionFailed")[0]["reason"] == "not_done"
    assert (office.kept.state, office.deeds) == ("failed", [])


def test_what_nobody_can_tell_is_not_called_a_failure(world: World, mouth: Any, office: Office) -> None:
    """No repeat and no look: the caller hears that it is not known before the flow's way of a failure, the
    deed stays unknown in the store, and it is never done again.
    """
    opens = office.opens(world.folder, "repeatable = false", lose=9)
    call = world.call(opens, mouth("four people"), firm=office)
    assert call.said[-2:] == [NOT_KNOWN, FAILED]
    assert office.kept.state == "unknown"
    assert len(office.deeds) == 1
    assert replay(world.artifact, call.record.lines) is None


@pytest.mark.parametrize("slow_s", [1.5, 5, 30])
def test_a_slow_action_leaves_no_dead_air(tmp_path: Path, mouth: Any, office: Office, slow_s: float) -> None:
    """From the record: words within 1.2 s, again every 6 to 8 s, an honest line at the action's own time."""
    limit_ms = 15_000
    artifact = build(tmp_path, table(within_ms__2000=f"within_ms: {limit_ms}"))
    world = World(artifact, tmp_path, speed=20.0, clock=idle)
    opens = office.opens(tmp_path, "repeatable = false", slow_s=slow_s)
    call = world.call(opens, mouth("four people"), firm=office)
    lines = call.record.lines
    began = next(line["at_ms"] for line in lines if line.get("effect", {}).get("type") == "RunAction")
    ended = next(
        line["at_ms"]
        for line in lines
        if line.get("event", {}).get("type") in ("ActionSucceeded", "ActionUnknown")
    )
    words = [
        line["at_ms"] - began
        for line in lines
        if line.get("effect", {}).get("text") == MOMENT and line["at_ms"] <= ended
    ]
    assert words[0] <= 1200
    gaps = [after - before for before, after in zip(words, [*words[1:], ended - began], strict=True)]
    assert all(gap <= 8000 for gap in gaps)
    assert all(gap >= 6000 for gap in gaps[:-1])
    assert ended - began <= min(slow_s * 1000, limit_ms) + 1000
    assert call.said[-1] == (BOOKED if slow_s * 1000 < limit_ms else FAILED)


def test_a_person_asked_for_while_an_action_runs_is_brought(
    tmp_path: Path, mouth: Any, office: Office
) -> None:
    """A caller who will not wait asks for a person and is brought to one while the action goes on."""
    artifact = build(tmp_path, table(within_ms__2000="within_ms: 30000"))
    world = World(artifact, tmp_path, clock=idle)
    where = lambda: "book" if office.runs else "size"  # noqa: E731
    says = mouth("four people", Line(at="book", say="a person please", interrupt_after_ms=100), where=where)
    call = world.call(office.opens(tmp_path, slow_s=12), says, firm=office)
    entered = [order["node"] for order in call.effects("EnterNode")]
    assert entered.index("to_desk") > entered.index("book")
    begins = [line["at_ms"] for line in call.record.lines if line.get("effect", {}).get("node") == "to_desk"]
    done = [
        line["at_ms"] for line in call.record.lines if line.get("event", {}).get("type") == "ActionSucceeded"
    ]
    assert not done or begins[0] < done[0]
    assert len(office.deeds) == 1


@pytest.mark.parametrize("lose", [0, 1], ids=["answered", "lost"])
def test_what_a_caller_left_behind_is_taken_back(
    tmp_path: Path, mouth: Any, office: Office, lose: int
) -> None:
    """The caller hangs up while the action runs: its result is recorded, and the flow's undo is done once.
    Until then the store has it, and nothing of it afterwards.
    """
    text = FLOW.replace("while_waiting: One moment.", "while_waiting: One moment., undo: book_undo")
    text = text.replace("within_ms: 2000", "within_ms: 20000").replace(
        "actions:\n",
        "actions:\n  book_undo: {does: Cancels., takes: {at: results.book.at}, changes_something: true}\n",
    )
    world = World(build(tmp_path, text), tmp_path, clock=idle)
    where = lambda: "book" if office.runs else "size"  # noqa: E731
    says = mouth("four people", Line(at="book", hang_up=True, interrupt_after_ms=200), where=where)
    call = world.call(office.opens(tmp_path, slow_s=2, lose=lose), says, firm=office)
    assert call.reason == "caller_hangup"
    assert [run.action for run in office.runs] == ["book", "book_undo"]
    assert [event["run_id"] for event in call.events("ActionSucceeded")] == [
        run.run_id for run in office.runs
    ]
    assert len(office.deeds) == 2
    assert (office.undoing.keys, office.left) == ([office.runs[0].idempotency_key], [])
    assert call.effects("Flag")[-1]["kind"] == "action_undone"
    assert replay(world.artifact, call.record.lines) is None
