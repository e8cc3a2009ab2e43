"""A node of kind `flow` that names a file which is no subflow.

Why: a subflow says how it can end (`exits`), so that the flow can say where the caller goes then. Any other
file says neither.

**Flagged**

    nodes:
      leave_word:
        kind: flow
        flow: answers.yaml  # flagged
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}
    # file: answers.yaml
    knowledge:
      - The trial is free.

**Clean**

    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: begin the file with `language: 1`, `subflow: NAME` and `exits`; parts to be shared go under `include`.
"""

from typing import Final

CODE: Final = "VF026"
NAME: Final = "not-a-subflow"
SEVERITY: Final = "error"
