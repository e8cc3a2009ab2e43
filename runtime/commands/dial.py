"""`vfc dial`: one call to a person who agreed to it, at an hour their phone may ring."""

from __future__ import annotations

import asyncio
import datetime
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from runtime.commands.base import compiled, stop

if TYPE_CHECKING:
    from runtime.dialling import Consent
    from runtime.settings import Settings
    from voiceflow_compiler.artifact import Artifact

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def dial(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder, or its artifact.", metavar="FLOW")],
    number: Annotated[str, typer.Argument(help="Whom to call, as E.164: +12025550101.", metavar="NUMBER")],
    consent: Annotated[
        str,
        typer.Option("--consent", help="The consent record: a file, or its id in `dialling.consents`."),
    ],
    settings: Annotated[
        Path | None, typer.Option("--settings", help="The settings file (vfc.toml).", metavar="FILE")
    ] = None,
) -> None:
    """Call a person with a flow: only with their consent, at an hour their phone may ring, and not if they
    asked never to be called. A machine that answers hears nothing.

    Exit code 1: the call must not be placed, or nobody answered.
    """
    from runtime.numbers import normalise
    from runtime.settings import load
    from runtime.settings.keys import SettingsError

    artifact, whole = compiled(flow), normalise(number)
    if whole is None:
        stop(f"{number} is no number with its country: write it like +12025550101")
    try:
        chosen = load(settings, os.environ, {})
        _check(chosen)
        given = _consent(consent, chosen)
        why = _refusals(whole, artifact.flow, given, chosen)
        for line in why:
            print(f"not called: {line}")
        if why or given is None:
            raise typer.Exit(1)
        raise typer.Exit(asyncio.run(_dial(artifact, chosen, whole, given.id)))
    except SettingsError as error:
        stop(*error.problems)


def _check(chosen: Settings) -> None:
    """What only calls that are placed need. Raises SettingsError with every problem."""
    from runtime.settings.keys import SettingsError

    missing = [
        f"{name} is missing: calls are placed with it; see docs/lines.md."
        for name, value in (
            ("dialling.number", chosen.dialling.number),
            ("telephony.account", chosen.telephony.account),
        )
        if not value
    ]
    if missing:
        raise SettingsError(missing)


def _consent(named: str, chosen: Settings) -> Consent | None:
    """The consent record in that file, or of that id; None where there is none."""
    from runtime.dialling import ConsentError, read_consent

    path = Path(named)
    if not path.is_file() and _ID.fullmatch(named):
        path = chosen.folder / chosen.dialling.consents / f"{named}.json"
    try:
        return read_consent(path.read_bytes()) if path.is_file() else None
    except ConsentError as error:
        stop(f"{path}: {error}")
    except OSError as error:
        stop(f"{path}: {(error.strerror or 'cannot be read').lower()}")


def _refusals(number: str, flow: str, consent: Consent | None, chosen: Settings) -> tuple[str, ...]:
    from runtime.dialling import Hours, read_numbers, refusals
    from runtime.numbers import time_zones

    dialling = chosen.dialling
    file = chosen.folder / dialling.do_not_call if dialling.do_not_call else None
    try:
        never = read_numbers(file.read_text(encoding="utf-8")) if file else frozenset()
    except (OSError, UnicodeDecodeError):
        stop(f"dialling.do_not_call: {file} cannot be read, and without it nobody is called")
    hours = Hours(
        datetime.time.fromisoformat(dialling.earliest), datetime.time.fromisoformat(dialling.latest)
    )
    now = datetime.datetime.now(datetime.UTC)
    zones = time_zones(number)
    return refusals(number, flow, consent, now=now, hours=hours, zones=zones, do_not_call=never)


async def _dial(artifact: Artifact, chosen: Settings, number: str, consent: str) -> int:
    """Place the call and tell what came of it."""
    from runtime import server
    from runtime.server.dialled import DialError

    running = await server.start([artifact], chosen, tell=print)
    try:
        deployment = next(iter(running.calls.deployments.values()))
        order = await running.dialled.ring(number, deployment, consent)
        live = running.calls.find(order.call_id) if order.call_id else None
    except DialError as error:
        print(f"not called: {error}")
        return 1
    finally:
        await running.aclose()
    if live is None:
        print(f"nobody answered: {order.why}")
        return 1
    print(f"the call is over: {live.reason}; its record is {live.record}")
    return 0
