"""An exit that nothing in the subflow leads to.

Why: every flow that uses the subflow must say where this exit leads, and no caller ever takes it.

**Flagged**

    # in: message.yaml
    exits:
      taken: the message is noted
      declined: they want to leave none
      later: they call again  # flagged
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry, later: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    # in: message.yaml
    exits:
      taken: the message is noted
      declined: they want to leave none
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: lead there with a `go`, `next` or `filled` that says the exit's name, or delete the exit.
"""

from typing import Final

CODE: Final = "VF145"
NAME: Final = "unused-exit"
SEVERITY: Final = "warning"
