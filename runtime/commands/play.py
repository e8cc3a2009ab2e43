"""`vfc play`: role-play a flow in the terminal, or piped."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.base import compiled, crm, folder_of, stop, write

if TYPE_CHECKING:
    from runtime.simulate.roleplay import Roleplay


def play(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    number: Annotated[
        str | None, typer.Option("--number", help="Call from this number, which the CRM may know.")
    ] = None,
    person: Annotated[
        str, typer.Option("--person", help="What people do: accepts, declines, busy, no_answer.")
    ] = "accepts",
) -> None:
    """Play the caller yourself, in text, and see what the flow does with it."""
    from runtime.simulate.drive.call import Outside
    from runtime.simulate.roleplay import HELP, Roleplay

    if person not in ("accepts", "declines", "busy", "no_answer"):
        stop(f"people do not {person!r}: accepts, declines, busy or no_answer")
    artifact = compiled(flow)
    facts = crm(folder_of(flow)).get(number or "")
    game = Roleplay(artifact, facts, Outside({}, (person,)))  # type: ignore[arg-type]  # checked above
    if number is not None and facts is None:
        print(f"the CRM knows nobody at {number}", file=sys.stderr)
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
