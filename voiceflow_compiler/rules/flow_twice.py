"""Two flows of a project with one name.

Why: call records, rollouts and settings know a flow by its name, so what happened to the callers of one
would be counted for the other.

**Flagged**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml", "front/*.yaml"]
    # in: front/second.yaml, like flow.yaml
    title: Front desk
    flow: desk  # flagged

**Clean**

    # file: vfc.toml
    [project]
    name = "northwind"
    flows = ["flow.yaml", "front/*.yaml"]
    # in: front/second.yaml, like flow.yaml
    title: Front desk
    flow: front

Tip: give one of them another name under `flow:`.
"""

from typing import Final

CODE: Final = "VF032"
NAME: Final = "flow-twice"
SEVERITY: Final = "error"
