"""Whatever `vfc` reports, it reports to programs too."""

from collections.abc import Iterator
from typing import Any

import typer

from runtime.cli import app

# Commands that report nothing, and why a program needs no form of what they print.
SILENT = {
    "init": "writes a project",
    "lsp": "speaks the editor's protocol",
    "play": "is a conversation with a person at a terminal",
    "serve": "runs until it is stopped; its log is JSON already, and /metrics counts",
    "stand-in": "runs until it is stopped",
    "dial": "places one call, whose record is what it leaves",
    "action import": "writes a file, and prints a table to paste into vfc.toml",
    "store key": "prints one key",
    "store open": "prints what a sealed file holds, byte for byte",
}


def test_every_reporting_command_has_a_form_for_programs() -> None:
    """Each command has `--format` with `json` among its choices, or stands above with its reason."""
    formats = {name: _formats(command) for name, command in _commands(typer.main.get_command(app))}
    assert len(formats) > 30
    assert {name for name, choices in formats.items() if "json" not in choices} == set(SILENT)


def _commands(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words, with what typer made of it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(above), command
        return
    for name, each in inner.items():
        yield from _commands(each, (*above, name))


def _formats(command: Any) -> set[str]:
    """What `--format` takes: the words of an enumeration."""
    kinds = [each.type_descriptor.annotation for each in command.params if "--format" in each.opts]
    return {str(each.value) for kind in kinds for each in kind}
