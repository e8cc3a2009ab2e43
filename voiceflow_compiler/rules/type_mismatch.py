"""Two things of different kinds compared, or an order asked of what has none.

Why: such a comparison is never true, and callers would go the other way.

**Flagged**

    handoff_triggers:
      - {when: turn.negative_in_a_row >= 'three', to: sales, reason: the caller is unhappy}  # flagged

**Clean**

    handoff_triggers:
      - {when: turn.negative_in_a_row >= 3, to: sales, reason: the caller is unhappy}

Tip: text stands in 'quotes', numbers do not; a date is written '2026-12-31', a time '17:30'.
"""

from typing import Final

CODE: Final = "VF132"
NAME: Final = "type-mismatch"
SEVERITY: Final = "error"
