"""A use of a subflow that does not say where one of its exits leads.

Why: when the subflow ends this way, the caller would stand still: nothing says what comes next.

**Flagged**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye}  # flagged
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: write `EXIT: NODE` under `exits` for each exit of the subflow.
"""

from typing import Final

CODE: Final = "VF140"
NAME: Final = "unmapped-exit"
SEVERITY: Final = "error"
