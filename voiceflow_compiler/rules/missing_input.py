"""A use of a subflow that does not give it a value it needs.

Why: the subflow speaks of the value, and the caller would hear a sentence with a gap in it.

**Flagged**

    # in: message.yaml
    takes:
      topic: {type: text}
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        takes: {}  # flagged
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    # in: message.yaml
    takes:
      topic: {type: text}
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        takes: {topic: the price}
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: give it under `takes`, such as `slots.NAME`, `facts.NAME` or plain words; or let the subflow say what it
is `otherwise`.
"""

from typing import Final

CODE: Final = "VF142"
NAME: Final = "missing-input"
SEVERITY: Final = "error"
