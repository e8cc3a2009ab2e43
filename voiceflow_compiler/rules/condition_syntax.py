"""A condition that cannot be read.

Why: nobody can say when it holds, so no caller could be led by it.

**Flagged**

    handoff_triggers:
      - {when: turn.negative_in_a_row => 3, to: sales, reason: the caller is unhappy}  # flagged

**Clean**

    handoff_triggers:
      - {when: turn.negative_in_a_row >= 3, to: sales, reason: the caller is unhappy}

Tip: compare with `==`, `!=`, `<`, `<=`, `>`, `>=` or `in [...]`, and join with `and`, `or`, `not`.
"""

from typing import Final

CODE: Final = "VF130"
NAME: Final = "condition-syntax"
SEVERITY: Final = "error"
