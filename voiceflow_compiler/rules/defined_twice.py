"""A name that two files of a flow define.

Why: one of the two would not count, and which one depends on the order of `include`: callers would meet a
node, or be understood by examples, that somebody else wrote over.

**Flagged**

    include:
      - answers.yaml
    # file: answers.yaml
    intents:
      agreement: {family: agreement, means: says yes, examples: ["okay"]}  # flagged

**Clean**

    include:
      - answers.yaml
    everywhere:
      not_now: {convey: Say that that is fine., go: sorry}
    # file: answers.yaml
    intents:
      not_now: {family: objection, means: has no time, examples: ["I'm busy"]}

Tip: keep one of the two, or give one another name.
"""

from typing import Final

CODE: Final = "VF022"
NAME: Final = "defined-twice"
SEVERITY: Final = "error"
