"""Row 30: a CRM that takes twenty seconds, asked over a socket."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.bed import BOOKS, DISCLOSURE, FLOW, Later, live
from tests.faults.conftest import Open
from tests.runtime.office import Answer, Office, listening

pytestmark = pytest.mark.faults

WAIT_MS = 800
FACTS = FLOW.replace(
    "slots:\n",
    f"""caller_facts:
  source: crm
  wait_ms: {WAIT_MS}
  fields:
    first_name: {{type: text, otherwise: there, personal: true}}
slots:
""",
    1,
)
DOCUMENT_S = 0.3


def test_row_30_a_crm_of_twenty_seconds_keeps_nobody_waiting(bed: Open, tmp_path: Path) -> None:
    """The telephone is answered and the disclosure heard at once, by a clock that only waiting moves; the
    call goes on without the facts once its wait is over, and is brought to its end."""

    async def asked() -> tuple[Later, float, Office]:
        slow = Answer(200, b'{"first_name": "Dana"}', after_s=20.0)
        async with listening(slow) as office:
            toml = f'[facts.crm]\nsource = "http"\nurl = "{office.url}/p"\n'
            async with bed(flow=FACTS, toml=toml) as one:
                began = asyncio.get_running_loop().time()
                made = await one.call(BOOKS)
            return made, began, office

    made, began, office = live(asked())
    call = made()
    assert len(office.requests) == 1
    started = next(note for note in call.ended.notes if note.what == "stream_started")
    assert started.clock_s - began <= DOCUMENT_S
    heard = call.at(DISCLOSURE)
    assert heard is not None
    assert heard <= DOCUMENT_S * 1000
    assert [event["reason"] for event in call.of("event", "ContextMissing")][:1] in ([], ["timeout"])
    assert "context_late" in [flag["kind"] for flag in call.of("effect", "Flag")]
    assert call.outcome == "booked"
