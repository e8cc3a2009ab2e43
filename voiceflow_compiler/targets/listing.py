"""The graph as JSON, `graph.json`: its nodes, its ways and what holds everywhere, for other programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from voiceflow_compiler.artifact import Artifact, Node
from voiceflow_compiler.targets import base

VERSION: Final = 1


def emit(artifact: Artifact, pins: Mapping[str, Sequence[Any]] | None = None) -> dict[str, str]:
    """`graph.json`. `pins` are findings by node name, as dataclasses; "" holds those of the whole flow."""
    pins = pins or {}
    graph = {
        "version": VERSION,
        "flow": artifact.flow,
        "flow_version": artifact.flow_version,
        "title": artifact.title,
        "start": artifact.start,
        "nodes": [
            _node(name, artifact.nodes[name], artifact, pins.get(name, ()))
            for name in base.reading_order(artifact)
        ],
        "ways": [asdict(way) for way in base.ways(artifact)],
        "everywhere": [asdict(rule) for rule in base.rules(artifact)],
        "findings": [asdict(pin) for pin in pins.get("", ())],
    }
    return {"graph.json": json.dumps(graph, indent=2, ensure_ascii=False) + "\n"}


def _node(name: str, node: Node, artifact: Artifact, pins: Sequence[Any]) -> dict[str, Any]:
    """A node with what only its kind has left out for the others."""
    own = {
        "collect": list(node.collect),
        "action": node.action,
        "handoff": node.handoff,
        "outcome": node.outcome,
    }
    return {
        "name": name,
        "kind": node.kind,
        "words": base.words(node, artifact),
        **{key: value for key, value in own.items() if value},
        "findings": [asdict(pin) for pin in pins],
    }
