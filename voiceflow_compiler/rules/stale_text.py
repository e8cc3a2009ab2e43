"""A translation of words that the flow no longer says.

Why: callers of this locale hear what was said before, perhaps an offer that is not made any more.

**Flagged**

    # in: locales/es-US.yaml
    texts:
      nodes.book.while_waiting:
        source: "One moment, I'm looking it up."  # flagged
        text: "Un momento, lo estoy buscando."

**Clean**

    # in: locales/es-US.yaml
    texts:
      nodes.book.while_waiting:
        source: "One moment, I'm booking it."
        text: "Un momento, lo estoy agendando."

Tip: run `vfc locale FLOW TAG`, look at the text again, and delete `was`.
"""

from typing import Final

CODE: Final = "VF151"
NAME: Final = "stale-text"
SEVERITY: Final = "warning"
