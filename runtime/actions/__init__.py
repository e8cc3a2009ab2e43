"""Action executors: the ways a flow's actions are really done, one file and one line each."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runtime.actions import http, local
from runtime.actions.base import Executor, OpenExecutor, Opening
from runtime.engine.effects import RunAction
from runtime.ports import OutsideFailure
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import Action

DEFAULT: Final = "local"
EXECUTORS: Final[dict[str, OpenExecutor]] = {
    "http": http.open_executor,
    "local": local.open_executor,
}


@dataclass(frozen=True, slots=True)
class Actions:
    """All actions of a flow, each with its executor."""

    executors: Mapping[str, Executor]

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Do it once (the order's key) within its deadline. Raises OutsideFailure."""
        if order.action not in self.executors:
            raise OutsideFailure("not_configured")
        return await self.executors[order.action].run(order)

    async def close(self) -> None:
        """Finish what is being done and let go of every connection."""
        for executor in self.executors.values():
            await executor.close()


def open_actions(
    actions: Mapping[str, Action], settings: Settings, *, tell: Callable[[str], None] = lambda line: None
) -> Actions:
    """The executors of a flow's actions, by the settings. Raises SettingsError with every problem.

    An action the settings do not mention is written down locally, and `tell` is told so in one line.
    """
    problems: list[str] = []
    executors: dict[str, Executor] = {}
    for name, action in actions.items():
        if name not in settings.actions:
            kept = settings.records / local.FILE_NAME
            tell(f"action {name} is only written down, in {kept}: there is no [actions.{name}] in vfc.toml")
        try:
            executors[name] = _open(name, action, settings)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return Actions(executors)


def _open(name: str, action: Action, settings: Settings) -> Executor:
    place = f"actions.{name}"
    options = dict(settings.actions.get(name, {}))
    kind = options.pop("executor", DEFAULT)
    if kind not in EXECUTORS:
        near = difflib.get_close_matches(str(kind), EXECUTORS, n=1)
        tip = f"did you mean {near[0]}?" if near else f"write one of {', '.join(EXECUTORS)}."
        raise SettingsError([f"{place}.executor is no executor: {tip}"])
    return EXECUTORS[kind](Opening(place, options, action.returns, settings.records, settings.environment))
