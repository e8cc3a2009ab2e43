"""A `vfc.toml` that cannot be read.

Why: nothing in it counts then: which flows there are, which checks are left out, and what a deployment needs.

**Flagged**

    # file: vfc.toml
    [project]
    name = northwind  # flagged
    flows = ["flow.yaml"]

**Clean**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml"]

Tip: put texts in double quotes, close what was opened, and write each key once.
"""

from typing import Final

CODE: Final = "VF030"
NAME: Final = "not-toml"
SEVERITY: Final = "error"
