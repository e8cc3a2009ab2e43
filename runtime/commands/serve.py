"""`vfc serve`: one process, or a supervisor and its workers, until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from runtime.commands.base import stop

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact

FAILED = 1
INTERRUPTED = 130


def serve(
    read: Callable[[], Sequence[Artifact]],
    settings_file: Path | None,
    options: Mapping[str, Any],
    *,
    workers: int,
) -> None:
    """Serve what `read` gives until a signal; ends with one line for each reason why it cannot."""
    from runtime import server
    from runtime.server.logs import log_json
    from runtime.server.supervisor import Plan, Stopped
    from runtime.settings import load
    from runtime.settings.keys import SettingsError

    log_json("info")
    try:
        chosen = load(settings_file, os.environ, dict(options))
        artifacts = read()
        again = partial(_again, read)
        if workers == 1:
            _run(server.serve(artifacts, chosen, _say, again))
        else:
            kept = {path: value for path, value in options.items() if value is not None}
            _run(_supervise(Plan(artifacts, chosen, settings_file, kept, workers, again=again)))
    except SettingsError as error:
        stop(*error.problems)
    except Stopped as error:
        typer.echo(f"vfc: {error}", err=True)
        raise typer.Exit(FAILED) from None


async def _supervise(plan: Any) -> None:
    from runtime.server.run import on_signals
    from runtime.server.supervisor import supervise

    ending, now, renew = asyncio.Event(), asyncio.Event(), asyncio.Event()
    with on_signals(
        {
            signal.SIGTERM: ending.set,
            signal.SIGHUP: renew.set,
            signal.SIGINT: lambda: (now if ending.is_set() else ending).set(),
        }
    ):
        await supervise(plan, _say, ending, now, renew)


def _again(read: Callable[[], Sequence[Artifact]]) -> Sequence[Artifact]:
    """What stands in the files now. Raises Refused, the reasons being told already."""
    from runtime.server.renewal import Refused

    try:
        return read()
    except (typer.Exit, SystemExit):
        raise Refused from None


def _run(work: Coroutine[Any, Any, None]) -> None:
    from runtime.server.loops import new_loop

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(work)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _say(line: str) -> None:
    print(line, flush=True)
