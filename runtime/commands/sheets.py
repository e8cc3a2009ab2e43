"""`vfc sheets`: role-play call sheets that cover every edge of a flow."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.base import compiled, stop, write

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PRINT_WITHIN_S = 120


def sheets(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file: .html, or .pdf where Chromium is installed.")
    ] = Path("sheets.html"),
) -> None:
    """Print call sheets for people who play callers: who they are, what to say, what must happen."""
    from runtime.simulate.cover.suite import generate
    from runtime.simulate.sheets import covered
    from runtime.simulate.sheets import sheets as written

    artifact = compiled(flow)
    suite = generate(artifact, pairs=False)
    page = written(artifact, suite)
    if output.suffix == ".pdf":
        _print_pdf(page, output)
    else:
        write(output, page)
    print(f"{output}: {len(suite.calls)} sheets that try {covered(suite.calls)} things")


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
