"""An attack on the checker: flows broken by chance that still pass, and callers who ring them up.

Whatever passes the check must keep every law of the engine and must not fail a caller. Each attack takes a
clean or a generated flow, leads ways elsewhere, takes parts out and puts names into texts; equal seeds give
equal attacks.
"""

import re
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.corpus.calls import broken_laws, called
from tests.corpus.corpus import ONE_FILE, artifact_of, findings
from tests.generate import small_flow, somewhere, written
from tests.runtime.engine.world import Call
from voiceflow_compiler.source import Budget, Read, nowhere, parse

ATTACKS = 1500
CALLS = 8
WAYS = ("go", "then", "next", "filled", "otherwise", "on_success", "on_failure", "start", "if_unanswered")
CONDITIONS = (
    "turn.number > 2",
    "intent.family == 'agreement'",
    "facts.open_tickets > 2",
    "not facts.account == 'none'",
    "turn.unclear_in_a_row >= 1",
)
# What a caller keeps saying, and what must end it before a limit of the call does.
OBSTINATE = ("unclear", "wants_person")
_GAP = re.compile(r"\{|Well, +it is")


def attacked(seed: int) -> str:
    """A flow with one to four things broken by chance, as text."""
    rng = Random(seed)
    data = deepcopy(_plain(rng.choice([*ONE_FILE.values(), small_flow(seed), small_flow(seed + 1)])))
    for _ in range(rng.randint(1, 4)):
        _break(data, rng)
    return written(data)


def _plain(text: str) -> dict[str, Any]:
    result = Read("flow.yaml", root=nowhere("flow.yaml"))
    parse(text, result, Budget())
    assert isinstance(result.data, dict)
    return result.data


def _break(data: dict[str, Any], rng: Random) -> None:
    """Lead one way elsewhere, put a name into a text, change a condition, or take something out."""
    part, key = somewhere(data, rng, deeper=0.9)
    if key in WAYS:
        part[key] = rng.choice(list(data.get("nodes") or ["nowhere"]))
    elif key in ("say", "convey", "sample"):
        name = rng.choice([*(data.get("slots") or ()), "first_name", "account", "look_up.found"])
        part[key] = f"Well, {{{name}}} it is."
    elif key in ("if", "when"):
        part[key] = rng.choice(CONDITIONS)
    elif key is not None and rng.random() < 0.4:
        del part[key]


def failures(text: str) -> Iterator[str]:
    """How a flow fails its callers: broken laws, gaps in what they hear, and ways round without a word."""
    artifact = artifact_of(text)
    for seed in range(CALLS):
        call = called(artifact, seed, hostile=seed % 2 == 0)
        yield from broken_laws(call)
        yield from (f"a gap: {each.text}" for each in call.effects(fx.PlayScript) if _GAP.search(each.text))
        if seed % 2 and goes_round_alone(call):
            yield "goes round alone"
    for words in OBSTINATE:
        call = called(artifact, 0, hostile=False, says=words)
        if words == "unclear" and call.state.limited and _is_round(call):
            yield f"only a limit ends a caller who means {words}"
        if not call.ended:
            yield f"never ends for a caller who means {words}"


def goes_round_alone(call: Call) -> bool:
    """A node is entered again though the caller did nothing in between."""
    since: set[str] = set()
    for event, effects, _ in call.trace:
        if isinstance(event, ev.TurnReported | ev.DtmfPressed | ev.TimerFired | ev.SessionLost):
            since = set()
        for effect in effects:
            if isinstance(effect, fx.EnterNode):
                if effect.node in since:
                    return True
                since.add(effect.node)
    return False


def _is_round(call: Call) -> bool:
    """Some node was entered three times."""
    entered = [effect.node for effect in call.effects(fx.EnterNode)]
    return any(entered.count(node) >= 3 for node in entered)


def attack(seeds: range) -> tuple[int, list[str]]:
    """How many of these attacks pass the check, and how those that pass fail a caller."""
    passed, told = 0, []
    for seed in seeds:
        text = attacked(seed)
        if all(each.severity != "error" for each in findings(text)):
            passed += 1
            told += [f"attack {seed}: {each}" for each in dict.fromkeys(failures(text))]
    return passed, told


if __name__ == "__main__":
    started = time.process_time()
    passed, told = attack(range(ATTACKS))
    print(*told[:40], sep="\n")
    seconds = time.process_time() - started
    print(
        f"{ATTACKS} flows broken by chance, {passed} pass the check: "
        f"{len(told)} fail a caller ({seconds:.0f} s)"
    )
    sys.exit(bool(told))
