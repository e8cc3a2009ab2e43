"""A flow that the project names and that is not there.

Why: it would never be checked, and nobody would notice until a caller rings it up.

**Flagged**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml", "flows/billing"]  # flagged

**Clean**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]

Tip: name a flow's file or the folder that holds its `flow.yaml`; `flows/*` means every folder in `flows`.
"""

from typing import Final

CODE: Final = "VF031"
NAME: Final = "no-such-flow"
SEVERITY: Final = "error"
