"""A place about whose law nothing is noted.

Why: nothing would be asked of the flow there, though it looks as if something were.

**Flagged**

    jurisdictions: [us-uta]  # flagged

**Clean**

    jurisdictions: [us-ut]

Tip: `vfc explain` lists the places that are known; this is not legal advice.

Fix: the nearest place, where there is one.
"""

from typing import Final

CODE: Final = "VF137"
NAME: Final = "unknown-jurisdiction"
SEVERITY: Final = "error"
