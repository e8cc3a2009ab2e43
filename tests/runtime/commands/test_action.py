"""`vfc action`: operations imported, and deeds nobody knows the end of."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.ports import Intent, Settled
from runtime.settings import load
from runtime.store import open_store, store_url

FLOW = str(Path(__file__).parents[3] / "flows" / "lead_qualification")
SPEC = """openapi: 3.1.0
servers: [{url: https://crm.example.com/v1}]
paths:
  /demos:
    post:
      operationId: book
      requestBody:
        content: {application/json: {schema: {type: object, properties: {email: {type: string}}}}}
      responses: {"201": {description: booked}}
"""


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and what was said."""
    ran = CliRunner().invoke(app, ["action", *arguments])
    return ran.exit_code, ran.output


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_an_operation_becomes_a_file_and_a_table(tmp_path: Path) -> None:
    """The file describes the operation, and the table to paste names it."""
    (tmp_path / "crm.yaml").write_text(SPEC)
    code, said = run("import", "crm.yaml", "book", "--name", "book_demo")
    assert code == 0
    assert '[actions.book_demo]\nexecutor = "http"\noperation = "actions/book_demo.json"' in said
    file = json.loads((tmp_path / "actions" / "book_demo.json").read_text())
    assert (file["method"], file["url"]) == ("POST", "https://crm.example.com/v1/demos")
    code, said = run("import", "crm.yaml", "bok")
    assert code == 2
    assert "there are book" in said


def test_deeds_nobody_knows_the_end_of_are_listed_and_repeated(tmp_path: Path) -> None:
    """A deed left unknown is listed without anything personal; repeated with its own key it is done."""
    (tmp_path / "vfc.toml").write_text("")
    assert run("unknown") == (0, "")
    assert not (tmp_path / "records").exists()

    async def leave() -> None:
        settings = load(
            tmp_path / "vfc.toml",
            {"VFC_PUBLIC_URL": "https://c.example", "OPENAI_API_KEY": "k", "TWILIO_AUTH_TOKEN": "t"},
        )
        store = await open_store(store_url(settings))
        flow, action = "lead-qualification", "book_demo"
        await store.intend(Intent("k1", flow, action, {"email": "dana@example.com"}, 1000, True))
        await store.settle("k1", Settled("unknown", reason="timeout"))
        await store.close()

    asyncio.run(leave())
    code, said = run("unknown", "--format", "json")
    assert code == 1
    (deed,) = json.loads(said)["unknown"]
    assert (deed["key"], deed["action"], deed["reason"]) == ("k1", "book_demo", "timeout")
    assert "dana@example.com" not in said
    assert run("repeat", FLOW, "k1") == (0, "k1  done\n")
    assert run("unknown") == (0, "")
