"""`vfc facts`: what a flow would know about a caller, from where, and how fast."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runtime.commands.base import CRM, compiled, folder_of, stop

if TYPE_CHECKING:
    from runtime.context import Asked
    from runtime.settings import Settings
    from voiceflow_compiler.artifact import Artifact

FORMAT_VERSION: Final = 1
CALL_ID: Final = "vfc-facts"
_RECORD = re.compile(r"<caller_record>\n(.*?)\n</caller_record>", re.DOTALL)


class Report(StrEnum):
    """How it is told."""

    TEXT = "text"
    JSON = "json"


def facts(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder, or its artifact.", metavar="FLOW")],
    number: Annotated[str, typer.Argument(help="Who calls, as E.164: +12025550101.", metavar="NUMBER")],
    settings: Annotated[
        Path | None, typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE")
    ] = None,
    form: Annotated[Report, typer.Option("--format", help="How it is told.")] = Report.TEXT,
) -> None:
    """Look a caller up and tell what the model would be told, from which source, and how fast.

    Without a table for the flow's source, the `crm.csv` beside the flow is read. Exit code 1: no source
    answered.
    """
    from runtime.numbers import normalise
    from runtime.settings.keys import SettingsError

    artifact = compiled(flow)
    whole = normalise(number)
    if whole is None:
        stop(f"{number} is no number with its country: write it like +12025550101")
    if artifact.fact_source is None:
        stop(f"{artifact.flow} asks nobody about its callers: it has no `caller_facts`")
    try:
        chosen = _settings(artifact, folder_of(flow), settings)
        told = asyncio.run(_look_up(artifact, artifact.fact_source, chosen, whole))
    except SettingsError as error:
        stop(*error.problems)
    print(json.dumps(told, indent=2, ensure_ascii=False) if form is Report.JSON else _text(told))
    if told["result"] == "failed":
        raise typer.Exit(1)


def _settings(artifact: Artifact, folder: Path, file: Path | None) -> Settings:
    """The settings, whatever of them a look-up does not need."""
    from runtime.settings import load

    options = {
        "telephony.insecure": True,
        "listen.host": "127.0.0.1",
        "public_url": "http://127.0.0.1",
        "model.base_url": "http://127.0.0.1/v1",
    }
    chosen = load(file, os.environ, options)
    source = artifact.fact_source or ""
    if source in chosen.facts or not (folder / CRM).is_file():
        return chosen
    table = {"source": "csv_file", "path": str((folder / CRM).absolute())}
    return replace(chosen, facts={**chosen.facts, source: table})


async def _look_up(artifact: Artifact, source: str, settings: Settings, number: str) -> dict[str, Any]:
    from runtime.context import ask_each

    asked = await ask_each(source, settings, number)
    whole = asked[-1]
    injected, refused = _injected(artifact, number, whole)
    return {
        "version": FORMAT_VERSION,
        "flow": artifact.flow,
        "source": source,
        "result": _result(whole),
        "reason": whole.failure,
        "took_ms": round(whole.ms, 2),
        "wait_ms": artifact.fact_wait_ms,
        "in_time": whole.ms <= artifact.fact_wait_ms,
        "sources": [
            {
                "name": one.name,
                "kind": one.kind,
                "result": _result(one),
                "reason": one.failure,
                "took_ms": round(one.ms, 2),
                "cache_s": one.cache_s,
            }
            for one in asked
        ],
        "facts": _facts(artifact, asked, refused),
        "injected": injected,
    }


def _result(asked: Asked) -> str:
    return "failed" if asked.failure else "unknown_caller" if asked.facts is None else "found"


def _facts(artifact: Artifact, asked: Sequence[Asked], refused: frozenset[str]) -> list[dict[str, Any]]:
    whole, parts = asked[-1].facts or {}, asked[:-1] or asked
    told = []
    for name, fact in artifact.facts.items():
        given = name in whole and name not in refused
        origin = next((one.name for one in parts if one.facts and one.facts.get(name) == whole.get(name)), "")
        value = whole[name] if given else fact.otherwise
        told.append(
            {
                "name": name,
                "value": "(withheld)" if fact.secret else value,
                "from": origin if given else "otherwise",
                "refused": name in refused,
            }
        )
    return told


def _injected(artifact: Artifact, number: str, asked: Asked) -> tuple[str, frozenset[str]]:
    """The record as the engine writes it into the prefix, and the facts it refused for their type."""
    from runtime.engine.effects import Flag, OpenSession
    from runtime.engine.events import CallStarted, ContextLoaded, ContextMissing
    from runtime.engine.step import start, step

    state, _ = start(artifact, CallStarted(at_ms=0, call_id=CALL_ID, caller_number=number))
    event: ContextLoaded | ContextMissing = (
        ContextMissing(at_ms=1, reason=asked.failure or "unknown_caller")
        if asked.facts is None
        else ContextLoaded(at_ms=1, facts=dict(asked.facts), source=asked.name)
    )
    _, ordered = step(artifact, state, event)
    record, refused = "", frozenset[str]()
    for effect in ordered:
        if isinstance(effect, OpenSession):
            found = _RECORD.search(effect.instructions)
            record = found.group(1) if found else ""
        elif isinstance(effect, Flag) and effect.kind == "fact_refused":
            refused = frozenset(effect.detail.split(", "))
    return record, refused


def _text(told: Mapping[str, Any]) -> str:
    lines = [
        f"{one['name']:<14} {one['kind']:<11} {_said(one):<24} {one['took_ms']:8.1f} ms" + _kept(one)
        for one in told["sources"]
    ]
    lines.append("")
    for fact in told["facts"]:
        note = " (what came was of the wrong type)" if fact["refused"] else ""
        lines.append(f"  {fact['name']:<20} {fact['value']!s:<28} from {fact['from']}{note}")
    when = "in time" if told["in_time"] else "too late: it is told at the next turn"
    lines += ["", f"the flow waits {told['wait_ms']} ms: {when}", f"the model is told: {told['injected']}"]
    return "\n".join(_plain(line) for line in lines)


def _said(one: Mapping[str, Any]) -> str:
    words = {"found": "found", "unknown_caller": "unknown caller"}
    return words.get(one["result"]) or f"failed: {one['reason']}"


def _kept(one: Mapping[str, Any]) -> str:
    return f"  kept for {one['cache_s']} s" if one["cache_s"] else ""


def _plain(line: str) -> str:
    """What a CRM holds goes to a terminal without its control characters."""
    return "".join(character if character.isprintable() else "�" for character in line)
