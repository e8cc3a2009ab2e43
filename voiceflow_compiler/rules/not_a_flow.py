"""A file that holds no flow: it is empty, or a list, or a single text.

Why: there is nothing in it that a caller could hear.

**Flagged**

    # file: flow.yaml
    - greeting  # flagged
    - team

**Clean**

    language: 1
    flow: desk
    version: "1"

Tip: begin with `language: 1`, `flow: NAME`, `version` and `nodes`; `vfc init NAME` writes one to start from.
"""

from typing import Final

CODE: Final = "VF016"
NAME: Final = "not-a-flow"
SEVERITY: Final = "error"
