"""`vfc cost`: what a flow's calls cost in tokens and money."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceflow_compiler.commands.base import compiled, put, put_error, stop
from voiceflow_compiler.commands.coverage import Report, ReportOption
from voiceflow_compiler.commands.projects import one, together

if TYPE_CHECKING:
    from voiceflow_compiler.cost import Estimate


def cost(
    flow: Annotated[
        Path | None,
        typer.Argument(
            help="A flow's file or folder, or an artifact; none: every flow here.", metavar="[FLOW]"
        ),
    ] = None,
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
    from voiceflow_compiler.cost import report

    write = {Report.TEXT: report.as_text, Report.JSON: report.as_json, Report.MARKDOWN: report.as_markdown}
    flows = [flow] if flow is not None and flow.suffix == ".json" else one(flow)
    found = [_estimated(each, model, prices, assume or []) for each in flows]
    put(together([write[format](each) for each in found], as_json=format is Report.JSON), sys.stdout)
    dear = False
    for each, estimate in zip(flows, found, strict=True):
        expected = estimate.rows[0].bills["stable"].price(estimate.prices)
        if most is not None and expected > most:
            dear = True
            where = f"{each}: " if len(flows) > 1 else ""
            put_error(f"vfc: {where}the expected call costs {expected:.4f}, more than {most:g}")
    raise typer.Exit(int(dear))


def _estimated(flow: Path, model: str | None, prices: Path | None, assume: list[str]) -> "Estimate":
    """What a flow's calls cost. Ends the command where that cannot be told."""
    from voiceflow_compiler.artifact import ArtifactError, decode
    from voiceflow_compiler.cost import assumed, estimate

    try:
        artifact = decode(flow.read_bytes()) if flow.suffix == ".json" else compiled(flow)
        listed = None if prices is None else prices.read_text(encoding="utf-8")
        return estimate(artifact, assumed.prices(listed, model), assumed.assumptions(assume, artifact.nodes))
    except (ArtifactError, assumed.AssumptionError) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename}: {(error.strerror or 'cannot be read').lower()}")
    except UnicodeDecodeError:
        stop(f"{prices}: this is not UTF-8 text")
    except ValueError as error:
        stop(str(error))
