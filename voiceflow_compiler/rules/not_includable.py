"""Something in an included file that only the flow's own file may say.

Why: an included file adds named parts and lists. What a flow is, where it starts and how a call is limited
must stand where one looks for it.

**Flagged**

    include:
      - answers.yaml
    # file: answers.yaml
    knowledge:
      - The trial is free.
    start: team  # flagged

**Clean**

    include:
      - answers.yaml
    # file: answers.yaml
    knowledge:
      - The trial is free.

Tip: write it in the flow's own file; the finding lists what an included file may hold.
"""

from typing import Final

CODE: Final = "VF024"
NAME: Final = "not-includable"
SEVERITY: Final = "error"
