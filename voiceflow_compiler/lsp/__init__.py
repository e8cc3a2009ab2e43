"""The language server: what an editor shows of a flow while it is typed.

`run()` speaks the Language Server Protocol on standard input and output until the editor says `exit`.
"""

from importlib.util import find_spec


def is_installed() -> bool:
    """Whether the libraries of the extra `lsp` are there."""
    return find_spec("pygls") is not None


def run() -> None:
    """Serve one editor on standard input and output."""
    from voiceflow_compiler.lsp.server import build

    build().start_io()


__all__ = ["is_installed", "run"]
