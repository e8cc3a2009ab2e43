"""A default or a bound that contradicts the type it stands beside.

Why: the value could never be taken, so every answer of a caller would be refused, or a condition would never
hold.

**Flagged**

    slots:
      team_size: {type: integer, minimum: 1000, maximum: 1, meaning: people who would use it}  # flagged

**Clean**

    slots:
      team_size: {type: integer, minimum: 1, maximum: 1000, meaning: people who would use it}

Tip: write a value of the type, one of the choices, or a lower bound below the upper one.
"""

from typing import Final

CODE: Final = "VF129"
NAME: Final = "value-does-not-fit"
SEVERITY: Final = "error"
