"""A way that leads to a node which does not exist.

Why: a caller would fall out of the flow there.

**Flagged**

    everywhere:
      too_expensive: {convey: Say that the trial is free., go: sory}  # flagged

**Clean**

    everywhere:
      too_expensive: {convey: Say that the trial is free., go: sorry}

Tip: write the name of a node of this flow. In a subflow's file that is one of its own nodes or exits.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF120"
NAME: Final = "unknown-node"
SEVERITY: Final = "error"
