"""An action that is named and not defined.

Why: nothing would be done, while the caller waits for it.

**Flagged**

    nodes:
      book:
        kind: act
        action: book_a_demo  # flagged
        while_waiting: One moment, I'm booking it.
        on_success: goodbye
        on_failure: to_sales

**Clean**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment, I'm booking it.
        on_success: goodbye
        on_failure: to_sales

Tip: write the name of an action, or define one of this name under `actions`.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF125"
NAME: Final = "unknown-action"
SEVERITY: Final = "error"
