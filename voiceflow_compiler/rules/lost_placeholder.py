"""A name in braces that is in the flow's text and not in the translation, or the other way round.

Why: what is told in one language is not told in the other; or a caller hears a name in braces.

**Flagged**

    nodes:
      goodbye: {kind: end, say: "Thank you for calling {company}. Goodbye.", outcome: done}
    # in: locales/es-US.yaml
    texts:
      nodes.goodbye.say:
        source: "Thank you for calling {company}. Goodbye."
        text: "Gracias por llamar. Adiós."  # flagged

**Clean**

    nodes:
      goodbye: {kind: end, say: "Thank you for calling {company}. Goodbye.", outcome: done}
    # in: locales/es-US.yaml
    texts:
      nodes.goodbye.say:
        source: "Thank you for calling {company}. Goodbye."
        text: "Gracias por llamar a {company}. Adiós."

Tip: a name in braces stays as it is in every language; use each that the flow's text has, and no other.
"""

from typing import Final

CODE: Final = "VF153"
NAME: Final = "lost-placeholder"
SEVERITY: Final = "error"
