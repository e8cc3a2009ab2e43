"""A value of one type given to a subflow that wants another.

Why: what the subflow compares, asks for or says would be another kind of thing than it was written for: an
address where a number was meant.

**Flagged**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        slots: {address: team_size}  # flagged
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        slots: {address: email}
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: name a value of that type, or leave the slot out: the subflow then keeps one of its own.
"""

from typing import Final

CODE: Final = "VF144"
NAME: Final = "value-of-another-type"
SEVERITY: Final = "error"
