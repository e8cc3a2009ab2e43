"""The example world: a shipped flow against PostgreSQL and a CRM over HTTP."""

import asyncio
import json
import sys
from pathlib import Path

from examples.postgres.__main__ import settings
from examples.postgres.crm import Crm, answering, read_people
from runtime.database import read_url
from runtime.store import open_store
from tests.runtime.postgres import Server

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "flows" / "lead_qualification"


async def test_a_flow_runs_on_postgresql_and_a_crm(postgres_server: Server, tmp_path: Path) -> None:
    """One call takes its facts from the CRM, has its demo booked there once, and stands in PostgreSQL."""
    url = postgres_server.new()
    crm = Crm(read_people(FLOW / "crm.csv"), {"book_demo": {"time": "tomorrow at three"}})
    async with answering(crm):
        file = tmp_path / "settings.toml"
        file.write_text(settings(url, crm))
        options = [
            "--settings",
            str(file),
            "--out",
            str(tmp_path / "out"),
            "--voice",
            "tones",
            "--speed",
            "8",
        ]
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "runtime",
            "call",
            str(FLOW),
            *options,
            "--format",
            "json",
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await child.communicate()
    assert child.returncode == 0
    assert json.loads(told)["outcome"] == "qualified_lead"
    assert [name for name, _ in crm.done.values()] == ["book_demo"]
    record = (tmp_path / "out" / "call.jsonl").read_text()
    assert '"ContextLoaded"' in record
    assert url not in (tmp_path / "out" / "vfc.toml").read_text()
    store = await open_store(read_url(url, tmp_path))
    (call,) = await store.calls()
    await store.close()
    assert (call["flow"], call["outcome"]) == ("lead-qualification", "qualified_lead")
