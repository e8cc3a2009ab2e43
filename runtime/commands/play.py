"""`vfc play`: role-play a flow in the terminal, piped, or in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.base import SCENARIOS, compiled, crm, folder_of, stop, write
from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from runtime.simulate.page import Speaking
    from runtime.simulate.roleplay import Roleplay

HIGHEST_PORT = 65_535
NAME = "a name is letters, digits, - and _, at most 60"


def play(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    number: Annotated[
        str | None, typer.Option("--number", help="Call from this number, which the CRM may know.")
    ] = None,
    person: Annotated[
        str, typer.Option("--person", help="What people do: accepts, declines, busy, no_answer.")
    ] = "accepts",
    browser: Annotated[
        bool, typer.Option("--browser", help="In a page of the browser: typed or spoken, seen and heard.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", help="With --browser, its port; 0: a free one.", min=0, max=HIGHEST_PORT)
    ] = 0,
    live: Annotated[
        bool, typer.Option("--live", help="With --browser: the real model hears and speaks (OPENAI_API_KEY).")
    ] = False,
) -> None:
    """Play the caller yourself, and see what the flow does with it."""
    from runtime.simulate.drive.call import Outside
    from runtime.simulate.roleplay import HELP, Roleplay

    if person not in ("accepts", "declines", "busy", "no_answer"):
        stop(f"people do not {person!r}: accepts, declines, busy or no_answer")
    artifact = compiled(flow)
    facts = crm(folder_of(flow)).get(number or "")
    game = Roleplay(artifact, facts, Outside({}, (person,)))  # type: ignore[arg-type]  # checked above
    if number is not None and facts is None:
        print(f"the CRM knows nobody at {number}", file=sys.stderr)
    if live and not browser:
        stop("--live is for the page: add --browser")
    if browser:
        asyncio.run(_in_browser(game, flow, port, live=live))
        return
    print(HELP, file=sys.stderr)
    for line in game.opening():
        print(line)
    for typed in _typed():
        word, _, rest = typed.strip().partition(" ")
        if word == ":quit":
            return
        if word == ":save":
            _save(game, rest.strip())
            continue
        for line in game.take(typed):
            print(line, flush=True)


async def _in_browser(game: Roleplay, flow: Path, port: int, *, live: bool) -> None:
    """Serve the page until Ctrl-C."""
    from runtime.simulate.page import Stage, serve
    from runtime.simulate.page.model import StandInMissing, speaking

    async with contextlib.AsyncExitStack() as stack:
        model: Speaking | None = None
        silent = ""
        try:
            model = await stack.enter_async_context(speaking(os.environ, live=live))
        except StandInMissing as error:
            silent = f"In text only: {error}"
            print(f"vfc: {silent}", file=sys.stderr)
        except ValueError as error:
            stop(*str(error).splitlines())
        notice = _notice(model) if live and model else ""
        stage = Stage(game, lambda: compiler.drawn(game.artifact), _keeper(flow), model, silent, notice)
        try:
            await serve(stage, port, _opened)
        except OSError as error:
            stop(f"port {port} cannot be listened on: {(error.strerror or 'it is taken').lower()}")


def _notice(model: Speaking) -> str:
    told = (
        "Real model: what you say into the microphone, the flow's instructions, the values of this call and"
        f" the assistant's words go to {model.base_url} ({model.name}, {model.speech}). Every spoken turn and"
        " every new sentence of the assistant is billed to your key."
    )
    print(told, file=sys.stderr)
    return told


def _opened(address: str) -> None:
    print(f"open {address}  (once; Ctrl-C ends it)", flush=True)
    if sys.stdout.isatty():
        typer.launch(address)


def _keeper(flow: Path) -> Callable[[str, str], str]:
    """Where the page puts scenarios: beside the flow, under new names."""

    def keep(name: str, text: str) -> str:
        if not (name.replace("-", "").replace("_", "").isalnum() and name.isascii() and len(name) <= 60):
            raise ValueError(NAME)
        path = folder_of(flow) / SCENARIOS / f"{name}.yaml"
        if path.exists():
            raise ValueError(f"there is a {path} already: choose another name")
        compiler.write(path, text.encode())
        return str(path)

    return keep


def _typed() -> Iterator[str]:
    """Lines as they come; where a person sits there, with a prompt and a line that can be edited."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            print(f"caller: {line.rstrip()}")
            yield line
        return
    with contextlib.suppress(ImportError):  # not everywhere
        import readline  # noqa: F401
    while True:
        try:
            yield input("caller: ")
        except EOFError:
            print()
            return
        except UnicodeDecodeError:
            print("  that was no text")


def _save(game: Roleplay, where: str) -> None:
    from runtime.simulate.scenario.write import as_yaml

    if not where:
        print(":save FILE")
        return
    path = Path(where)
    try:
        write(path, as_yaml(game.scenario(path.stem.replace("_", " "))))
    except typer.Exit:  # what is wrong with the place was said; the role-play goes on
        print("not saved: choose another place")
    else:
        print(f"saved: {path}")
