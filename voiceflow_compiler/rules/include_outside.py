"""A file outside the project's folder, or a path that leads out of it.

Why: the same project must give the same flow on every machine, and no flow may read what lies beside it.

**Flagged**

    include:
      - ../../answers.yaml  # flagged

**Clean**

    include:
      - answers.yaml
    # file: answers.yaml
    knowledge:
      - The trial is free.

Tip: copy the file into the project, and name the copy.
"""

from typing import Final

CODE: Final = "VF021"
NAME: Final = "include-outside"
SEVERITY: Final = "error"
