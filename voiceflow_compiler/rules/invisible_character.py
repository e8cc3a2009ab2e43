r"""A character that nobody can see.

Why: what cannot be seen cannot be reviewed. Such characters come along when text is copied from a web page
or a document, and they can hide words, turn their order round, or make two equal names different.

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people\u200b would use it.  # flagged
        collect: [team_size]
        filled: offer

**Clean**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: offer

Tip: delete it, with a letter on either side of it, and type those again.
"""

from typing import Final

CODE: Final = "VF004"
NAME: Final = "invisible-character"
SEVERITY: Final = "error"
