"""A text, a name or a list that is longer than a call, a prompt or a person can take.

Why: a caller does not listen that long, and a model does not keep to so much.

**Flagged**

    company: <Northwind 60 times>  # flagged

**Clean**

    company: Northwind

Tip: shorten it; the finding names the bound.
"""

from typing import Final

CODE: Final = "VF108"
NAME: Final = "too-long"
SEVERITY: Final = "error"
