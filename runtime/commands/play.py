"""`vfc play`."""


def play() -> None:
    """To come."""
