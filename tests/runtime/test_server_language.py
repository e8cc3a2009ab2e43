"""In which locale a call is held, and that it is decided before the first word."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.server.deploy import Deployment
from tests.runtime.switchboard import (
    CALL,
    CALLER,
    NUMBER,
    PATIENCE_S,
    Switchboard,
    artifact,
    media_message,
    open_switchboard,
    read,
    stop_message,
)
from voiceflow_compiler.artifact import Artifact, seal

SPANISH = {"prefix": "Begin in the language of es-MX. {caller_record}", "locale": "es-MX"}


def several(name: str, fact: str | None = None) -> Artifact:
    """A shipped flow that has a Spanish locale, and perhaps a fact that tells the caller's."""
    return seal(msgspec.structs.replace(artifact(name), locales={"es-MX": SPANISH}, locale_fact=fact))


def written(path: Path) -> list[dict[str, Any]]:
    """The lines of a call's record, once its thread has written the last."""
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists() or '"end":' not in path.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def held_in(board: Switchboard, folder: Path) -> tuple[str | None, str, Deployment]:
    """Carry one call; its locale and the reason by its record, and what it was carried with."""
    token = await board.answer()
    async with board.stream(token) as socket:
        await socket.send(media_message())
        await read(socket)
        live = board.running.calls.find(CALL)
        assert live is not None
        deployment = live.deployment
        await socket.send(stop_message())
        await board.over()
    lines = await asyncio.to_thread(written, folder / "records" / "calls" / f"{CALL}.jsonl")
    notes = [line["note"] for line in lines if line.get("note", {}).get("kind") == "locale"]
    return lines[0]["artifact"].get("locale"), notes[0]["by"] if notes else "", deployment


@pytest.mark.parametrize(
    ("toml", "fact", "locale", "by"),
    [
        ("", None, "en-US", "flow"),
        (f'[locales]\n"{NUMBER}" = "es"\n', None, "es-MX", "number"),
        ('[locales]\nlead-qualification = "es-MX"\n', None, "es-MX", "settings"),
        ('[locales]\nlead-qualification = "fr"\n', None, "en-US", "flow"),
        ("", "language", "es-MX", "fact"),
        (f'[locales]\n"{NUMBER}" = "en-US"\n', "language", "en-US", "number"),
        ("", "unknown", "en-US", "flow"),
    ],
)
async def test_the_locale_of_a_call_is_chosen_in_order(
    tmp_path: Path, toml: str, fact: str | None, locale: str, by: str
) -> None:
    """The number dialled, the flow's setting, the caller's record, the flow's own: whoever says one first."""
    crm = tmp_path / "crm.csv"
    crm.write_text(f"phone,first_name,language\n{CALLER},Inés,es\n", encoding="utf-8")
    flow = several("lead-qualification", fact)
    async with open_switchboard(tmp_path, toml=toml, artifacts=[flow], crm=crm) as board:
        chosen, reason, deployment = await held_in(board, tmp_path)
    assert (chosen, reason) == (locale, by)
    assert deployment.artifact.locale == locale
    assert deployment.session.language == locale.partition("-")[0]


async def test_a_flow_of_one_language_says_nothing_of_locales(tmp_path: Path) -> None:
    """Without other locales neither header nor notes speak of one."""
    async with open_switchboard(tmp_path) as board:
        assert (await held_in(board, tmp_path))[:2] == (None, "")
