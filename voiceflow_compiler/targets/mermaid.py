"""The graph as a Mermaid flowchart, `graph.mmd`.

What holds everywhere stands in a box of its own: arrows from every node would hide the others.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from voiceflow_compiler.artifact import Artifact, NodeKind
from voiceflow_compiler.targets import base

_SHAPES: Final[dict[NodeKind, tuple[str, str]]] = {
    "disclosure": ("[[", "]]"),
    "tell": ("[", "]"),
    "ask": ("(", ")"),
    "decide": ("{", "}"),
    "act": ("[/", "/]"),
    "handoff": ("{{", "}}"),
    "end": ("([", "])"),
}
_COLOURS: Final[dict[NodeKind, str]] = {
    "disclosure": "fill:#fff3c4,stroke:#8a6d00,color:#1b1f24",
    "tell": "fill:#f1f3f5,stroke:#6b7280,color:#1b1f24",
    "ask": "fill:#e7f0ff,stroke:#2f5fb3,color:#1b1f24",
    "decide": "fill:#f3e8ff,stroke:#7a3fb0,color:#1b1f24",
    "act": "fill:#dff6ee,stroke:#0f7a5c,color:#1b1f24",
    "handoff": "fill:#ffe3df,stroke:#b3372a,color:#1b1f24",
    "end": "fill:#e5e7eb,stroke:#374151,color:#1b1f24",
}


def emit(artifact: Artifact) -> dict[str, str]:
    """`graph.mmd`, for any page that draws Mermaid."""
    return {"graph.mmd": "\n".join(_lines(artifact)) + "\n"}


def _lines(artifact: Artifact) -> Iterator[str]:
    order = base.reading_order(artifact)
    yield "---"
    yield f"title: {json.dumps(artifact.title, ensure_ascii=False)}"
    yield "---"
    yield "flowchart TD"
    yield from _nodes(artifact, order)
    for (source, target), ways in base.together(artifact).items():
        arrow = "-->" if any(way.cause == "flow" for way in ways) else "-.->"
        label = _stacked(way.label for way in ways if way.label)
        yield f"  {_id(source)} {arrow}{f'|{label}|' if label else ''} {_id(target)}"
    rules = (f"{rule.label} → {rule.target}" if rule.target else rule.label for rule in base.rules(artifact))
    yield '  subgraph everywhere["Everywhere"]'
    yield f"    rules[{_stacked(rules)}]:::rules"
    yield "  end"
    for kind in _SHAPES:
        yield f"  classDef is_{kind} {_COLOURS[kind]}"
    yield "  classDef rules fill:none,stroke:none,color:#6b7280"


def _nodes(artifact: Artifact, order: Iterable[str]) -> Iterator[str]:
    """The nodes, those of a subflow in a box of its own."""
    groups: dict[str, list[str]] = {}
    uses = base.uses(artifact)
    for name in order:
        groups.setdefault(name if name in uses else name.rpartition(".")[0], []).append(name)
    for use, names in groups.items():
        if use:
            yield f'  subgraph {_id(f"in {use}")}["{_escaped(use)}"]'
        for name in names:
            kind = artifact.nodes[name].kind
            opening, closing = _SHAPES[kind]
            yield f'  {_id(name)}{opening}"{_escaped(name)}"{closing}:::is_{kind}'
        if use:
            yield "  end"


def _id(name: str) -> str:
    """An identifier that no Mermaid keyword equals; an odd character is written as its number."""
    return "n_" + re.sub(r"[^A-Za-z0-9_]", lambda found: f"_{ord(found[0])}_", name)


def _stacked(lines: Iterable[str]) -> str:
    """Lines one below another, in quotes; nothing for none."""
    joined = "<br/>".join(map(_escaped, lines))
    return f'"{joined}"' if joined else ""


def _escaped(text: str) -> str:
    """Text inside Mermaid's quotes, where only its own entity codes are safe."""
    return "".join(f"#{ord(each)};" if each in '"#<>&;`\\' else each for each in text)
