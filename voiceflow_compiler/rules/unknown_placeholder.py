"""A name in braces that stands for nothing.

Why: in the middle of a sentence the caller would hear a name in braces, or nothing.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {team_sise} people.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {team_size} people.
        on:
          agreement: {go: email}

Tip: name a slot, a caller fact, `{company}`, `{purpose}`, or `{action.field}` for what an action returned.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF126"
NAME: Final = "unknown-placeholder"
SEVERITY: Final = "error"
