"""Keys that are fine by themselves, but contradict or need each other.

Why: the call can do only one of the two, or cannot do the one without the other.

**Flagged**

    nodes:
      offer:  # flagged
        kind: ask
        convey: Offer a demo.
        say: Would you like a demo?
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        sample: Would you like a demo?
        on:
          agreement: {go: email}

Tip: the finding says which of them to keep or to add. `say` is spoken word for word, `convey` gives the
meaning.
"""

from typing import Final

CODE: Final = "VF109"
NAME: Final = "does-not-fit-together"
SEVERITY: Final = "error"
