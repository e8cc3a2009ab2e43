"""Where `vfc` begins: Ctrl-C while the commands are still being loaded ends it without a word.

Nothing else is imported here, so that the time in which Python would print a traceback is as short as can be.
"""

import signal


def main() -> None:
    """Load the command line and run it."""
    # only the usual way of Python is replaced: whoever starts us in the background may have SIGINT ignored
    loading = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if loading:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from runtime.cli import main as run

    if loading:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
