"""A part of the file that is written once and pointed to again, with `&` and `*`.

Why: whoever changes the one place changes another without seeing it, and a few such lines can grow without
end when they are read.

**Flagged**

    intents:
      agreement:
        family: agreement
        means: accepts
        examples: &yes ["yes", "sure, go ahead"]  # flagged

**Clean**

    intents:
      agreement:
        family: agreement
        means: accepts
        examples: ["yes", "sure, go ahead"]

Tip: write it out where it is meant; what several flows share goes into a file of its own (`include`).
"""

from typing import Final

CODE: Final = "VF008"
NAME: Final = "alias"
SEVERITY: Final = "error"
