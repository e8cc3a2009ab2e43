"""Something given to an action that is not one value.

Why: an action takes values. The bare name of a slot would be handed over as that word, and a stranger's
record be looked up, or a booking be made in the name of "email".

**Flagged**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: email}  # flagged
        changes_something: true
        retries: 2

**Clean**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true
        retries: 2

Tip: write `slots.NAME` or `facts.NAME` for a value, and "'word'" for the word itself.
"""

from typing import Final

CODE: Final = "VF135"
NAME: Final = "not-a-value"
SEVERITY: Final = "error"
