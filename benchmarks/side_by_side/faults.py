"""The same faults on every bridge: what the caller hears afterwards, and when.

    python -m benchmarks.side_by_side.faults [NAME...] [--peers PYTHON]

The model's side is broken in the middle of its speech, or refuses to begin; or the telephone stops reading.
What counts is how long the caller has silence with an open line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

import httpx2
import uvloop

from benchmarks.figures import machine
from benchmarks.side_by_side.__main__ import OURS, PEERS
from benchmarks.side_by_side.model import Model, Session, serving
from benchmarks.side_by_side.phones import Bridge, Callers, Phone
from benchmarks.side_by_side.run import target

SPEECH_S: Final = 2.0  # of speech before it is broken
PATIENCE_S: Final = 15.0
STALLED_S: Final = 10.0
LATEST_S: Final = 0.4  # nothing older may be heard by a telephone that reads again


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `during`: done to a session that speaks; `before`: done to the model before the call."""

    name: str
    during: Callable[[Session], None] | None = None
    before: Callable[[Model], None] | None = None


def _refuse(status: int) -> Callable[[Model], None]:
    def act(model: Model) -> None:
        model.refuse = status

    return act


def _shut(model: Model) -> None:
    model.shut = 1008


FAULTS: Final = (
    Fault("the model's connection is reset while it speaks", during=Session.reset),
    Fault("the model's connection closes politely (1001) while it speaks", during=Session.leave),
    Fault("the model stops in mid-speech, its socket open", during=Session.stop),
    Fault("the model freezes: it reads nothing, answers no ping", during=Session.freeze),
    Fault("the model refuses the connection (503)", before=_refuse(503)),
    Fault("the model refuses the key (401)", before=_refuse(401)),
    Fault("the model closes each connection at once (1008)", before=_shut),
)


async def measure(name: str, python: str) -> dict[str, str]:
    """What each fault comes to on one bridge."""
    told: dict[str, str] = {}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        for fault in FAULTS:
            async with serving() as model, target(python, name, model) as (bridge, _):
                if fault.before:
                    fault.before(model)
                told[fault.name] = await _fault(fault, bridge, model, http)
                print(f"  {fault.name}: {told[fault.name]}", file=sys.stderr, flush=True)
        async with serving() as model, target(python, name, model) as (bridge, _):
            told["the telephone reads nothing for 10 s"] = await _stalled(bridge, model, http)
    return told


async def _fault(fault: Fault, bridge: Bridge, model: Model, http: httpx2.AsyncClient) -> str:
    callers, phone = Callers(), Phone(1)
    callers.run()
    try:
        await phone.call(bridge, http)
        callers.add(phone)
        since = phone.began_at
        if fault.during:
            await _speaking(phone)
            await asyncio.sleep(SPEECH_S)
            since = monotonic()
            fault.during(model.sessions[-1])
        return await _afterwards(phone, since)
    except (TimeoutError, OSError, AssertionError) as error:
        return f"no call came about ({type(error).__name__})"
    finally:
        callers.stop()
        phone.hang_up()


async def _speaking(phone: Phone) -> None:
    async with asyncio.timeout(20):
        while not phone.item_from_at:  # noqa: ASYNC110 - the telephone is polled, it costs nothing here
            await asyncio.sleep(0.01)


async def _afterwards(phone: Phone, since: float) -> str:
    """The longest silence with an open line, and whether the line was closed."""
    ends = monotonic() + PATIENCE_S
    while monotonic() < ends and not phone.gone:  # noqa: ASYNC110 - the telephone is polled
        await asyncio.sleep(0.02)
    silent = phone.longest_silence(since, phone.gone_at or ends)
    told = f"{silent:.1f} s" if silent < PATIENCE_S - 0.5 else f"{PATIENCE_S:.0f} s and more"
    return f"{told}, then hung up" if phone.gone else told


async def _stalled(bridge: Bridge, model: Model, http: httpx2.AsyncClient) -> str:
    """How old what the caller hears is, once a telephone that read nothing reads again."""
    callers, phone = Callers(), Phone(1)
    callers.run()
    try:
        await phone.call(bridge, http, small=True)
        callers.add(phone)
        await _speaking(phone)
        phone.read(reading=False)
        await asyncio.sleep(STALLED_S)
        ms = phone.heard_ms
        phone.read(reading=True)
        await asyncio.sleep(1.0)
        late = (phone.heard_ms - ms) / 1000 - 1.0
        return f"then {late:.1f} s of old speech" if late > LATEST_S else "then what is new"
    except (TimeoutError, OSError) as error:
        return f"no call came about ({type(error).__name__})"
    finally:
        callers.stop()
        phone.hang_up()


def main() -> int:
    """Measure the bridges asked for, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side.faults")
    parser.add_argument("names", nargs="*", help="all without")
    parser.add_argument("--peers", default="", help="a Python that has the peers (requirements.txt here)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    chosen = parser.parse_args()
    names = chosen.names or (OURS[0], *(PEERS if chosen.peers else ()))
    told = {}
    for name in names:
        print(f"breaking {name} ...", file=sys.stderr, flush=True)
        python = chosen.peers if name in PEERS else sys.executable
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            told[name] = runner.run(measure(name, python))
    if chosen.format == "json":
        print(json.dumps(told, indent=2))
        return 0
    faults = next(iter(told.values()))
    print(
        machine().line, "", "| Fault | " + " | ".join(told) + " |", "| --- " * (len(told) + 1) + "|", sep="\n"
    )
    for fault in faults:
        print(f"| {fault} | " + " | ".join(one[fault] for one in told.values()) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
