"""The language server: what an editor shows of a flow while it is typed.

`run()` speaks the Language Server Protocol on standard input and output until the editor says `exit`.
"""

from importlib.util import find_spec


def is_installed() -> bool:
    """Whether the libraries of the extra `lsp` are there."""
    return find_spec("pygls") is not None


def run() -> int:
    """Serve one editor on standard input and output; 0 when it said goodbye first, else 1, as the protocol
    wants it.
    """
    from voiceflow_compiler.lsp.server import build

    server = build()
    server.start_io()
    return int(not server.dismissed)


__all__ = ["is_installed", "run"]
