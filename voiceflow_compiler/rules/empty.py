"""Nothing where something is expected: an empty text, list or map.

Why: a caller would hear nothing there, or the part would do nothing.

**Flagged**

    nodes:
      sorry: {kind: end, convey: "", outcome: lost}  # flagged

**Clean**

    nodes:
      sorry: {kind: end, convey: Say that that is fine and say goodbye., outcome: lost}

Tip: write it out, or delete the key.
"""

from typing import Final

CODE: Final = "VF107"
NAME: Final = "empty"
SEVERITY: Final = "error"
