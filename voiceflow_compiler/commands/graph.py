"""`vfc graph`: a flow's graph as a picture."""

import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voiceflow_compiler.commands.base import compiled, put, stop, write
from voiceflow_compiler.commands.photograph import photographed
from voiceflow_compiler.commands.pins import pinned
from voiceflow_compiler.commands.projects import FlowArgument, here, name_of, one, shown

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact


class Picture(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"
    PNG = "png"
    JSON = "json"


# picture -> (target, file name in what the target emits)
_PICTURES = {
    Picture.MERMAID: ("mermaid", "graph.mmd"),
    Picture.SVG: ("picture", "graph.svg"),
    Picture.HTML: ("picture", "graph.html"),
    Picture.PNG: ("picture", "graph.svg"),
    Picture.JSON: ("listing", "graph.json"),
}


def graph(
    flow: FlowArgument = None,
    format: Annotated[Picture, typer.Option("--format", help="How it is drawn.")] = Picture.MERMAID,  # noqa: A002
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file to write to; of several flows the folder.", metavar="FILE"
        ),
    ] = None,
    findings: Annotated[
        bool, typer.Option("--findings", help="Pin what is found to the nodes; draw a flow with errors too.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
) -> None:
    """Draw a flow's graph, or that of every flow of a project."""
    if format is Picture.MERMAID and (show or findings):
        format = Picture.HTML  # noqa: A001 - a browser does not draw Mermaid, and it has no room for findings
    flows = one(flow)
    for each in flows:
        to = output
        project = here() if flow is None else None
        kept = project is not None and output is None and not show
        if (len(flows) > 1 or kept) and (output is not None or format is not Picture.MERMAID):
            folder = output or shown((project.folder / (project.output or "")) if project else Path())
            to = folder / name_of(each) / _file_name(format)
        _draw(each, format, to, findings=findings, show=show)


def draw_covered(artifact: "Artifact", counts: Mapping[str, Any], output: Path) -> None:
    """Write a picture of what calls reached, as its ending says: .svg, .html or .png.

    `counts` holds "nodes", by name, and "ways", each with "from" and "to"; both with "calls", "reached", "of"
    and "never".
    """
    from voiceflow_compiler.targets import picture

    def trod(told: Mapping[str, Any]) -> picture.Trod:
        return picture.Trod(told["calls"], told["reached"], told["of"], tuple(told["never"]))

    nodes = {name: trod(told) for name, told in counts["nodes"].items()}
    ways = {(told["from"], told["to"]): trod(told) for told in counts["ways"]}
    format = next((each for each in Picture if output.suffix == f".{each.value}"), Picture.MERMAID)  # noqa: A001
    if format not in (Picture.SVG, Picture.HTML, Picture.PNG):
        stop(f"{output}: a picture is .svg, .html or .png")
    text = picture.emit(artifact, trodden=picture.Trodden(nodes, ways))[_PICTURES[format][1]]
    _keep(text, format, output)


def drawn(artifact: "Artifact") -> str:
    """The graph as SVG; each node is a group of class `node` with its name in `data-name`."""
    from voiceflow_compiler.targets import picture

    return picture.emit(artifact)[_PICTURES[Picture.SVG][1]]


def _keep(text: str, format: Picture, output: Path) -> None:  # noqa: A002
    try:
        write(output, photographed(text) if format is Picture.PNG else text.encode())
    except OSError as error:
        stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    print(output, file=sys.stderr)


def _file_name(format: Picture) -> str:  # noqa: A002
    return "graph.png" if format is Picture.PNG else _PICTURES[format][1]


def _draw(flow: Path, format: Picture, output: Path | None, *, findings: bool, show: bool) -> None:  # noqa: A002
    from voiceflow_compiler.targets import TARGETS, listing, picture

    target, name = _PICTURES[format]
    if findings:
        emit = listing.emit if format is Picture.JSON else picture.emit
        text = emit(*pinned(flow))[name]
    else:
        text = TARGETS[target](compiled(flow))[name]
    name = _file_name(format)
    if output is None and (show or format is Picture.PNG):
        output = (Path(tempfile.mkdtemp(prefix="vfc-")) if show else Path()) / name
    if output is None:
        put(text, sys.stdout)
        return
    try:
        write(output, photographed(text) if format is Picture.PNG else text.encode())
    except OSError as error:
        stop(f"{error.filename or output}: {(error.strerror or 'cannot be written').lower()}")
    print(output)
    if show:
        typer.launch(str(output))
