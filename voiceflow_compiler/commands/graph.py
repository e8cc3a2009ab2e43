"""`vfc graph`: a flow's graph as a picture."""

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler.commands.base import compiled, put, stop, write


class Picture(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"


# picture -> (target, file name in what the target emits)
_PICTURES = {
    Picture.MERMAID: ("mermaid", "graph.mmd"),
    Picture.SVG: ("picture", "graph.svg"),
    Picture.HTML: ("picture", "graph.html"),
}


def graph(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    format: Annotated[Picture, typer.Option("--format", help="How it is drawn.")] = Picture.MERMAID,  # noqa: A002
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write to.", metavar="FILE")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
) -> None:
    """Draw a flow's graph."""
    from voiceflow_compiler.targets import TARGETS

    artifact = compiled(flow)
    if show and format is Picture.MERMAID:
        format = Picture.HTML  # noqa: A001 - a browser does not draw Mermaid
    target, name = _PICTURES[format]
    text = TARGETS[target](artifact)[name]
    if show and output is None:
        output = Path(tempfile.mkdtemp(prefix="vfc-")) / name
    if output is None:
        put(text, sys.stdout)
        return
    try:
        write(output, text.encode())
    except OSError as error:
        stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    print(output)
    if show:
        typer.launch(str(output))
