"""The graph as a picture for people: `graph.svg`, and `graph.html` to move about in; no network asked."""

from html import escape
from importlib.resources import files
from typing import Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.targets.picture import drawing

_SELF: Final = "<!-- picture -->"
_TITLE: Final = "<!-- title -->"


def emit(artifact: Artifact) -> dict[str, str]:
    """`graph.svg` prints and embeds; `graph.html` adds moving, enlarging, searching and a dark side."""
    svg = drawing.draw(artifact)
    page = files(__name__).joinpath("page.html").read_text(encoding="utf-8")
    title = escape(artifact.title or artifact.flow)
    return {"graph.svg": svg, "graph.html": page.replace(_TITLE, title).replace(_SELF, svg)}
