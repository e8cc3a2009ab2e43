"""Correct flows made by the dozen: large ones to measure with, small ones as a Hypothesis strategy.

`large_flow(nodes, seed)` is one big flow as YAML text; equal arguments give equal text. `flows()` draws
small flows with every kind of node, loops that make progress, ladders, triggers, handoffs and limits.
No check finds an error in either.
"""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from random import Random
from typing import Any

import yaml
from hypothesis import strategies as st

Flow = dict[str, Any]
Choose = Callable[[Sequence[Any]], Any]


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes equal parts out each time: a flow may not hold anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def large_flow(nodes: int = 2000, seed: int = 0) -> str:
    """A flow of exactly `nodes` nodes (at least 8) and about four written edges for each, as YAML text."""
    return written(_large(nodes, Random(seed)))


@st.composite
def flow_data(draw: st.DrawFn, *, stages: int = 5) -> Flow:
    """A small correct flow as plain data, of at most `stages` stages, simplest first."""
    return deepcopy(_small(lambda options: draw(st.sampled_from(options)), stages))  # free to be changed


def small_flow(seed: int, *, stages: int = 5) -> str:
    """A small correct flow as YAML text; equal seeds give equal text."""
    return written(_small(Random(seed).choice, stages))


def flows(*, stages: int = 5) -> st.SearchStrategy[str]:
    """A small correct flow as YAML text."""
    return flow_data(stages=stages).map(written)


def written(flow: Flow) -> str:
    """A flow's plain data as YAML text, keys in the order given."""
    text: str = yaml.dump(flow, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def somewhere(data: Flow, rng: Random, *, deeper: float) -> tuple[Any, Any]:
    """A map or list within a flow's plain data and one of its keys, to be broken there; None for no key.

    `deeper` is how likely it is to go on into what stands under a key.
    """
    part: Any = data
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        if not keys:
            return part, None
        key = rng.choice(keys)
        if not isinstance(part[key], dict | list) or not part[key] or rng.random() >= deeper:
            return part, key
        part = part[key]


# What small and large flows have in common.


def _frame() -> Flow:
    return {
        "language": 1,
        "flow": "generated",
        "version": "1",
        "company": "Northwind",
        "purpose": "find out what you need",
        "caller_facts": {
            "source": "crm",
            "fields": {
                "first_name": {"type": "text", "otherwise": "there", "personal": True},
                "account": {"type": "choice", "choices": ["none", "trial", "customer"], "otherwise": "none"},
                "open_tickets": {"type": "integer", "otherwise": 0},
            },
        },
        "slots": {},
        "intents": {
            "agreement": {"family": "agreement", "means": "accepts", "examples": ["yes", "sure"]},
            "again": {"family": "agreement", "means": "wants to go back", "examples": ["once more please"]},
            "too_expensive": {"family": "objection", "means": "price worry", "examples": ["too much money"]},
            "not_now": {"family": "objection", "means": "wrong moment", "examples": ["I'm busy"]},
            "what_is_this": {
                "family": "confusion",
                "means": "does not follow",
                "examples": ["what do you mean"],
            },
            "wants_person": {
                "family": "escalation",
                "means": "wants a human",
                "examples": ["a person please"],
            },
        },
        "start": "greeting",
        "nodes": {"greeting": _disclosure("step_0")},
    }


def _disclosure(following: str) -> Flow:
    words = "Hi, I am an AI assistant from {company}, here to {purpose}. "
    words += "This call is recorded. You can ask for a person at any time."
    return {"kind": "disclosure", "say": words, "next": following}


def _stay(words: str, at_most: int, then: str | None = None) -> Flow:
    return {"convey": words, "stay": True, "at_most": at_most, **({"then": then} if then else {})}


def _after(before: str, kind: str) -> str:
    """What kind stands after another: no decision next to one, which leaves it callers of one sort.

    Every decision is so reached from a node that speaks, where all it looks at can still be anything.
    """
    return "tell" if kind == before == "decide" else kind


# Large flows: forward edges only, so everything is reachable and nothing goes round.


_LARGE_SLOTS: dict[str, Flow] = {
    "size": {"type": "integer", "minimum": 1, "maximum": 1000},
    "plan": {"type": "choice", "choices": ["small", "middle", "large"]},
    "email": {"type": "email", "personal": True},
}


def _large(nodes: int, rng: Random) -> Flow:
    flow = _frame()
    steps = max(nodes - 5, 3)
    kinds = rng.choices(["collect", "open", "decide", "tell", "act"], [45, 20, 15, 10, 10], k=steps)
    kinds[0], kinds[-1] = "open", "open"
    kinds = [_after(before, kind) for before, kind in pairwise(["open", *kinds])]
    flow["slots"] = {
        f"{kind}_{number}": {**shape, "meaning": f"the {kind} number {number}"}
        for number in range(40)
        for kind, shape in _LARGE_SLOTS.items()
    }
    asked: list[str] = []
    for at, kind in enumerate(kinds):
        flow["nodes"][f"step_{at}"] = _LARGE[kind](at, _Ahead(at, steps, rng, asked))
    flow["nodes"] |= {
        "to_sales": {"kind": "handoff", "to": "sales"},
        "sorry": {"kind": "end", "convey": "Say that that is fine, and goodbye.", "outcome": "lost"},
        "nobody": {
            "kind": "end",
            "say": "Nobody is free. We will call you back. Goodbye.",
            "outcome": "callback",
        },
        "goodbye": {"kind": "end", "say": "All done. Goodbye.", "outcome": "done"},
    }
    return flow | {
        "everywhere": {
            "objection": {"convey": "Say that that is fine.", "go": "sorry"},
            "what_is_this": _stay("Say it in simpler words.", 2, "to_sales"),
            "wants_person": {"go": "to_sales"},
        },
        "fallback": {
            "no_match": [
                {"convey": "Ask in other words."},
                {"convey": "Offer two choices."},
                {"go": "to_sales"},
            ],
            "no_input": {"after_ms": 6000, "steps": [{"say": "Are you still there?"}, {"go": "sorry"}]},
            "lost_model": {"say": "I'm sorry, I'm having trouble on my side.", "go": "to_sales"},
        },
        "actions": {"look_up": _LOOK_UP},
        "handoffs": {
            "sales": {
                "mode": "warm",
                "say": "I'm connecting you with a colleague, who has my notes.",
                "package": ["reason", "summary", "slots"],
                "if_unanswered": "nobody",
            }
        },
        "handoff_triggers": [
            {"when": "intent.family == 'escalation'", "to": "sales", "reason": "asked for a person"},
            {"when": "turn.negative_in_a_row >= 3", "to": "sales", "reason": "unhappy"},
        ],
    }


class _Ahead:
    """Where a step of a large flow may lead: to the next one, or to one of the twenty after it."""

    def __init__(self, at: int, steps: int, rng: Random, asked: list[str]) -> None:
        self.following = f"step_{at + 1}" if at + 1 < steps else "goodbye"
        self.rng = rng
        self.at = at
        self.steps = steps
        self.asked = asked  # the slots that steps before this one collect

    def further(self) -> str:
        far = self.rng.randrange(self.at + 1, self.at + 21)
        return f"step_{far}" if far < self.steps else "goodbye"


_LOOK_UP = {
    "does": "Finds what the caller has.",
    "takes": {"account": "facts.account"},
    "returns": {"found": {"type": "text"}},
    "within_ms": 3000,
    "retries": 1,
}


def _large_collect(at: int, ahead: _Ahead) -> Flow:
    slot = f"{ahead.rng.choice(['size', 'plan', 'email'])}_{ahead.rng.randrange(40)}"
    ahead.asked.append(slot)
    return {
        "kind": "ask",
        "convey": f"Greet {{first_name}} and ask for number {at}, in one short sentence.",
        "sample": f"Could you tell me number {at}, please?",
        "collect": [slot],
        "filled": ahead.following,
        "on": {
            "agreement": _stay("Thank them and ask for it once more.", 2, ahead.further()),
            "too_expensive": {"convey": "Say that it costs nothing.", "go": ahead.further()},
            "not_now": {"go": ahead.further()},
            "what_is_this": _stay("Explain in one sentence why this is asked.", 2, ahead.further()),
        },
    }


def _large_open(at: int, ahead: _Ahead) -> Flow:
    return {
        "kind": "ask",
        "convey": f"Ask whether step {at} is fine for them.",
        "on": {
            "agreement": {"go": ahead.following},
            "too_expensive": {"go": ahead.further()},
            "not_now": {"convey": "Say that it does not take long.", "go": ahead.further()},
        },
        "keys": {"1": {"go": ahead.following}, "2": {"go": ahead.further()}},
    }


def _large_decide(at: int, ahead: _Ahead) -> Flow:
    size, plan = (_last(ahead.asked, kind) for kind in ("size", "plan"))
    large = f"slots.{size} >= 50 and " if size else ""
    small = f"slots.{plan} in ['small', 'large'] or " if plan else ""
    return {
        "kind": "decide",
        "cases": [
            {"if": f"{large}facts.account == 'customer'", "go": ahead.further()},
            {"if": f"{small}turn.number > 20", "go": ahead.further()},
        ],
        "otherwise": ahead.following,
    }


def _last(asked: Sequence[str], kind: str) -> str | None:
    return next((slot for slot in reversed(asked) if slot.startswith(kind)), None)


def _large_tell(at: int, ahead: _Ahead) -> Flow:
    return {
        "kind": "tell",
        "convey": f"Say in one sentence what step {at} is about.",
        "next": ahead.following,
    }


def _large_act(at: int, ahead: _Ahead) -> Flow:
    return {
        "kind": "act",
        "action": "look_up",
        "while_waiting": "One moment, please.",
        "on_success": ahead.following,
        "on_failure": ahead.further(),
    }


_LARGE: dict[str, Callable[[int, _Ahead], Flow]] = {
    "collect": _large_collect,
    "open": _large_open,
    "decide": _large_decide,
    "tell": _large_tell,
    "act": _large_act,
}


# Small flows: stages in a line, with ways that skip ahead and ways back that make progress.

_SLOTS: dict[str, Flow] = {
    "team_size": {"type": "integer", "minimum": 1, "maximum": 500, "meaning": "how many people"},
    "plan": {"type": "choice", "choices": {"small": ["the small one"], "large": []}, "meaning": "which plan"},
    "email": {"type": "email", "personal": True, "confirm": "always", "meaning": "where to write"},
    "pin": {"type": "digits", "by": "keypad", "max_length": 4, "secret": True, "meaning": "their pin"},
    "start_day": {"type": "date", "confirm": "never", "meaning": "when to start"},
    "budget": {"type": "money", "meaning": "what they can spend"},
    "is_new": {"type": "boolean", "meaning": "whether they are new"},
    "note": {"type": "text", "meaning": "anything else"},
    "start_time": {"type": "time", "meaning": "at what time"},
    "phone": {"type": "phone", "personal": True, "meaning": "their number"},
    "rate": {"type": "number", "minimum": 0, "maximum": 1, "meaning": "a rate from zero to one"},
}
_SPEAKABLE = tuple(name for name, slot in _SLOTS.items() if "secret" not in slot)
_CONDITIONS = (
    "slots.team_size >= 50",
    "slots.plan == 'large'",
    "facts.account == 'customer' or facts.open_tickets > 2",
    "not (slots.is_new)",
    "turn.number > 2 and slots.budget < 1000",
    "turn.sentiment == 'negative'",
    "facts.account in ['trial', 'customer']",
)


def _small(choose: Choose, stages: int) -> Flow:
    flow = _frame()
    flow["slots"] = dict(_SLOTS)
    nodes = flow["nodes"]
    count = choose(range(1, stages + 1))
    kind = "open"
    for at in range(count):
        kind = _after(kind, choose(tuple(_SMALL))) if at + 1 < count else "open"
        following = f"step_{at + 1}" if at + 1 < count else "goodbye"
        ahead = (following, "sorry", *(f"step_{later}" for later in range(at + 2, count)))
        stage = _SMALL[kind](at, following, ahead, choose)
        nodes |= _about_what_was_asked(stage, nodes)
    if choose((False, True)):
        nodes |= {"first": _before_disclosure(), "greeting_known": _disclosure("step_0")}
        flow["start"] = "first"
    nodes |= {
        "to_desk": {"kind": "handoff", "to": "desk"},
        "goodbye": {"kind": "end", "say": "All done. Goodbye.", "outcome": "done"},
        "sorry": {"kind": "end", "convey": "Say that that is fine, and goodbye.", "outcome": "lost"},
    }
    return flow | _around(choose)


def _about_what_was_asked(stage: dict[str, Flow], before: dict[str, Flow]) -> dict[str, Flow]:
    """The stage, its cases only about slots that a node before it collects."""
    asked = {slot for node in before.values() for slot in node.get("collect", ())}
    for node in stage.values():
        if "cases" in node:
            kept = [case for case in node["cases"] if set(re.findall(r"slots\.(\w+)", case["if"])) <= asked]
            node["cases"] = kept or [node["cases"][0] | {"if": "facts.open_tickets > 4"}]
    return stage


def _around(choose: Choose) -> Flow:
    """What holds at every node of a small flow."""
    steps = [{"say": "Are you still there?"}, {"say": "I can still hear the line."}][: choose(range(3))]
    reprompts = [{"convey": "Ask in other words."}, {"say": "Yes or no?"}][: choose(range(3))]
    return {
        "control": choose(("guided", "strict")),
        "everywhere": {
            choose(("objection", "too_expensive")): {"convey": "Say that that is fine.", "go": "sorry"},
            "not_now": choose(
                ({"go": "sorry"}, _stay("Say that it is quick.", 1), _stay("Wait.", 2, "to_desk"))
            ),
            choose(("confusion", "what_is_this")): _stay(
                "Say it in simpler words.", choose(range(1, 4)), "to_desk"
            ),
            "wants_person": choose(({"go": "to_desk"}, _stay("Offer to help first.", 1, "to_desk"))),
        },
        "fallback": {
            "no_match": [*reprompts, {"go": "to_desk"}],
            "no_input": {"after_ms": choose((3000, 6000)), "steps": [*steps, {"go": "sorry"}]},
            "lost_model": {
                "say": "I'm sorry, I'm having trouble on my side.",
                "go": choose(("to_desk", "sorry")),
            },
        },
        "actions": {
            "look_up": _LOOK_UP,
            "book": {
                "does": "Books it.",
                "takes": {"name": "facts.first_name"},
                "returns": {"time": {"type": "text"}},
                "changes_something": True,
                "retries": choose(range(3)),
                "promises": ["you're booked"],
            },
        },
        "handoffs": {
            "desk": {
                "mode": choose(("warm", "cold")),
                "say": "I'm connecting you with the desk.",
                "package": ["reason", "summary", "slots", "facts"],
                "if_unanswered": "sorry",
            },
            "line": {"mode": "cold", "say": "I'm putting you through.", "if_unanswered": "sorry"},
        },
        "handoff_triggers": [
            {
                "when": "intent.family == 'escalation'",
                "to": choose(("desk", "line")),
                "reason": "asked for a person",
            },
            {"when": "facts.open_tickets >= 3 and intent.family == 'objection'", "to": "line"},
            {"when": "turn.negative_in_a_row >= 2", "to": "desk", "reason": "unhappy"},
            {"when": "turn.unclear_in_a_row >= 3", "to": "desk", "reason": "not understood"},
        ][: choose(range(5))],
        "limits": {
            "turns": choose((5, 20, 60)),
            "minutes": choose((2, 15)),
            "no_progress": choose((3, 6)),
            "visits": choose((2, 6)),
        },
    }


def _before_disclosure() -> Flow:
    case = {"if": "facts.account == 'customer'", "go": "greeting_known"}
    return {"kind": "decide", "cases": [case], "otherwise": "greeting"}


def _ask(choose: Choose, ahead: Sequence[str]) -> Flow:
    """Answers and ladders of a node's own, some of the time."""
    on: Flow = {}
    if choose((False, True)):
        on["too_expensive"] = {"convey": "Say that it is worth it.", "go": choose(ahead)}
    if choose((False, True)):
        on["confusion"] = _stay("Explain in one sentence.", choose(range(1, 4)))
    if choose((False, True)):
        on["digression"] = _stay("Say that this is another matter.", 1)
    own: Flow = {"on": on}
    if choose((False, True)):
        own["fallback"] = {"no_match": [{"say": "Sorry?"}, {"go": choose(("to_desk", "sorry"))}]}
    return own


def _small_collect(at: int, following: str, ahead: Sequence[str], choose: Choose) -> dict[str, Flow]:
    slots = list(dict.fromkeys(choose(tuple(_SLOTS)) for _ in range(choose((1, 1, 2, 3)))))
    node: Flow = {
        "kind": "ask",
        "convey": f"Ask {{first_name}} question {at}.",
        "collect": slots,
        "filled": following,
    }
    node |= _ask(choose, ahead)
    if choose((False, True)):
        node["on"]["agreement"] = _stay("Ask for it.", 2, "to_desk")
    told = [name for name in slots if name in _SPEAKABLE]
    if not told or choose((False, True)):
        return {f"step_{at}": node}
    node["filled"] = f"told_{at}"
    tell = {"kind": "tell", "convey": f"Say that you noted {{{told[0]}}}.", "next": following}
    return {f"step_{at}": node, f"told_{at}": tell}


def _small_open(at: int, following: str, ahead: Sequence[str], choose: Choose) -> dict[str, Flow]:
    node: Flow = {"kind": "ask", choose(("say", "convey")): f"Is step {at} fine?"} | _ask(choose, ahead)
    node["on"]["agreement"] = {"go": following}
    if choose((False, True)):
        node["on"]["again"] = {"say": "Gladly.", "go": f"step_{choose(range(at + 1))}"}
    if choose((False, True)):
        node["on"]["denial"] = {"go": choose(ahead)}
    if choose((False, True)):
        node["keys"] = {"1": {"go": following}, "2": {"go": choose(ahead)}}
    return {f"step_{at}": node}


def _small_decide(at: int, following: str, ahead: Sequence[str], choose: Choose) -> dict[str, Flow]:
    picked = dict.fromkeys(choose(_CONDITIONS) for _ in range(choose((1, 2))))
    if len([text for text in picked if "account" in text]) > 1:
        picked = dict.fromkeys(["facts.account == 'customer'"])
    cases = [{"if": text, "go": choose(("to_desk", *ahead))} for text in picked]
    return {f"step_{at}": {"kind": "decide", "cases": cases, "otherwise": following}}


def _small_tell(at: int, following: str, ahead: Sequence[str], choose: Choose) -> dict[str, Flow]:
    key = choose(("say", "convey"))
    return {f"step_{at}": {"kind": "tell", key: f"This is step {at}, {{first_name}}.", "next": following}}


def _small_act(at: int, following: str, ahead: Sequence[str], choose: Choose) -> dict[str, Flow]:
    action, field = choose((("look_up", "found"), ("book", "time")))
    node: Flow = {"kind": "act", "action": action, "while_waiting": "One moment.", "on_success": f"did_{at}"}
    node["on_failure"] = choose(("to_desk", *ahead))
    asked: Flow = {"kind": "ask", "convey": "Ask whether to do it."} | _ask(choose, ahead)
    asked["on"]["agreement"] = {"go": f"act_{at}"}
    did = {"kind": "tell", "convey": f"Say that it worked: {{{action}.{field}}}.", "next": following}
    return {f"step_{at}": asked, f"act_{at}": node, f"did_{at}": did}


_SMALL: dict[str, Callable[[int, str, Sequence[str], Choose], dict[str, Flow]]] = {
    "collect": _small_collect,
    "open": _small_open,
    "decide": _small_decide,
    "tell": _small_tell,
    "act": _small_act,
}
