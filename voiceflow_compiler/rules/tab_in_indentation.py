r"""A tab where a line is indented.

Why: YAML counts spaces, and editors show a tab as two, four or eight of them: what looks as if it belongs to
a node may belong to another one.

**Flagged**

    nodes:
      offer:
    \tkind: ask  # flagged
        convey: Offer a demo.
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}

Tip: indent with two spaces a level; most editors can be told to write spaces when you press Tab.
"""

from typing import Final

CODE: Final = "VF005"
NAME: Final = "tab-in-indentation"
SEVERITY: Final = "error"
