"""A flow of more parts than anybody writes: values, files, or uses of subflows.

Why: a flow of 2,000 nodes stays far below these bounds. Past them nobody has read what callers will hear.

**Flagged**

    knowledge: [<x, 250000 times>]  # flagged

**Clean**

    knowledge:
      - The trial is free.

Tip: split it into several flows, or look at the program that wrote it.
"""

from typing import Final

CODE: Final = "VF011"
NAME: Final = "too-many-parts"
SEVERITY: Final = "error"
