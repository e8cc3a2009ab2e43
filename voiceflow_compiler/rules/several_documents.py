"""A line `---` with another document after it.

Why: only the first document of a file would count, and the rest would be missing from the call.

**Flagged**

    # file: flow.yaml
    language: 1
    flow: desk
    ---  # flagged
    language: 1
    flow: front

**Clean**

    title: Front desk

Tip: keep one flow in a file; delete the `---`.
"""

from typing import Final

CODE: Final = "VF015"
NAME: Final = "several-documents"
SEVERITY: Final = "error"
