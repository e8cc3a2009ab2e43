"""`vfc sheets`: role-play call sheets that cover every edge of a flow."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import to_builtins

from runtime.commands.base import SCENARIOS, Report, compiled, folder_of, stop, write
from voiceflow_compiler import cli as compiler

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PRINT_WITHIN_S = 120


def sheets(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file: .html, or .pdf where Chromium is installed.")
    ] = Path("sheets.html"),
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Only the first so many, which try the most.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", help="Read what was filled in: files, or folders of them.", metavar="PATH"),
    ] = None,
    scenarios: Annotated[
        Path | None,
        typer.Option("--scenarios", help="Where scenarios go; else the flow's scenarios.", metavar="DIR"),
    ] = None,
    form: Annotated[Report, typer.Option("--format", help="How results are told.")] = Report.TEXT,
) -> None:
    """Print call sheets for people who play callers: who they are, what to say, what must happen.

    With --results what they filled in becomes findings in the flow, and scenarios. Exit code 1: they found
    something.
    """
    from runtime.simulate.sheets import covered, planned
    from runtime.simulate.sheets import sheets as written

    if results:
        raise typer.Exit(_read(flow, results, scenarios, form))
    artifact = compiled(flow)
    suite = planned(artifact)
    shown = suite.calls[:most]
    page = written(artifact, shown, of=len(suite.calls))
    if output.suffix == ".pdf":
        _print_pdf(page, output)
    else:
        write(output, page)
    tried, every = covered(shown), covered(suite.calls)
    print(f"{output}: {len(shown)} of {len(suite.calls)} sheets; they try {tried} of {every} edges")


def _read(flow: Path, paths: list[Path], folder: Path | None, form: Report) -> int:
    """Results as findings and scenarios."""
    from runtime.simulate.scenario.write import as_yaml
    from runtime.simulate.sheet_results import ResultsError, found, read_results, scores_of, tries
    from runtime.simulate.sheets import planned

    artifact, places = compiler.placed_flow(flow)
    suite = planned(artifact)
    folder = folder or folder_of(flow) / SCENARIOS
    told, findings, written = [], [], []
    for path in _files(paths):
        plain, _ = compiler.read_placed(path)
        try:
            read = read_results(plain, artifact, suite)
        except ResultsError as error:
            stop(f"{path}: {error}")
        told.append(read)
        for one in found(artifact, suite, read):
            span = places.key(one.path)
            findings.append({"place": f"{span.file}:{span.line}:{span.column}", **to_builtins(one)})
        for name, scenario in tries(artifact, suite, read):
            target = folder / f"{name}.yaml"
            write(target, as_yaml(scenario))
            written.append(str(target))
    played = sorted({call.call for read in told for call in read.calls})
    value = {
        "version": 1,
        "flow": artifact.flow,
        "sheets": len(suite.calls),
        "played": played,
        "scores": dict(scores_of(told)),
        "findings": findings,
        "scenarios": written,
    }
    print(json.dumps(value, indent=2, ensure_ascii=False) if form is Report.JSON else _text(value))
    return int(bool(findings))


def _files(paths: list[Path]) -> list[Path]:
    found = [one for path in paths for one in (sorted(path.glob("results*")) if path.is_dir() else [path])]
    chosen = [path for path in found if path.suffix in (".json", ".yaml", ".yml")]
    if not chosen:
        stop("there are no results here: save them from the sheets' page as JSON")
    return chosen


def _text(told: dict[str, Any]) -> str:
    lines = [
        f"{one['place']}: {one['message']} (call {one['call']}; {one['by']})" for one in told["findings"]
    ]
    lines.append(f"{len(told['played'])} of {told['sheets']} sheets played, {len(told['findings'])} findings")
    lines += [f"  {score:.1f} of 5  {about}" for about, score in told["scores"].items() if score is not None]
    lines += [f"scenario: {path}" for path in told["scenarios"]]
    return "\n".join(lines)


def _print_pdf(page: str, output: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        stop(f"{output}: a PDF needs Chromium; write .html and print it from a browser")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vfc-sheets-") as home:
        source = Path(home) / "sheets.html"
        source.write_text(page, encoding="utf-8")
        told = subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",  # the page is our own and loads nothing
                "--no-pdf-header-footer",
                f"--user-data-dir={home}/profile",
                f"--print-to-pdf={output.resolve()}",
                source.as_uri(),
            ],
            capture_output=True,
            timeout=PRINT_WITHIN_S,
            check=False,
        )
    if told.returncode or not output.exists():
        stop(f"{output}: the browser could not print it")
