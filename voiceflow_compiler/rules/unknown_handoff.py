"""A way to a person that is not defined.

Why: a caller who is to be put through would reach nobody.

**Flagged**

    nodes:
      to_sales: {kind: handoff, to: sails}  # flagged

**Clean**

    nodes:
      to_sales: {kind: handoff, to: sales}

Tip: write the name of a handoff, or define one of this name under `handoffs`.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF124"
NAME: Final = "unknown-handoff"
SEVERITY: Final = "error"
