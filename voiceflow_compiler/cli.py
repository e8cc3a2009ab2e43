"""The compiler's commands: compile here, those that check, draw, compare and explain in `commands`.

Exit codes: 0 fine, 1 findings, 2 could not run. Heavy imports stand inside the commands, so that `vfc --help`
answers at once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler import commands
from voiceflow_compiler.commands.base import (
    Format,
    FormatOption,
    compiled,
    compiled_or_stop,
    flow_file,
    placed_flow,
    put_error,
    read_placed,
    read_plain,
    stop,
    write,
)
from voiceflow_compiler.commands.graph import draw_covered, drawn
from voiceflow_compiler.commands.projects import current, meant, name_of, one, shown

__all__ = [
    "app",
    "compiled",
    "current",
    "draw_covered",
    "drawn",
    "flow_file",
    "meant",
    "name_of",
    "placed_flow",
    "read_placed",
    "read_plain",
    "register",
    "write",
]

# The targets a compile writes. Laying out a picture takes longer than all the rest, and `vfc graph` does it.
WRITTEN = ("openai_realtime", "prompts", "mermaid")


class Prompting(StrEnum):
    """How the model is told where the call stands."""

    STABLE = "stable"
    FOCUSED = "focused"


def register(app: typer.Typer) -> None:
    """Add the compiler's commands to a command line."""
    app.command("compile")(compile_flow)
    commands.register(app)


def compile_flow(
    flow: Annotated[
        Path | None,
        typer.Argument(help="A flow's file or folder, or one of flows; none: the project.", metavar="[FLOW]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The folder to write to; of several flows each gets one in it.",
            metavar="DIR",
        ),
    ] = None,
    prompting: Annotated[
        Prompting, typer.Option("--prompting", help="One prefix and briefs, or also a session for each node.")
    ] = Prompting.STABLE,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Write the artifact of a flow, or of every flow of a project, with its prompts, tools and graph."""
    flows = one(flow)
    project = current()
    if output is None and (project is None or project.output is None):
        stop("say where to write with -o DIR, or under `output` in vfc.toml")
    several = len(flows) > 1 or output is None
    folder = output if output is not None or project is None else project.folder / (project.output or "")
    assert folder is not None  # one of the two is there
    failed = 0
    for each in flows:
        try:
            _compile(each, shown(folder / name_of(each)) if several else folder, prompting, format)
        except typer.Exit as ended:
            if ended.exit_code != 1:
                raise
            failed += 1
    if len(flows) > 1 and format is Format.TEXT:
        put_error(f"{len(flows) - failed} of {len(flows)} flows compiled")
    raise typer.Exit(int(failed > 0))


def _compile(flow: Path, output: Path, prompting: Prompting, format: Format) -> None:  # noqa: A002
    from voiceflow_compiler.artifact import encode
    from voiceflow_compiler.targets import TARGETS

    artifact = compiled_or_stop(flow, format)
    files = {"artifact.json": encode(artifact)}
    focused = ("openai_realtime_focused",) if prompting is Prompting.FOCUSED else ()
    for target in (*WRITTEN, *focused):
        files |= {name: text.encode() for name, text in TARGETS[target](artifact).items()}
    try:
        # the artifact is written last: where it is new, everything beside it is
        for name in sorted(files, key=lambda name: (name == "artifact.json", name)):
            write(output / name, files[name], lasting=name == "artifact.json")
    except OSError as error:
        stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    if format is Format.TEXT:
        short = artifact.content_hash[:12]
        print(f"{output / 'artifact.json'}: {artifact.flow} {artifact.flow_version}, {short}")


app = typer.Typer(
    name="vfc",
    help="A YAML call flow becomes a checked artifact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
register(app)
