"""`vfc coverage`: what every listening node has for everything a caller may do."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler.commands.base import Format, flow_file, print_findings, put


class Report(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


ReportOption = Annotated[Report, typer.Option("--format", help="How the report is written.")]


def coverage(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    bar: Annotated[
        float | None,
        typer.Option("--bar", min=0, max=100, help="Fail below this many percent.", metavar="PERCENT"),
    ] = None,
    keypad: Annotated[bool, typer.Option("--keypad", help="Count missing keypad answers too.")] = False,
    format: ReportOption = Report.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Show which nodes answer agreement, objection, silence and all else a caller may do."""
    from voiceflow_compiler.coverage import cover
    from voiceflow_compiler.coverage.report import as_json, as_markdown, as_text
    from voiceflow_compiler.pipeline import check

    checked = check(str(flow_file(flow)))
    whole = checked.flow is not None and checked.graph is not None and checked.flow.whole
    if not whole or checked.flow is None or checked.graph is None:
        print_findings(checked.findings, checked.source.places.texts, Format.TEXT, to_stderr=True)
        put("vfc: too little of this flow could be read to judge what it covers\n", sys.stderr)
        raise typer.Exit(1)
    places = checked.source.places
    covered = cover(checked.flow, checked.graph, lambda node: places.key(node.path).line, keypad=keypad)
    match format:
        case Report.JSON:
            put(as_json(covered, bar), sys.stdout)
        case Report.MARKDOWN:
            put(as_markdown(covered), sys.stdout)
        case Report.TEXT:
            put(as_text(covered), sys.stdout)
    if bar is not None and covered.percent < bar:
        put(f"vfc: coverage {covered.percent:.1f} % is below the bar of {bar:g} %\n", sys.stderr)
        raise typer.Exit(1)
