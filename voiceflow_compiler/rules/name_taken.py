"""A name that means something else already.

Why: wherever it is written, either could be meant, and the caller hears or does one of the two.

**Flagged**

    slots:
      account: {type: text, meaning: the name of the account}  # flagged

**Clean**

    slots:
      team_size: {type: integer, minimum: 1, maximum: 1000, meaning: people who would use it}

Tip: give one of them another name.
"""

from typing import Final

CODE: Final = "VF127"
NAME: Final = "name-taken"
SEVERITY: Final = "error"
