"""`vfc simulate`."""


def simulate() -> None:
    """To come."""
