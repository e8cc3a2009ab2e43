"""A file that includes itself, directly or by way of others.

Why: it would be read without end.

**Flagged**

    include:
      - answers.yaml
    # file: answers.yaml
    include:
      - more.yaml
    knowledge:
      - The trial is free.
    # file: more.yaml
    include:
      - answers.yaml  # flagged

**Clean**

    include:
      - answers.yaml
    # file: answers.yaml
    include:
      - more.yaml
    knowledge:
      - The trial is free.
    # file: more.yaml
    knowledge:
      - The office is open on weekdays.

Tip: move what both need into a third file.
"""

from typing import Final

CODE: Final = "VF020"
NAME: Final = "include-cycle"
SEVERITY: Final = "error"
