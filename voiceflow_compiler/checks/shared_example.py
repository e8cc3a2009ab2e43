"""The same example sentence under two intents.

Why: the example says that one sentence means two things, and the assistant cannot know which. The caller
who says it is answered by chance.

**Flagged**

    intents:
      too_expensive:
        family: objection
        means: the price worries them
        examples: ["that's too much", "I don't know"]
      what_is_this:
        family: confusion
        means: does not follow
        examples: ["what do you mean", "I don't know."]  # flagged

**Clean**

    intents:
      too_expensive:
        family: objection
        means: the price worries them
        examples: ["that's too much", "we have no budget"]
      what_is_this:
        family: confusion
        means: does not follow
        examples: ["what do you mean", "I don't know."]

Tip: keep the sentence where it belongs, and say in `means` what tells the two apart.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, plain
from voiceflow_compiler.diagnostics import Path, Places, Related
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF302"
NAME: Final = "shared-example"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every example that reads the same, capitals and punctuation apart, as one of another intent."""
    seen: dict[str, tuple[str, Path]] = {}
    for intent in flow.intents.values():
        for at, example in enumerate(() if intent.built_in else intent.examples):
            path = (*intent.path, "examples", at)
            first, its_path = seen.setdefault(plain(example), (intent.name, path))
            if first != intent.name:
                yield Found(
                    places.value(path),
                    f'a caller who says "{example}" could mean {first} or {intent.name}',
                    "Keep the sentence under one of them, and say in `means` what tells the two apart.",
                    (Related(places.value(its_path), f"also an example of {first}"),),
                )
