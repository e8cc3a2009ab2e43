"""A comparison with a value that is none of the choices.

Why: it is never true, and the callers it was written for go another way.

**Flagged**

    handoff_triggers:
      - {when: facts.account == 'custom', to: sales, reason: a customer calls}  # flagged

**Clean**

    handoff_triggers:
      - {when: facts.account == 'customer', to: sales, reason: a customer calls}

Tip: write one of the choices; the finding lists them.

Fix: the nearest choice, where there is one.
"""

from typing import Final

CODE: Final = "VF133"
NAME: Final = "not-a-choice"
SEVERITY: Final = "error"
