"""A stand-in for the speech model: a server that speaks the GA Realtime protocol and needs no key and no
network.

Exported on first use, so that importing this package costs nothing: `StandIn` and `run` (server), `FaultPlan`
and `hostile_policy` (faults), `decide` (the policy), and what a policy sees and answers (turns).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.session.stand_in.faults import FaultPlan, hostile_policy
    from runtime.session.stand_in.policy import decide
    from runtime.session.stand_in.responses import Pace
    from runtime.session.stand_in.server import StandIn, run
    from runtime.session.stand_in.turns import Call, Entry, Policy, Say, Turn

__all__ = [
    "Call",
    "Entry",
    "FaultPlan",
    "Pace",
    "Policy",
    "Say",
    "StandIn",
    "Turn",
    "decide",
    "hostile_policy",
    "run",
]

_HOMES = {
    "faults": ("FaultPlan", "hostile_policy"),
    "policy": ("decide",),
    "responses": ("Pace",),
    "server": ("StandIn", "run"),
    "turns": ("Call", "Entry", "Policy", "Say", "Turn"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
