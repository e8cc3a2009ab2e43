"""A brace that holds no name.

Why: nobody can hear a brace; it was meant to hold a name, and the caller would hear the sentence without it.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {the team size} people.  # flagged
        on:
          agreement: {go: email}

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {{team_size}} people.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {team_size} people.
        on:
          agreement: {go: email}

Tip: write one name in braces, without spaces; or drop the brace.

Fix: one brace on each side, where there are two and the name is known.
"""

from typing import Final

CODE: Final = "VF128"
NAME: Final = "misplaced-brace"
SEVERITY: Final = "error"
