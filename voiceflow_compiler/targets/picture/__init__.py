"""The graph as a picture for people: `graph.svg`, and `graph.html` to move about in; no network asked."""

import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.targets.picture import drawing
from voiceflow_compiler.targets.picture.cards import Pin
from voiceflow_compiler.targets.picture.trodden import Trod, Trodden, tinted
from voiceflow_compiler.targets.picture.trodden import pins as told

__all__ = ["Pin", "Trod", "Trodden", "emit"]

_SELF: Final = "<!-- picture -->"
_TITLE: Final = "<!-- title -->"
_SHEET: Final = "/* sheet */"


def emit(
    artifact: Artifact,
    pins: Mapping[str, tuple[Pin, ...]] | None = None,
    trodden: Trodden | None = None,
) -> dict[str, str]:
    """`graph.svg` prints and embeds; `graph.html` adds moving, enlarging, searching and a dark side.

    `pins` are findings by node name; "" holds those of the flow as a whole. `trodden`: how often calls came
    by, instead.
    """
    if trodden is None:
        svg = drawing.draw(artifact, pins)
    else:
        svg = tinted(drawing.draw(artifact, told(trodden)), trodden)
    page = files(__name__).joinpath("page.html").read_text(encoding="utf-8")
    title = escape(artifact.title or artifact.flow)
    page = page.replace(_SHEET, "landscape" if _is_wide(svg) else "portrait")
    return {"graph.svg": svg, "graph.html": page.replace(_TITLE, title).replace(_SELF, svg)}


def _is_wide(svg: str) -> bool:
    """Whether a picture is wider than tall, so that its sheet lies on its side."""
    sizes = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return sizes is not None and float(sizes[1]) > float(sizes[2])
