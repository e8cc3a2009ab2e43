"""A word that the key does not know.

Why: such keys choose between a few ways, and this is none of them: the call would go some other way.

**Flagged**

    handoffs:
      sales:
        mode: wram  # flagged
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: goodbye

**Clean**

    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: goodbye

Tip: write one of the words that the finding lists.

Fix: the nearest word, where there is one.
"""

from typing import Final

CODE: Final = "VF104"
NAME: Final = "not-one-of"
SEVERITY: Final = "error"
