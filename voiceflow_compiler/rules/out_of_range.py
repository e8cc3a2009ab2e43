"""A number outside what makes sense on a telephone call.

Why: a caller would wait for minutes, or be cut off before they can answer.

**Flagged**

    fallback:
      no_match:
        - convey: Say that you did not catch it and ask in other words.
        - go: to_sales
      no_input:
        after_ms: 600000  # flagged
        steps:
          - say: Are you still there?
          - go: goodbye
      lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}

**Clean**

    fallback:
      no_match:
        - convey: Say that you did not catch it and ask in other words.
        - go: to_sales
      no_input:
        after_ms: 6000
        steps:
          - say: Are you still there?
          - go: goodbye
      lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}

Tip: write a number within the bounds that the finding names. What ends in `_ms` counts thousandths of a
second.
"""

from typing import Final

CODE: Final = "VF105"
NAME: Final = "out-of-range"
SEVERITY: Final = "error"
