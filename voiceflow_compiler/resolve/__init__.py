"""Plain data to the typed flow: names bound, conditions lowered, defaults filled, built-in intents added.

Laws
1. Any plain data ends in a flow, findings, or both; what is broken is left out.
2. A misspelt name that resembles a known one is told once and stands for it afterwards.
"""

from typing import Any

from voiceflow_compiler.conditions import Named
from voiceflow_compiler.diagnostics import Finding, Places
from voiceflow_compiler.flow import Fallback, Flow
from voiceflow_compiler.jurisdictions import packs
from voiceflow_compiler.resolve import parts
from voiceflow_compiler.resolve.binder import (
    Binder,
    Binders,
    flag,
    intents_and_families,
    items,
    mapping,
    number,
    text,
    whole,
    words_of_conditions,
)
from voiceflow_compiler.resolve.nodes import CONTROL, Kept, nodes
from voiceflow_compiler.resolve.scopes import scopes
from voiceflow_compiler.resolve.speech import answers, fallback
from voiceflow_compiler.resolve.turns import turns
from voiceflow_compiler.subflow import Whole

__all__ = ["Kept", "resolve"]


def resolve(
    data: Any,
    places: Places,
    *,
    whole_source: bool = True,
    kept: Kept | None = None,
    whole: Whole | None = None,
) -> tuple[Flow | None, list[Finding]]:
    """The typed flow in plain data. None when no node could be taken.

    `whole_source` says whether everything written was well-formed; the flow's `whole` passes it on. `kept`
    remembers nodes: an editor asks again after every key. `whole` is the flow with its subflows in it; its
    names are read there, and found in `data` alone: nobody else names a subflow's.
    """
    if not mapping(data, "nodes"):
        return None, []
    binder = Binder(places)
    own, whole = data, whole or Whole(data, places)
    data = whole.data
    facts, slots, intents = parts.facts(binder, data), parts.slots(binder, data), parts.intents(binder, data)
    returned = parts.results(data)
    binder.known = {
        "node": mapping(own, "nodes"),
        "slot": mapping(own, "slots"),
        "intent": intents_and_families(mapping(data, "intents") | intents),  # type: ignore[operator]
        "handoff": mapping(data, "handoffs"),
        "fact": mapping(mapping(data, "caller_facts"), "fields"),
        "action": mapping(own, "actions"),
        "jurisdiction": packs(),
    }
    slots_here = {name: slot for name, slot in slots.items() if ("slots", name) not in whole.owners}
    returned_here = parts.results(own)
    binder.fillings = {**dict.fromkeys(("company", "purpose")), **facts, **slots_here, **returned_here}
    binder.names = words_of_conditions(
        {name: Named(slot.type, slot.choices) for name, slot in slots_here.items()},
        {name: Named(fact.type, fact.choices) for name, fact in facts.items()},
        {name: Named(type_) for name, type_ in returned_here.items()},
        intents,
    )
    binders = Binders(binder, scopes(binder, whole, intents), whole)
    _check_names(binder, own)
    _check_texts(binder, data, slots_here)
    flow = _flow(
        binders,
        data,
        facts=facts,
        slots=slots,
        intents=intents,
        returned=returned,
        whole_source=whole_source,
        kept=kept or Kept(),
    )
    return (flow if flow.nodes else None), binder.findings


def _flow(
    binders: Binders,
    data: Any,
    *,
    facts: Any,
    slots: Any,
    intents: Any,
    returned: Any,
    whole_source: bool,
    kept: Kept,
) -> Flow:
    binder = binders.own
    name = text(data, "flow") or ""
    voice, confidence, caller_facts = (
        mapping(data, "voice"),
        mapping(data, "confidence"),
        mapping(data, "caller_facts"),
    )
    bound: dict[str, Any] = {
        "start": binder.bind("node", text(data, "start"), ("start",)) or "",
        "nodes": nodes(binders, data, kept),
        "everywhere": answers(binder, data, "everywhere", ()),
        "fallback": fallback(binder, data, ()) or Fallback(("fallback",)),
        "actions": parts.actions(binders, data, returned),
        "handoffs": parts.handoffs(binder, data),
        "triggers": parts.triggers(binder, data),
        "limits": parts.limits(binder, data),
    }
    accept, sure = number(confidence, "accept"), number(confidence, "sure")
    return Flow(
        name=name,
        version=text(data, "version") or "",
        title=text(data, "title") or name.replace("-", " ").replace("_", " ").capitalize(),
        locale=text(data, "locale") or "en-US",
        company=text(data, "company") or "",
        purpose=text(data, "purpose") or "",
        style=text(data, "style") or "",
        voice=text(voice, "name") or "marin",
        speed=number(voice, "speed") or 1.0,
        currency=text(data, "currency") or "USD",
        control=CONTROL.get(str(data.get("control")), "guided"),
        confidence=0.5 if accept is None else accept,
        unsure_below=0.8 if sure is None else sure,
        intents=intents,
        slots=slots,
        facts=facts,
        knowledge=tuple(item for item in items(data, "knowledge") if isinstance(item, str)),
        fact_source=text(caller_facts, "source"),
        locale_fact=binder.bind("fact", text(caller_facts, "locale"), ("caller_facts", "locale")),
        fact_wait_ms=whole(caller_facts, "wait_ms", 800),
        recorded=flag(data, "recorded", default=True),
        suitability=parts.suitability(data),
        turns=turns(mapping(data, "turns")),
        jurisdictions=parts.jurisdictions(binder, data),
        whole=whole_source and not binders.holes,
        **bound,
    )


def _check_names(binder: Binder, data: Any) -> None:
    """In braces slots, facts and the flow's own names share one room, so each name may stand there once."""
    taken = {"company": "the company", "purpose": "the purpose of the call"}
    for word, names, path in (
        ("a caller fact", mapping(mapping(data, "caller_facts"), "fields"), ("caller_facts", "fields")),
        ("a slot", mapping(data, "slots"), ("slots",)),
    ):
        for name in names:
            if name in taken:
                tip = "Give one of them another name: `{" + name + "}` could mean either."
                binder.find(
                    "VF127",
                    "name-taken",
                    f"`{name}` is {taken[name]} already",
                    (*path, name),
                    tip,
                    at_key=True,
                )
            taken.setdefault(name, word)


def _check_texts(binder: Binder, data: Any, slots: Any) -> None:
    """Texts that are no lines: they are written into the prompt before the call, so they can name only what
    is known then.
    """
    known = dict.fromkeys(("company", "purpose"))
    binder.check_text(text(data, "company") or "", ("company",), {})
    binder.check_text(text(data, "purpose") or "", ("purpose",), {"company": None})
    binder.check_text(text(data, "style") or "", ("style",), known)
    for index, sentence in enumerate(items(data, "knowledge")):
        if isinstance(sentence, str):
            binder.check_text(sentence, ("knowledge", index), known)
    for slot in slots.values():
        if slot.sample:
            binder.check_text(slot.sample, (*slot.path, "sample"))
