"""A key that the language does not have.

Why: it would be passed over, and what it was meant to do would not happen on the call.

**Flagged**

    nodes:
      offer:
        kind: ask
        convay: Offer a demo.  # flagged
        convey: Offer a demo.
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}

Tip: write the key that was meant; the finding names the nearest, or all that may stand here.

Fix: the nearest key, where there is one.
"""

from typing import Final

CODE: Final = "VF101"
NAME: Final = "unknown-key"
SEVERITY: Final = "error"
