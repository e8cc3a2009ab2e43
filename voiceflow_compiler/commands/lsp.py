"""`vfc lsp`: the language server that an editor starts."""

from typing import Annotated

import typer

from voiceflow_compiler.commands.base import stop
from voiceflow_compiler.extras import missing


def lsp(
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Speak on standard input and output; there is no other way.")
    ] = True,
) -> None:
    """Serve an editor: what is wrong, what is meant, and what may be written, while a flow is typed."""
    from voiceflow_compiler.lsp import is_installed, run

    if not is_installed():
        stop(missing("the language server's libraries are not installed", "lsp"))
    raise typer.Exit(run())
