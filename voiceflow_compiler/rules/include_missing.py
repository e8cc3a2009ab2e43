"""A file that is named and is not there.

Why: what should stand in it is missing from the call.

**Flagged**

    include:
      - anwsers.yaml  # flagged
    # file: answers.yaml
    knowledge:
      - The trial is free.

**Clean**

    include:
      - answers.yaml
    # file: answers.yaml
    knowledge:
      - The trial is free.

Tip: names are seen from the file that names them; the finding says which name comes nearest.
"""

from typing import Final

CODE: Final = "VF023"
NAME: Final = "include-missing"
SEVERITY: Final = "error"
