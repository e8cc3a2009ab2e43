"""Commands that try a flow before it goes live, and let it go live by stages: one file for each."""

import typer

from runtime.commands.action import action
from runtime.commands.audit import audit
from runtime.commands.dial import dial
from runtime.commands.facts import facts
from runtime.commands.gate import gate
from runtime.commands.latency import latency
from runtime.commands.play import play
from runtime.commands.recall import recall
from runtime.commands.replay import replay
from runtime.commands.rollout import rollout
from runtime.commands.sheets import sheets
from runtime.commands.simulate import simulate
from runtime.commands.storing import store
from runtime.commands.test import try_flows


def register(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    app.command("test")(try_flows)
    for command in (dial, play, sheets, simulate, recall, replay, audit, latency, facts, gate):
        app.command()(command)
    app.add_typer(rollout)
    app.add_typer(action)
    app.add_typer(store)
