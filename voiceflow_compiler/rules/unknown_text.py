"""A translation of a text that the flow does not have.

Why: nobody would ever hear it. Most often a node was renamed or taken away.

**Flagged**

    # in: locales/es-US.yaml
    texts:
      nodes.booking.while_waiting:  # flagged
        source: "One moment, I'm booking it."
        text: "Un momento, lo estoy agendando."

**Clean**

    # in: locales/es-US.yaml
    texts:
      nodes.book.while_waiting:
        source: "One moment, I'm booking it."
        text: "Un momento, lo estoy agendando."

Tip: write the key as `vfc locale FLOW TAG` does, or delete the entry.

Fix: the nearest key, where there is one.
"""

from typing import Final

CODE: Final = "VF152"
NAME: Final = "unknown-text"
SEVERITY: Final = "error"
