"""`vfc cost`: what a flow's calls cost in tokens and money."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from voiceflow_compiler.commands.base import compiled, put, stop
from voiceflow_compiler.commands.coverage import Report, ReportOption


def cost(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder, or an artifact.", metavar="FLOW")],
    model: Annotated[str | None, typer.Option("--model", help="A model of the price list.")] = None,
    prices: Annotated[
        Path | None, typer.Option("--prices", help="A price list of your own (JSON).", metavar="FILE")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option("--assume", help="Another assumption; may be given again.", metavar="NAME=NUMBER"),
    ] = None,
    most: Annotated[
        float | None,
        typer.Option("--at-most", min=0, help="Fail when the expected call costs more.", metavar="MONEY"),
    ] = None,
    format: ReportOption = Report.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Estimate what calls cost: expected, shortest, longest and by ending, under both ways of prompting."""
    from voiceflow_compiler.artifact import ArtifactError, decode
    from voiceflow_compiler.cost import assumed, estimate, report

    try:
        artifact = decode(flow.read_bytes()) if flow.suffix == ".json" else compiled(flow)
        listed = None if prices is None else prices.read_text(encoding="utf-8")
        found = estimate(
            artifact, assumed.prices(listed, model), assumed.assumptions(assume or (), artifact.nodes)
        )
    except (ArtifactError, assumed.AssumptionError) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename}: {(error.strerror or 'cannot be read').lower()}")
    except UnicodeDecodeError:
        stop(f"{prices}: this is not UTF-8 text")
    except ValueError as error:
        stop(str(error))
    write = {Report.TEXT: report.as_text, Report.JSON: report.as_json, Report.MARKDOWN: report.as_markdown}
    put(write[format](found), sys.stdout)
    expected = found.rows[0].bills["stable"].price(found.prices)
    if most is not None and expected > most:
        put(f"vfc: the expected call costs {expected:.4f}, more than {most:g}\n", sys.stderr)
        raise typer.Exit(1)
