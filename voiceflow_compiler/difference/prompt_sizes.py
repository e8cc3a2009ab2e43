"""How the sizes of the prompts differ, in tokens: characters divided by four, which is an estimate."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.difference.change import Change

GROWN = 1.1  # from here on a larger prompt is notable


@dataclass(frozen=True, slots=True)
class Size:
    """A prompt in both versions, in estimated tokens; 0 where it is not."""

    what: str
    old: int
    new: int


def tokens(text: str) -> int:
    """An estimate: four characters are a token."""
    return -(-len(text) // 4)


def sizes(old: Artifact, new: Artifact) -> tuple[Size, ...]:
    """The prompts whose text differs: the prefix, the tools, and the briefs by node."""
    texts = [("prefix", old.prefix, new.prefix), ("tools", _tools(old), _tools(new))]
    nodes = (*new.briefs, *(name for name in old.briefs if name not in new.briefs))
    texts += [(f"brief {name}", old.briefs.get(name, ""), new.briefs.get(name, "")) for name in nodes]
    return tuple(Size(what, tokens(was), tokens(is_)) for what, was, is_ in texts if was != is_)


def size_changes(found: tuple[Size, ...]) -> Iterator[Change]:
    """One change for what every response reads; briefs have their nodes' own changes."""
    for size in found:
        if size.what in ("prefix", "tools"):
            severity = "notable" if size.new > size.old * GROWN else "cosmetic"
            message = f"the {size.what}: {size.old} → {size.new} tokens (estimated), {size.new - size.old:+d}"
            yield Change("notable" if severity == "notable" else "cosmetic", "prompt", message)


def _tools(artifact: Artifact) -> str:
    return json.dumps([[tool.name, tool.description, tool.parameters] for tool in artifact.tools])
