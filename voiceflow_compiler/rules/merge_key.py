"""A map merged into another with `<<`.

Why: whoever reads a node does not see what it does, and a change to the merged map changes it unseen.

**Flagged**

    nodes:
      offer:
        <<: {kind: ask}  # flagged
        kind: ask
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

Tip: write the keys out; what several flows share goes into a file of its own (`include`).
"""

from typing import Final

CODE: Final = "VF017"
NAME: Final = "merge-key"
SEVERITY: Final = "error"
