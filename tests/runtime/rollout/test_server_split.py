"""The split at the webhook: who reaches the assistant, who the human line, what a broken guard changes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from msgspec.structs import replace

from runtime.gate.evidence import Records
from runtime.gate.guards import Limits
from runtime.rollout.keep import read, write
from runtime.rollout.split import chosen
from runtime.rollout.stages import Rollout
from runtime.rollout.steps import rollback
from runtime.rollout.watch import guard_results
from runtime.settings.keys import SettingsError
from runtime.store import Store
from tests.runtime.rollout.folder import artifact, opened, record
from tests.runtime.rollout.places import FLOW, KEY, begun, why
from tests.runtime.switchboard import PATIENCE_S, form, open_switchboard

HUMAN_LINE = "+15005550190"
SPLIT = f'[rollout]\nhuman_number = "{HUMAN_LINE}"\ncheck_ms = 20\n'
CALLERS = [f"+1202555{n:04}" for n in range(100, 160)]
IN = next(number for number in CALLERS if chosen(KEY, 5, number, ""))
OUT = next(number for number in CALLERS if not chosen(KEY, 50, number, ""))


async def lay(folder: Path, state: Rollout | None = None) -> Store:
    """A store in the folder with a rollout of the served flow in it."""
    (folder / "vfc.toml").write_text("")
    store = await opened(folder)
    await write(store, None, state or replace(begun(), artifact=artifact().content_hash))
    return store


async def until(store: Store, true: Callable[[Rollout], bool]) -> Rollout:
    """Wait for a rollout to be so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            state = await read(store, FLOW)
            if state and true(state):
                return state
            await asyncio.sleep(0.02)


def rung(document: Element) -> str | None:
    """The number an answer dials."""
    return document.findtext("Dial/Number")


async def test_callers_outside_the_share_get_the_human_line(tmp_path: Path) -> None:
    """In a pilot one caller reaches the assistant and another the human line, each time they call."""
    store = await lay(tmp_path)
    async with open_switchboard(tmp_path, toml=SPLIT) as board:
        for call in ("CA" + "3" * 32, "CA" + "4" * 32):
            assert (await board.ask("/twilio/voice", form(call, IN))).find("Connect/Stream") is not None
        for call in ("CA" + "5" * 32, "CA" + "6" * 32):
            answer = await board.ask("/twilio/voice", form(call, OUT))
            assert (rung(answer), answer.find("Connect")) == (HUMAN_LINE, None)
        assert board.running.calls.live == 2
    await store.close()


@pytest.mark.parametrize(("how", "said"), [("completed", None), ("no-answer", "nobody"), ("busy", "nobody")])
async def test_the_human_line_is_told_about_when_nobody_is_there(
    tmp_path: Path, how: str, said: str | None
) -> None:
    """After the human line the call ends; a caller nobody answered hears so first."""
    store = await lay(tmp_path)
    async with open_switchboard(tmp_path, toml=SPLIT) as board:
        dial = (await board.ask("/twilio/voice", form(caller=OUT))).find("Dial")
        assert dial is not None
        path = dial.attrib["action"].removeprefix(board.running.url)
        answer = await board.ask(path, form(caller=OUT, DialCallStatus=how))
        words = answer.findtext("Say")
        assert (said is None and words is None) or (said or "") in (words or "")
        assert answer.find("Hangup") is not None
    await store.close()


async def test_a_flow_without_a_rollout_is_the_assistants(tmp_path: Path) -> None:
    """Nothing begun: every caller reaches the assistant, as before."""
    async with open_switchboard(tmp_path, toml=SPLIT) as board:
        assert (await board.ask("/twilio/voice", form(caller=OUT))).find("Connect/Stream") is not None


async def test_a_rollout_needs_a_human_line(tmp_path: Path) -> None:
    """A server that would have nowhere to send callers does not start, and names the setting."""
    store = await lay(tmp_path)
    with pytest.raises(SettingsError, match=r"rollout\.human_number"):
        async with open_switchboard(tmp_path):
            pass
    await store.close()


async def test_a_decision_reaches_a_running_server(tmp_path: Path) -> None:
    """A rollback to nobody, decided elsewhere, sends the pilot's callers to people without a restart."""
    store = await lay(tmp_path)
    async with open_switchboard(tmp_path, toml=SPLIT) as board:
        before = await read(store, FLOW)
        assert before is not None
        assert await write(store, before, rollback(before, why()))
        async with asyncio.timeout(PATIENCE_S):
            for number in range(10_000):
                answer = await board.ask("/twilio/voice", form(f"CA{number:032}", IN))
                if rung(answer) == HUMAN_LINE:
                    break
    await store.close()


async def test_a_broken_guard_rolls_back_by_itself(tmp_path: Path) -> None:
    """Calls that broke send the flow back by one stage, held, the guard as the reason, and no further."""
    state = replace(begun(), artifact=artifact().content_hash, stage="25")
    store = await lay(tmp_path, state)
    for number in range(30):
        record(tmp_path, f"CA{number:04}", None, reason="internal_error")
    async with open_switchboard(tmp_path, toml=SPLIT):
        after = await until(store, lambda state: state.version > 1)
    again = guard_results(Records(tmp_path / "records" / "calls", FLOW), after, Limits())
    assert {guard.state for guard in again} == {"too_few"}
    decided = after.decisions[-1]
    assert (after.stage, decided.act, decided.by) == ("10", "rollback", "guard")
    assert "session_success: 0 of 30 calls ended as meant" in decided.reason
    assert after.held == decided.reason
    await store.close()
