"""A value of another kind than the key wants: a text where a list belongs, a number where text belongs.

Why: what cannot be read as it was meant is left out of the call.

**Flagged**

    nodes:
      email:
        kind: ask
        convey: Ask for the email address.
        collect: email  # flagged
        filled: book

**Clean**

    nodes:
      email:
        kind: ask
        convey: Ask for the email address.
        collect: [email]
        filled: book

Tip: write what the key wants; the finding says what that is. A text of digits stands in quotes.
"""

from typing import Final

CODE: Final = "VF103"
NAME: Final = "wrong-type"
SEVERITY: Final = "error"
