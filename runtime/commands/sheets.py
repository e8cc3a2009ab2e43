"""`vfc sheets`."""


def sheets() -> None:
    """To come."""
