"""Sessions of OpenAI's Realtime API with instructions and tools of one node each: `focused/NODE.json`.

For models that follow a short prompt better: the bridge sends one as `session.update` at each node. It costs
more, for with other instructions the whole conversation is read anew, uncached (`vfc cost` compares the two).
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from voiceflow_compiler.artifact import Artifact, Node
from voiceflow_compiler.targets import base

# The sections of the stable prefix (docs/prompting.md) that only a listening node needs.
_HEARING: Final = frozenset(
    ("How each turn works", "What a caller may mean", "What you find out", "What you may tell")
)
_ENTRY: Final = re.compile(r"- (\w+) \(")  # an intent or slot line begins with its name


def emit(artifact: Artifact) -> dict[str, str]:
    """One session for every node where the model speaks or listens."""
    return {
        f"focused/{base.file_name(name)}.json": json.dumps(
            session(artifact, name), indent=2, ensure_ascii=False
        )
        + "\n"
        for name in base.reading_order(artifact)
        if name in artifact.briefs
    }


def session(artifact: Artifact, name: str) -> dict[str, Any]:
    """What `session.update` carries at a node, for a caller without a record."""
    return {
        "type": "realtime",
        "instructions": instructions(artifact, name),
        "tools": tools(artifact, name),
        "tool_choice": "auto",
    }


def instructions(artifact: Artifact, name: str) -> str:
    """The stable prefix without what this node does not need, and the node's brief at its end."""
    node = artifact.nodes[name]
    kept = []
    for section in re.split(r"\n(?=# )", base.instructions(artifact).rstrip("\n")):
        title, _, body = section.removeprefix("# ").partition("\n")
        if node.kind != "ask" and title in _HEARING:
            continue
        lines = list(_needed(artifact, node, title, body.split("\n")))
        if any(line.strip() for line in lines):
            kept.append("\n".join((f"# {title}", *lines)).rstrip("\n"))
    return "\n\n".join((*kept, f"# Now\n{artifact.briefs[name]}")) + "\n"


def tools(artifact: Artifact, name: str) -> list[dict[str, Any]]:
    """The tools of a listening node, `take_turn` with this node's intents and slots alone; else none."""
    node = artifact.nodes[name]
    if node.kind != "ask":
        return []
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": _narrowed(artifact, node, tool.parameters)
            if tool.name == "take_turn"
            else tool.parameters,
        }
        for tool in artifact.tools
    ]


def _needed(artifact: Artifact, node: Node, title: str, lines: list[str]) -> Iterator[str]:
    names = {"What a caller may mean": _intents(artifact, node), "What you find out": set(node.collect)}
    for line in lines:
        entry = _ENTRY.match(line)
        if title not in names or entry is None or entry[1] in names[title]:
            yield line


def _intents(artifact: Artifact, node: Node) -> set[str]:
    """What a caller may mean at a node: what it answers, what triggers wait for, and what is never absent."""
    always = {name for name, intent in artifact.intents.items() if intent.family in ("escalation", "unclear")}
    asked = {name for name, intent in artifact.intents.items() if intent.family == "answer" and node.collect}
    return {*node.answers, *always, *asked}


def _narrowed(artifact: Artifact, node: Node, parameters: dict[str, Any]) -> dict[str, Any]:
    properties = dict(parameters["properties"])
    known = _intents(artifact, node)
    properties["intent"] = properties["intent"] | {
        "enum": [name for name in properties["intent"]["enum"] if name in known]
    }
    values = properties["slots"]["properties"]
    properties["slots"] = properties["slots"] | {
        "properties": {name: value for name, value in values.items() if name in node.collect}
    }
    return parameters | {"properties": properties}
