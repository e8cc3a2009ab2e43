"""The pages people look at: the desk, where human agents see handoffs arrive."""

from runtime.console.desk import Console

__all__ = ["Console"]
