"""The page of `vfc play --browser`: the same role-play as in the terminal, seen, spoken and heard."""

from runtime.simulate.page.ears import HearingError, Speaking, understand
from runtime.simulate.page.web import Stage, serve

__all__ = ["HearingError", "Speaking", "Stage", "serve", "understand"]
