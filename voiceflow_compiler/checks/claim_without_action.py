"""Words that say something was done, where nothing was.

Why: "you're booked" to a caller who is not booked is the worst mistake an assistant can make: nobody finds
out until the day itself.

**Flagged**

    nodes:
      sorry: {kind: end, say: I've booked it for you. Goodbye., outcome: lost}  # flagged

**Flagged**

    nodes:
      goodbye: {kind: end, say: I've sent you an email with all of it., outcome: done}  # flagged

**Clean**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment, I'm booking it.
        on_success: booked
        on_failure: to_sales
      booked: {kind: end, say: You're booked. Goodbye., outcome: done}

An action's own `promises` are looked for too, in any language.

Tip: say it only after the `on_success` of the action that does it; let the action's `does` name all it does.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from voiceflow_compiler.checks.base import Found, line_place, plain, seeking, sentences, spoken
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Action, Flow, Line, placeholders
from voiceflow_compiler.graph import Graph, Tree, reach, stops, way

CODE: Final = "VF709"
NAME: Final = "claim-without-action"
SEVERITY: Final = "error"

# What is claimed -> the words an action that does it has in its name, its `does` or its `promises`.
_BOOKS: Final = ("book", "schedul", "reserv", "appointment", "arrang", "make", "creat", "move", "mov", "set")
_RECORDS: Final = (
    "updat",
    "chang",
    "register",
    "order",
    "sav",
    "stor",
    "writ",
    "set",
    "record",
    "sign",
    "plac",
)
_CLAIMS: Final = {
    "sent|emailed|e mailed|texted|mailed": ("send", "sent", "mail", "text", "messag", "notif", "confirm"),
    "booked|scheduled|reserved|rescheduled": _BOOKS,
    "cancelled|canceled": ("cancel", "delet", "remov", "withdraw", "clos", "stop"),
    "charged|refunded|paid": ("charg", "refund", "pay", "bill", "debit", "credit"),
    "updated|changed|registered|ordered": _RECORDS,
}
_DID: Final = {
    re.compile(rf"\b(i've|i have|we've|we have|i) (now |just |already )?({verbs})\b"): stems
    for verbs, stems in _CLAIMS.items()
} | {
    re.compile(
        r"\b(you're|you are|it's|it is|your (appointment|demo|visit|booking|place|table|room) (is|has been)) "
        r"(now |all |already )?(booked|scheduled|reserved)\b"
    ): _BOOKS,
    re.compile(r"\byour (order|subscription|booking|appointment) (is|has been) (now )?cancell?ed\b"): _CLAIMS[
        "cancelled|canceled"
    ],
}
_HINT: Final = seeking("|".join(_CLAIMS), re.IGNORECASE)
_UNSURE: Final = re.compile(r"\b(if|once|when|whether|not|never|unless|until|before|after|already have)\b")


class _Claim(NamedTuple):
    words: str
    actions: tuple[str, ...]  # those that do it


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every line that claims a deed on a way where no action that does it has succeeded."""
    trees: dict[tuple[str, ...], Tree] = {}
    promises = [
        (plain(promise), action.name) for action in flow.actions.values() for promise in action.promises
    ]
    for line, nodes, what in spoken(flow, graph):
        claim = _claim(line, flow, promises)
        if claim is None:
            continue
        if claim.actions not in trees:
            doing = {f"results.{name}" for name in claim.actions}
            bits = sum(graph.bits[name] for name in doing)
            trees[claim.actions] = reach(
                graph,
                [graph.start],
                via=lambda edge, bits=bits: not edge.gains & bits,  # type: ignore[misc]
            )
        tree = trees[claim.actions]
        node = next((name for name in nodes if name in tree), None)
        if node is not None:
            yield Found(
                line_place(line, places),
                f'{what} claims "{claim.words}", and a caller can come to "{node}" without it being done',
                "Say it only after the `on_success` of the action that does it."
                if claim.actions
                else "Add the action that does it, or name it in the `does` of the one that does.",
                route=stops(way(tree, node)) or (node,),
            )


def _claim(line: Line, flow: Flow, promises: list[tuple[str, str]]) -> _Claim | None:
    for text in (line.say, line.sample):
        if text is None or not (promises or _HINT(text)):
            continue
        for sentence in sentences(text):
            words = plain(sentence)
            if sentence.endswith("?") or _UNSURE.search(words) or _reports(flow, sentence):
                continue
            promised = next((each for each, _ in promises if each and f" {each} " in f" {words} "), None)
            if promised is not None:
                return _Claim(promised, tuple(name for each, name in promises if each == promised))
            for pattern, stems in _DID.items():
                found = pattern.search(words)
                if found:
                    return _Claim(found[0], tuple(_doing(flow, stems)))
    return None


def _reports(flow: Flow, sentence: str) -> bool:
    """Whether a sentence tells what the records or an action say: "your visit is booked for {next_visit}"."""
    return any(name in flow.facts or "." in name for name, _, _ in placeholders(sentence))


def _doing(flow: Flow, stems: tuple[str, ...]) -> Iterator[str]:
    for action in flow.actions.values():
        if any(stem in _words(action) for stem in stems):
            yield action.name


def _words(action: Action) -> str:
    return " ".join((action.name, action.does, *action.promises)).casefold()
