"""A fact about the caller that is named and not read.

Why: it is to say which language a caller hears, and nothing would be known of it before the first word.

**Flagged**

    caller_facts:
      source: crm
      locale: langauge  # flagged
      fields:
        account: {type: choice, choices: [none, trial, customer], otherwise: none}
        language: {type: choice, choices: [en-US, es-US], otherwise: en-US}

**Clean**

    caller_facts:
      source: crm
      locale: language
      fields:
        account: {type: choice, choices: [none, trial, customer], otherwise: none}
        language: {type: choice, choices: [en-US, es-US], otherwise: en-US}

Tip: name a fact that stands under `caller_facts`, `fields`, or add it there.

Fix: the nearest name, where there is one.
"""

from typing import Final

CODE: Final = "VF157"
NAME: Final = "unknown-fact"
SEVERITY: Final = "error"
