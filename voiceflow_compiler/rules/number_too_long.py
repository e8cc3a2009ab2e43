"""A number of more than 18 characters.

Why: so many digits are a code and not a quantity, and some of them are lost when they are read as a number:
a caller would hear another code than was written.

**Flagged**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email, account: 49001234567890123456}  # flagged
        changes_something: true
        retries: 2

**Clean**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email, account: "'49001234567890123456'"}
        changes_something: true
        retries: 2

Tip: put digits that are not a quantity in quotes.
"""

from typing import Final

CODE: Final = "VF014"
NAME: Final = "number-too-long"
SEVERITY: Final = "error"
