"""A locale's file whose name and content disagree, or one for the flow's own language.

Why: a call is given the texts of a locale by the name of its file, so its callers would hear another
language.

**Flagged**

    # in: locales/es-US.yaml
    locale: es-MX  # flagged

**Clean**

    # in: locales/es-US.yaml
    locale: es-US

Tip: let both say the same tag; what is said in the flow's own language stands in the flow.
"""

from typing import Final

CODE: Final = "VF155"
NAME: Final = "wrong-locale"
SEVERITY: Final = "error"
