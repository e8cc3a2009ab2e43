"""A file in the project's shared folder that no flow reads.

Why: people keep it up for callers who never hear it. Most often the line under `include` was lost.

**Flagged**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]
    shared = "shared"
    # file: shared/answers.yaml
    knowledge:  # flagged
      - The trial is free.

**Clean**

    include:
      - shared/answers.yaml
    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]
    shared = "shared"
    # file: shared/answers.yaml
    knowledge:
      - The trial is free.

Tip: include it or use it in a flow, or delete it.
"""

from typing import Final

CODE: Final = "VF033"
NAME: Final = "unused-file"
SEVERITY: Final = "warning"
