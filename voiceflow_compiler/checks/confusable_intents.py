"""Two intents with example sentences so alike that one may be taken for the other.

Why: the assistant tells meanings apart by these sentences. Where two of them hardly differ, the caller who
says something like them is answered by chance.

**Flagged**

    intents:
      too_expensive:
        family: objection
        means: the price worries them
        examples: ["that is too expensive", "we have no budget"]
      asks_price:
        family: confusion
        means: asks what it costs
        examples: ["isn't that too expensive?", "what does it cost"]  # flagged

**Clean**

    intents:
      too_expensive:
        family: objection
        means: the price worries them
        examples: ["that is too expensive", "we have no budget"]
      what_is_this:
        family: confusion
        means: does not follow
        examples: ["who are you", "what does it cost"]

Tip: give each of the two sentences that only it would get, and say in `means` what tells them apart. The
measure is of letters and words (`vfc coverage` shows it); it knows nothing of what they mean.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places, Related
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph
from voiceflow_compiler.likeness import too_alike

CODE: Final = "VF305"
NAME: Final = "confusable-intents"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """The most alike sentences of every two intents that are hard to tell apart."""
    own = {name: intent for name, intent in flow.intents.items() if not intent.built_in}
    for each in too_alike({name: intent.examples for name, intent in own.items()}):
        first, second = (
            (*own[name].path, "examples", at) for name, at in _ends(each.first, each.second, each.at)
        )
        yield Found(
            places.value(second),
            f'"{each.sentences[1]}" is {each.second}, and "{each.sentences[0]}" is {each.first}: '
            f"hard to tell apart (likeness {each.likeness:.2f})",
            "Give each sentences that only it would get, and say in `means` what tells the two apart.",
            (Related(places.value(first), f"an example of {each.first}"),),
        )


def _ends(first: str, second: str, at: tuple[int, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    return (first, at[0]), (second, at[1])
