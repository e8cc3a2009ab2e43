"""A subflow that uses itself, directly or by way of others.

Why: every use puts the subflow's nodes into the flow, so a circle would be a flow without end.

**Flagged**

    # in: message.yaml
    nodes:
      again:
        kind: flow
        flow: message.yaml  # flagged
        exits: {taken: taken, declined: declined}
      agree:
        kind: ask
        convey: Ask whether to pass it on now.
        on:
          agreement: {go: note}
          objection: {go: again}
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

**Clean**

    # in: message.yaml
    nodes:
      agree:
        kind: ask
        convey: Ask whether to pass it on now.
        on:
          agreement: {go: note}
          objection: {go: declined}
    # in: flow.yaml
    nodes:
      leave_word:
        kind: flow
        flow: message.yaml
        exits: {taken: goodbye, declined: sorry}
    everywhere:
      too_expensive: {convey: Say that the trial is free., go: leave_word}

Tip: let the subflow end by an exit, and go round in the flow that uses it.
"""

from typing import Final

CODE: Final = "VF025"
NAME: Final = "subflow-cycle"
SEVERITY: Final = "error"
