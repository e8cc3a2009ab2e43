"""A condition of more parts than anybody can follow.

Why: what nobody can read nobody can check, and it decides where a caller goes.

**Flagged**

    handoff_triggers:
      - {when: <turn.number != 7 and 60 times> turn.number > 3, to: sales, reason: it takes long}  # flagged

**Clean**

    handoff_triggers:
      - {when: turn.number > 30, to: sales, reason: it takes long}

Tip: split it into several cases or triggers, one below the other.
"""

from typing import Final

CODE: Final = "VF134"
NAME: Final = "condition-too-long"
SEVERITY: Final = "error"
