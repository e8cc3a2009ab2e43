"""A use of a subflow that gives it a value it does not take.

Why: the value goes nowhere, and the subflow speaks of another one, or of none.

**Flagged**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        takes: {topik: the price}  # flagged
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        takes: {topic: the price}
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: write the name of an input as the subflow's file has it under `takes`.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF143"
NAME: Final = "unknown-input"
SEVERITY: Final = "error"
