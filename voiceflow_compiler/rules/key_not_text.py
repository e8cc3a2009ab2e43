"""A key that is no name: nothing, a list, or a map.

Why: a name is what nodes, conditions and findings call a part by. Most often a text in braces or brackets
was meant, and lacks its quotes.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          {agreement}: {go: email}  # flagged

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}

Tip: write `name: value`; put a text that begins with a brace or a bracket in quotes.
"""

from typing import Final

CODE: Final = "VF013"
NAME: Final = "key-not-text"
SEVERITY: Final = "error"
