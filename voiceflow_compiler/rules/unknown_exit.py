"""A use of a subflow that maps an exit which the subflow does not have.

Why: what is written for it never happens to a caller.

**Flagged**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declind: sorry}  # flagged
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

Tip: write the name of an exit as the subflow's file has it, or delete the line.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF141"
NAME: Final = "unknown-exit"
SEVERITY: Final = "error"
