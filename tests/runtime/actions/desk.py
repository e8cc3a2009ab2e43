"""Settings, orders and opened actions, for the tests of every executor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.actions import Actions, open_actions
from runtime.engine.effects import RunAction
from runtime.ports import Ledger, OutsideFailure
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import Action

BOOK = Action(does="Books a demo.", returns={"time": "text"}, changes_something=True, within_ms=4000)
ASK = Action(does="Asks for a time.", returns={"time": "text"})
FLOW = {"book": BOOK, "ask": ASK}
ENVIRONMENT = {
    "VFC_PUBLIC_URL": "https://c.example",
    "OPENAI_API_KEY": "k",
    "TWILIO_AUTH_TOKEN": "t",
    "CRM_TOKEN": "s3cret",
    "VFC_PRIVATE_HOSTS": "127.0.0.1",
}


def order(key: str = "k1", action: str = "book", **fields: Any) -> RunAction:
    """An order to book."""
    arguments = {"email": "dana@example.com", "seats": 3, "note": None}
    given: dict[str, Any] = {"arguments": arguments, "within_ms": 5000}
    return RunAction(run_id="r1", action=action, idempotency_key=key, **(given | fields))


def settings(folder: Path, table: str, action: str = "book", **environment: str) -> Settings:
    """Settings with this table for the action."""
    (folder / "vfc.toml").write_text(f"[actions.{action}]\n{table}\n")
    return load(folder / "vfc.toml", ENVIRONMENT | environment)


@asynccontextmanager
async def opened(
    folder: Path, table: str, *, ledger: Ledger | None = None, action: str = "book", **environment: str
) -> AsyncIterator[Actions]:
    """The flow's actions by this table."""
    chosen = settings(folder, table, action, **environment)
    actions = open_actions({action: FLOW[action]}, chosen, flow="lead", ledger=ledger)
    try:
        yield actions
    finally:
        await actions.close()


async def reason(actions: Actions, one: RunAction) -> str:
    """Why an order fails."""
    with pytest.raises(OutsideFailure) as told:
        await actions.run(one)
    return told.value.reason


def problem(folder: Path, table: str, **environment: str) -> str:
    """The first line an operator reads."""
    with pytest.raises(SettingsError) as told:
        open_actions({"book": BOOK}, settings(folder, table, **environment))
    return told.value.problems[0]
