"""A place where the text stops being YAML.

Why: what follows cannot be read for certain, so nothing else is said about it. Most often a text has a colon
in it, a quote or a bracket is not closed, or a line is indented otherwise than its neighbours.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo: it takes ten minutes.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: "Offer a demo: it takes ten minutes."
        on:
          agreement: {go: email}

Tip: put a text with a colon in quotes, close what was opened, and indent the line as those beside it.
"""

from typing import Final

CODE: Final = "VF006"
NAME: Final = "not-yaml"
SEVERITY: Final = "error"
