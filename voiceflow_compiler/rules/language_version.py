"""A version of the flow language that this compiler does not know.

Why: a word of another version may mean something else to a caller.

**Flagged**

    language: 2  # flagged

**Clean**

    language: 1

Tip: write `language: 1`, or use a newer `vfc`.
"""

from typing import Final

CODE: Final = "VF100"
NAME: Final = "language-version"
SEVERITY: Final = "error"
