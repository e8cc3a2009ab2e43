"""A condition about something that this flow does not know.

Why: it would never hold, and callers would go the other way.

**Flagged**

    handoff_triggers:
      - {when: turn.negatives_in_a_row >= 3, to: sales, reason: the caller is unhappy}  # flagged

**Clean**

    handoff_triggers:
      - {when: turn.negative_in_a_row >= 3, to: sales, reason: the caller is unhappy}

Tip: names begin with `slots.`, `facts.`, `results.`, `intent.` or `turn.`; a text stands in quotes.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF131"
NAME: Final = "unknown-name"
SEVERITY: Final = "error"
