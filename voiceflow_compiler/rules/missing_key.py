"""A part without a key that it needs.

Why: without it the part has no meaning, and no default would be safe: nobody can guess what a node is, or
what a slot holds.

**Flagged**

    slots:
      email: {personal: true, meaning: where to write}  # flagged

**Clean**

    slots:
      email: {type: email, personal: true, meaning: where to write}

Tip: write the key; the finding says what stands under it.
"""

from typing import Final

CODE: Final = "VF102"
NAME: Final = "missing-key"
SEVERITY: Final = "error"
