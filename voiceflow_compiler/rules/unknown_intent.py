"""An answer to an intent or a family that no caller can have.

Why: it would never be given: callers who mean this get another answer, or none.

**Flagged**

    everywhere:
      wants_persons: {go: to_sales}  # flagged

**Clean**

    everywhere:
      wants_person: {go: to_sales}

Tip: write the name of an intent or a family, or define an intent of this name under `intents`.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF122"
NAME: Final = "unknown-intent"
SEVERITY: Final = "error"
