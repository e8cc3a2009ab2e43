"""A text of more than 20,000 characters.

Why: no caller listens for twenty minutes, and a model that is told so much follows none of it.

**Flagged**

    style: <word 5000 times>  # flagged

**Clean**

    style: Warm and brief. One question at a time.

Tip: shorten it; what an assistant may have to look up stands under `knowledge`, a sentence an entry.
"""

from typing import Final

CODE: Final = "VF012"
NAME: Final = "text-too-long"
SEVERITY: Final = "error"
