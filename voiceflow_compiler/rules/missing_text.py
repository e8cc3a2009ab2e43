"""A text of the flow that a locale leaves out.

Why: a caller would suddenly hear another language, or not be understood in their own.

**Flagged**

    # in: locales/es-US.yaml
    texts:
      nodes.book.while_waiting:  # flagged
        source: "One moment, I'm booking it."
        text:

**Clean**

    # in: locales/es-US.yaml
    texts:
      nodes.book.while_waiting:
        source: "One moment, I'm booking it."
        text: "Un momento, lo estoy agendando."

Tip: write it under `text`; `vfc locale FLOW TAG` adds the entries that are missing.
"""

from typing import Final

CODE: Final = "VF150"
NAME: Final = "missing-text"
SEVERITY: Final = "error"
