"""Exact words that go on for longer than a caller listens.

Why: sixty words are about twenty-five seconds. Callers forget the beginning, talk over it, or hang up.

**Flagged**

    nodes:
      news:
        kind: tell
        say: >-  # flagged
          Our product has been on the market for eleven years and is used by more than four thousand
          companies in thirty countries, who all tell us that they like it, because it is simple and
          does what it should, and because our people answer every question within a day, and we
          would like to show you how it works, what it costs, and what others of your size have done
          with it in the last year.
        next: team
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: news

**Clean**

    nodes:
      news:
        kind: tell
        say: More than four thousand companies use it. I can tell you what it costs.
        next: team
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: news

Tip: say one thing, and let the caller ask for more.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, line_place, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF803"
NAME: Final = "long-turn"
SEVERITY: Final = "warning"

_WORDS: Final = 60


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every exact line of more than sixty words; the disclosure says what it must."""
    disclosures = {node.line.path for node in flow.nodes.values() if node.kind == "disclosure" and node.line}
    for line, _, what in spoken(flow, graph):
        if line.say is None or len(line.say) < 4 * _WORDS or line.path in disclosures:
            continue
        count = len(line.say.split())
        if count > _WORDS:
            yield Found(
                line_place(line, places),
                f"{what} takes a caller about {round(count / 2.5)} seconds to hear: {count} words",
                "Say one thing, and let the caller ask for more.",
            )
