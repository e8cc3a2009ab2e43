"""Commands that explain, draw, count and compare: one file for each."""

import typer

from voiceflow_compiler.commands.check import check
from voiceflow_compiler.commands.cost import cost
from voiceflow_compiler.commands.coverage import coverage
from voiceflow_compiler.commands.difference import diff
from voiceflow_compiler.commands.explain import explain
from voiceflow_compiler.commands.graph import graph
from voiceflow_compiler.commands.init import init
from voiceflow_compiler.commands.locale import locale
from voiceflow_compiler.commands.lsp import lsp


def register(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    for command in (init, check, explain, graph, coverage, diff, cost, locale, lsp):
        app.command()(command)
