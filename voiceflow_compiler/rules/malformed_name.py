"""A name with letters that cannot stand in one.

Why: names are used in conditions, in the model's tools and in file names, so they keep to what all of these
know.

**Flagged**

    nodes:
      Old offer!: {kind: tell, convey: Say that there was an offer., next: team}  # flagged

**Clean**

    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: old_offer
      old_offer: {kind: tell, convey: Say that there was an offer., next: team}

Tip: use lower-case letters, digits and `_`, starting with a letter.
"""

from typing import Final

CODE: Final = "VF106"
NAME: Final = "malformed-name"
SEVERITY: Final = "error"
