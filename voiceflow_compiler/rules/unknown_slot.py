"""A slot that is named and not defined.

Why: nothing would be asked for, nothing kept, and the caller would be asked in vain.

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [teamsize]  # flagged
        filled: offer

**Clean**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: offer

Tip: write the name of a slot, or define one of this name under `slots`.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF121"
NAME: Final = "unknown-slot"
SEVERITY: Final = "error"
