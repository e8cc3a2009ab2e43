"""The same entry twice in one list.

Why: it is a slip of the pen, and another entry was meant: a value that is never asked for, or a field that
the person never gets.

**Flagged**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots, reason]  # flagged
        if_unanswered: goodbye

**Clean**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots, transcript]
        if_unanswered: goodbye

Tip: keep one of them, or write what was meant instead.
"""

from typing import Final

CODE: Final = "VF110"
NAME: Final = "repeated-item"
SEVERITY: Final = "error"
