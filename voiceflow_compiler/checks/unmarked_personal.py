"""A value that tells who a caller is or how they are, and is not marked as personal.

Why: what is marked `personal` is made up in scenarios written from calls, taken out of records when their
time is over, and kept out of logs. Unmarked, a real caller's address ends up in a test file.

**Flagged**

    slots:
      mail: {type: email, meaning: where to write}  # flagged

**Flagged**

    slots:
      pain: {type: integer, meaning: how strong their pain is, minimum: 0, maximum: 10}  # flagged

**Flagged**

    caller_facts:
      source: crm
      fields:
        account: {type: choice, choices: [none, trial, customer], otherwise: none}
        last_name: {type: text, otherwise: there}  # flagged

**Clean**

    slots:
      mail: {type: email, meaning: where to write, personal: true}

Tip: say `personal: true`.

Fix: `personal: true`.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from voiceflow_compiler.checks.base import Found, before, plain, seeking
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Fact, Flow, Slot
from voiceflow_compiler.graph import Graph

CODE: Final = "VF713"
NAME: Final = "unmarked-personal"
SEVERITY: Final = "warning"

_WHOSE: Final = r"(?:their|caller's|patient's|guest's|customer's|member's)"
_PERSONAL: Final = seeking(
    rf"\b({_WHOSE} (?:own |full |first |last |family )?names?|(?:first|last|full|family) name|surname"
    rf"|{_WHOSE} (?:home |postal )?address|(?:home|street|postal|mailing|billing|delivery) address"
    rf"|(?:date|year) of birth|birth ?(?:day|date|year)|{_WHOSE} age"
    rf"|(?:{_WHOSE} )?(?:phone|telephone|mobile) number"
    r"|symptoms?|diagnos[ie]s|medications?|allerg(?:y|ies)|pain|illness|disease)\b"
)
_BY_TYPE: Final = {"email": "e-mail address", "phone": "phone number"}


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every slot and fact that by its type, its name or its meaning is personal (words in English only)."""
    values: chain[Slot | Fact] = chain(flow.slots.values(), flow.facts.values())
    for value in values:
        meaning = value.meaning if isinstance(value, Slot) else ""
        what = _named(value, meaning)
        if what is not None and not value.personal and not value.secret:
            yield Found(
                places.key(value.path),
                f'"{value.name}" is personal ({what}), and is not marked as such',
                "Say `personal: true`.",
                fix=before(places, (*value.path, "type"), "personal: true"),
            )


def _named(value: Slot | Fact, meaning: str) -> str | None:
    """What makes a value personal; choices and yes or no tell too little by themselves."""
    if value.type in ("choice", "boolean"):
        return None
    found = _PERSONAL(plain(f"{value.name.replace('_', ' ')}. {meaning}"))
    return _BY_TYPE.get(value.type) or (found[1] if found else None)
