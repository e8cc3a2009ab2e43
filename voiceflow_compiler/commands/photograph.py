"""A picture as PNG, through a Chromium or Chrome that is installed."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from voiceflow_compiler.commands.base import put_error, stop

_BROWSERS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
_LARGEST: Final = 14_000  # pixels: browsers draw nothing beyond 16,384
_SHARP: Final = 2.0  # dots for a pixel, where the picture is small enough
_PATIENCE_S: Final = 120


def photographed(svg: str) -> bytes:
    """The picture as PNG. Ends the command in one line where no browser is installed or it fails."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        stop("a PNG needs Chromium or Chrome, and none is installed: --format svg draws the same picture")
    width, height = _size(svg)
    scale = min(_SHARP, _LARGEST / max(width, height))
    if scale < 1:
        put_error(f"vfc: the picture is shown at {scale:.0%} of its size: --format html is readable at any")
    with tempfile.TemporaryDirectory(prefix="vfc-") as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><body style="margin:0">{svg}', encoding="utf-8"
        )
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        command += [
            f"--window-size={round(width)},{round(height)}",
            f"--force-device-scale-factor={scale:.4f}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # the browser refuses to start for root otherwise
        try:
            subprocess.run(
                [*command, f"--screenshot={shot}", page.as_uri()],
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
            )
            return shot.read_bytes()
        except (OSError, subprocess.TimeoutExpired):
            stop(f"{browser} drew nothing: --format svg draws the same picture")


def _size(svg: str) -> tuple[float, float]:
    """The width and height of a picture, in pixels."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return (float(found[1]), float(found[2])) if found else (1000.0, 1000.0)
