"""`vfc store`: what is kept of calls: pruned by age, forgotten by call or caller, sealed and opened."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.action import FormOption, Report, SettingsOption, without_line
from runtime.commands.base import stop, with_store

if TYPE_CHECKING:
    from runtime.retention import Gone
    from runtime.store import Store

store = typer.Typer(name="store", help="See to what is kept: prune, forget, seal.", no_args_is_help=True)


@store.command()
def prune(settings: SettingsOption = None, form: FormOption = Report.TEXT) -> None:
    """Take away what is older than the settings under `retention` keep it."""
    from runtime.retention import prune as pruned

    chosen = without_line(settings)
    _tell(asyncio.run(with_store(chosen, lambda opened: pruned(opened, chosen))), form)


@store.command()
def forget(
    call: Annotated[str | None, typer.Option("--call", help="The call's id.", metavar="ID")] = None,
    caller: Annotated[str | None, typer.Option("--caller", help="A number, E.164.", metavar="+1...")] = None,
    settings: SettingsOption = None,
    form: FormOption = Report.TEXT,
) -> None:
    """Take away everything a call, or every call with a number, left: record, sound, packages, deeds."""
    from runtime.retention import forget_call, forget_caller, scrub
    from runtime.settings.keys import is_e164

    if (call is None) == (caller is None):
        stop("say which: --call ID or --caller +12025550100")
    if caller is not None and not is_e164(caller):
        stop("--caller is no whole number: write it with its country, such as +12025550100")
    if call is not None and not call.replace("-", "").replace("_", "").isalnum():
        stop("--call is no call's id")
    chosen = without_line(settings)

    async def forgotten(opened: Store) -> Gone:
        if call is not None:
            gone = await forget_call(opened, chosen.records, call)
            await scrub(opened)
            return gone
        return await forget_caller(opened, chosen.records, caller or "")

    _tell(asyncio.run(with_store(chosen, forgotten)), form)


@store.command()
def key() -> None:
    """Print a new key for VFC_SEAL_KEYS."""
    from runtime.seals import SealError, new_key

    try:
        print(new_key())
    except SealError as error:
        stop(str(error))


@store.command("open")
def open_(
    file: Annotated[Path, typer.Argument(help="A sealed record, package or sound.", metavar="FILE")],
) -> None:
    """Write what a sealed file holds to the standard output, by the keys of VFC_SEAL_KEYS."""
    from runtime.seals import SealError, of_process, opened

    try:
        content = file.read_bytes()
        for line in content.splitlines(keepends=True) if file.suffix == ".jsonl" else [content]:
            end = b"\n" if line.endswith(b"\n") and file.suffix == ".jsonl" else b""
            sys.stdout.buffer.write(opened(line.rstrip(b"\n") if end else line, of_process()) + end)
    except OSError as error:
        stop(f"{file}: {error.strerror}")
    except SealError as error:
        stop(f"{file}: {error}")


def _tell(gone: Gone, form: Report) -> None:
    if form is Report.JSON:
        gone_now = {"calls": gone.calls, "files": gone.files, "rows": gone.rows}
        print(json.dumps({"version": 1, "taken_away": gone_now}, indent=2))
        return
    print(f"taken away: {gone.calls} calls, {gone.files} files, {gone.rows} rows of the store")
