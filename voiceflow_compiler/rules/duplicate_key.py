"""A key that stands twice in one map.

Why: most readers keep the last of the two without a word, and half of a design is lost: a node, an answer,
or the words a caller should have heard.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        convey: Offer a trial.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo or a trial.
        on:
          agreement: {go: email}

Tip: keep one of them, or give one another name.
"""

from typing import Final

CODE: Final = "VF007"
NAME: Final = "duplicate-key"
SEVERITY: Final = "error"
