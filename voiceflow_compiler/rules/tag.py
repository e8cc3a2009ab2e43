"""A tag: a word with `!` that tells a reader what kind of thing follows.

Why: a tag can make a reader build anything, even run a program. A flow is text, numbers, lists and maps.

**Flagged**

    version: !!str "1"  # flagged

**Clean**

    version: "1"

Tip: delete the tag; put a text that begins with `!` in quotes.
"""

from typing import Final

CODE: Final = "VF009"
NAME: Final = "tag"
SEVERITY: Final = "error"
