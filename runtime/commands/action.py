"""`vfc action`: describe an action from an OpenAPI document, and see to those nobody knows the end of."""

from __future__ import annotations

import asyncio
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import compiled, stop, write
from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from runtime.settings import Settings
    from runtime.store import Deed

action = typer.Typer(
    name="action", help="Describe actions, and see to those nobody knows the end of.", no_args_is_help=True
)

SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE")
]


class Report(StrEnum):
    """How it is told."""

    TEXT = "text"
    JSON = "json"


FormOption = Annotated[Report, typer.Option("--format", help="How it is told.")]


@action.command("import")
def import_(
    document: Annotated[
        Path, typer.Argument(help="An OpenAPI 3 document, YAML or JSON.", metavar="DOCUMENT")
    ],
    operation: Annotated[str, typer.Argument(help="Its operationId.", metavar="OPERATION")],
    name: Annotated[str | None, typer.Option("--name", help="The flow's action that it does.")] = None,
    server: Annotated[str, typer.Option("--server", help="The server, if the document names none.")] = "",
    out: Annotated[Path, typer.Option("--out", help="The folder of the file.")] = Path("actions"),
) -> None:
    """Write the file that describes one operation, and show the table for vfc.toml."""
    from runtime.actions.openapi import OpenApiError, import_operation

    if not document.is_file():
        stop(f"{document}: there is no such file")
    try:
        described = import_operation(compiler.read_plain(document), operation, server=server)
    except OpenApiError as error:
        stop(f"{document}: {error}")
    chosen = name or operation
    file = out / f"{chosen}.json"
    write(file, json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    print(f'[actions.{chosen}]\nexecutor = "http"\noperation = {json.dumps(file.as_posix())}')
    print('headers = { Authorization = "env:TOKEN" }   # what the server asks for')


@action.command()
def unknown(
    settings: SettingsOption = None,
    form: FormOption = Report.TEXT,
) -> None:
    """List the actions of which nobody knows whether they were done. Exit code 1: there are some."""
    found = asyncio.run(_unknown(without_line(settings)))
    if form is Report.JSON:
        print(json.dumps({"version": 1, "unknown": [_plain(deed) for deed in found]}, indent=2))
    else:
        for deed in found:
            print(f"{deed.key}  {deed.flow}  {deed.action}  attempts {deed.attempts}  {deed.reason or ''}")
    if found:
        raise typer.Exit(1)


@action.command()
def repeat(
    flow: Annotated[Path, typer.Argument(help="The flow of the actions.", metavar="FLOW")],
    keys: Annotated[list[str], typer.Argument(help="The keys, as `vfc action unknown` lists them.")],
    settings: SettingsOption = None,
    form: FormOption = Report.TEXT,
) -> None:
    """Repeat actions with their own keys, where the other side does a key once. Exit code 1: not all done."""
    from runtime.settings.keys import SettingsError

    artifact = compiled(flow)
    try:
        ended = asyncio.run(_repeat(artifact, without_line(settings), keys))
    except SettingsError as error:
        stop(*error.problems)
    if form is Report.JSON:
        print(json.dumps({"version": 1, "ended": ended}, indent=2))
    else:
        for key, end in ended.items():
            print(f"{key}  {end}")
    if set(ended.values()) != {"done"}:
        raise typer.Exit(1)


def without_line(file: Path | None) -> Settings:
    """The settings, whatever of them a call would need beside."""
    from runtime.settings import load
    from runtime.settings.keys import SettingsError

    options = {
        "telephony.insecure": True,
        "listen.host": "127.0.0.1",
        "public_url": "http://127.0.0.1",
        "model.base_url": "http://127.0.0.1/v1",
    }
    try:
        return load(file, os.environ, options)
    except SettingsError as error:
        stop(*error.problems)


async def _unknown(settings: Settings) -> list[Deed]:
    from runtime.ports import OutsideFailure
    from runtime.store import is_there, open_store, store_url

    url = store_url(settings)
    if not is_there(url):
        return []  # nothing was ever stored here, and asking makes no store
    try:
        store = await open_store(url)
        try:
            return await store.unknown()
        finally:
            await store.close()
    except OutsideFailure as failure:
        stop(f"the store cannot be read: {failure.reason}")


async def _repeat(artifact: Any, settings: Settings, keys: list[str]) -> dict[str, str]:
    from runtime.actions import open_actions
    from runtime.ports import OutsideFailure
    from runtime.store import open_store, store_url

    try:
        store = await open_store(store_url(settings))
    except OutsideFailure as failure:
        stop(f"the store cannot be read: {failure.reason}")
    try:
        actions = open_actions(artifact.actions, settings, flow=artifact.flow, ledger=store)
        found = [deed for deed in await store.unknown() if deed.key in keys]
        try:
            ended = await actions.repeat(found)
        finally:
            await actions.close()
    finally:
        await store.close()
    return {key: ended.get(key, "not_unknown") for key in keys}


def _plain(deed: Deed) -> dict[str, Any]:
    """A deed without what is personal in it."""
    return {
        "key": deed.key,
        "flow": deed.flow,
        "action": deed.action,
        "state": deed.state,
        "attempts": deed.attempts,
        "begun_ms": deed.begun_ms,
        "reason": deed.reason,
    }
