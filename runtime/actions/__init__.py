"""Action executors: the ways a flow's actions are really done, one file and one line each."""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import stamina
import structlog

from runtime.actions import http, local, mcp_tool, python, sql
from runtime.actions.base import Contract, Executor, Look, OpenExecutor, Opening
from runtime.actions.doing import LOOKED, Attempts, Breaker, Once, allowed_ms
from runtime.engine.effects import RunAction
from runtime.outbound import reach_of
from runtime.outbound.schemas import Schema, read_schema
from runtime.ports import Alert, Intent, Ledger, OutsideFailure, Unsure, untold
from runtime.privacy import starred
from runtime.settings import Settings
from runtime.settings.keys import Key, SettingsError, read_optional, read_options, read_whole
from voiceflow_compiler.artifact import Action

log = structlog.get_logger()

DEFAULT: Final = "local"
EXECUTORS: Final[dict[str, OpenExecutor]] = {
    "http": http.open_executor,
    "local": local.open_executor,
    "sql": sql.open_executor,
    "python": python.open_executor,
    "mcp": mcp_tool.open_executor,
}
# What any action's table may hold, whoever does it.
COMMON: Final = (
    Key("arguments_schema", None, read_optional, "a file with a JSON Schema of the arguments", ""),
    Key("result_schema", None, read_optional, "a file with a JSON Schema of the result", ""),
    Key("breaker_failures", None, read_whole(1, 1000), "after how many failures in a row it rests", 5),
    Key("find_out_s", None, read_whole(1, 12), "for how many seconds a lost answer is looked for", 10),
    Key("breaker_s", None, read_whole(1, 3600), "for how many seconds it rests", 10),
)
LEASE_GRACE_MS: Final = 5000
LOOK_AGAIN_S: Final = 0.2
LAST_LOOK_S: Final = 0.5  # a look ends before the time of finding out does


class Begun(Protocol):
    """A deed somebody began and never settled (runtime.store.Deed)."""

    @property
    def key(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Ready:
    """One action with all that stands around its executor."""

    action: Action
    attempts: Attempts
    look: Look | None = None
    find_out_s: int = 10

    @property
    def executor(self) -> Executor:
        """Who does it."""
        return self.attempts.executor


@dataclass(frozen=True, slots=True)
class Actions:
    """All actions of a flow, each ready."""

    flow: str
    ready: Mapping[str, Ready]
    once: Once

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Do it once (the order's key) within its time. Raises OutsideFailure; Unsure when nobody knows."""
        one = self._ready(order)
        if not one.action.changes_something:
            return await one.attempts.run(order)
        return await self.once.run(self._intent(one, order), lambda: one.attempts.run(order))

    async def find_out(self, order: RunAction) -> Mapping[str, Any]:
        """What came of an order nobody knows the end of: by a look, where the settings describe one, or by
        the same key again, where that is harmless. Raises OutsideFailure when it was not done, else Unsure.
        """
        one = self._ready(order)
        look = one.look
        if look is None and not one.attempts.repeatable:
            raise Unsure("unknown")
        intent = replace(self._intent(one, order), repeatable=True)
        act = (lambda: one.attempts.run(order)) if look is None else (lambda: _looking(look, one, order))
        try:
            async with asyncio.timeout(one.find_out_s):
                async for attempt in stamina.retry_context(
                    on=Unsure, attempts=None, timeout=None, wait_initial=LOOK_AGAIN_S, wait_max=2.0
                ):
                    with attempt:
                        return await self.once.run(intent, act)
        except TimeoutError:
            raise Unsure("timeout") from None
        raise AssertionError("the last attempt returns or raises")

    async def repeat(self, begun: Iterable[Begun]) -> dict[str, str]:
        """Repeat deeds with their own keys, where that is harmless; how each ended (done or a reason)."""
        return {deed.key: await self._again(deed) for deed in begun}

    async def look_up(self, begun: Iterable[Begun]) -> dict[str, str]:
        """Ask the other side, where the settings say how, what came of deeds nobody knows the end of. Nothing
        is done anew.
        """
        looked = [deed for deed in begun if deed.action in self.ready and self.ready[deed.action].look]
        return {deed.key: await self._again(deed) for deed in looked}

    async def _again(self, deed: Begun) -> str:
        one = self.ready.get(deed.action)
        # The arguments of a deed with a secret are not kept: it can be asked after, never repeated.
        if one is None or not (one.look or (one.attempts.repeatable and not one.action.secrets)):
            return "not_repeatable"
        try:
            await self.find_out(_order(deed, one.action))
        except OutsideFailure as failure:
            return failure.reason
        return "done"

    def _ready(self, order: RunAction) -> Ready:
        if order.action not in self.ready:
            raise OutsideFailure("not_configured")
        return self.ready[order.action]

    def _intent(self, one: Ready, order: RunAction) -> Intent:
        return Intent(
            key=order.idempotency_key,
            flow=self.flow,
            action=order.action,
            arguments=starred(order.arguments, one.action.secrets),
            lease_ms=allowed_ms(order) + LEASE_GRACE_MS,
            repeatable=one.attempts.repeatable,
        )

    async def close(self) -> None:
        """Finish what is being done and let go of every connection."""
        await self.once.close()
        for one in self.ready.values():
            await one.executor.close()


async def _looking(look: Look, one: Ready, order: RunAction) -> Mapping[str, Any]:
    """Look until it is there. What is not there to the end was not done."""
    clock = asyncio.get_running_loop().time
    until, pause_s = clock() + one.find_out_s - LAST_LOOK_S, LOOK_AGAIN_S
    while True:
        failure: OutsideFailure | None = None
        try:
            found = await look(order)
            if found is not None:
                one.attempts.contract.check_result(found)
                return found
        except OutsideFailure as error:
            failure = error
        if clock() + pause_s >= until:
            raise OutsideFailure(LOOKED) if failure is None else Unsure(failure.reason)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, 2.0)


def _order(deed: Begun, action: Action) -> RunAction:
    return RunAction(
        run_id="again",
        action=deed.action,
        arguments=dict(deed.arguments),
        idempotency_key=deed.key,
        within_ms=action.within_ms,
        retries=action.retries,
    )


def open_actions(
    actions: Mapping[str, Action],
    settings: Settings,
    *,
    flow: str = "",
    ledger: Ledger | None = None,
    tell: Callable[[str], None] = lambda line: None,
    clock: Callable[[], float] = time.monotonic,
    alert: Alert = untold,
) -> Actions:
    """The actions of a flow, by the settings. Raises SettingsError with every problem.

    An action the settings do not mention is written down locally, and `tell` is told so in one line. Without
    a ledger an action is done once only while this process lives.
    """
    problems: list[str] = []
    ready: dict[str, Ready] = {}
    for name, action in actions.items():
        called = action.called or name
        if called not in settings.actions:
            kept = settings.records / local.FILE_NAME
            tell(
                f"action {called} is only written down, in {kept}: there is no [actions.{called}] in vfc.toml"
            )
        try:
            ready[name] = _open(called, action, settings, clock, alert)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return Actions(flow, ready, Once(ledger))


def _open(name: str, action: Action, settings: Settings, clock: Callable[[], float], alert: Alert) -> Ready:
    place = f"actions.{name}"
    options = dict(settings.actions.get(name, {}))
    kind = options.pop("executor", DEFAULT)
    if kind not in EXECUTORS:
        near = difflib.get_close_matches(str(kind), EXECUTORS, n=1)
        tip = f"did you mean {near[0]}?" if near else f"write one of {', '.join(EXECUTORS)}."
        raise SettingsError([f"{place}.executor is no executor: {tip}"])
    common = read_options(
        place, {key.path: options.pop(key.path) for key in COMMON if key.path in options}, COMMON
    )
    opened = EXECUTORS[kind](
        Opening(
            place=place,
            options=options,
            returns=action.returns,
            changes=action.changes_something,
            secrets=action.secrets,
            records=settings.records,
            folder=settings.folder,
            environment=settings.environment,
            reach=reach_of(settings),
        )
    )
    contract = Contract(
        _schema(place, "arguments_schema", common, settings.folder) or opened.contract.arguments,
        _schema(place, "result_schema", common, settings.folder) or opened.contract.result,
    )
    breaker = Breaker(
        common["breaker_failures"],
        float(common["breaker_s"]),
        clock,
        lambda: alert("action.resting", detail=name),
    )
    # Who only asks may ask again; who changes something only where one key is done once.
    repeatable = opened.executor.repeatable or not action.changes_something
    attempts = Attempts(opened.executor, contract, breaker, repeatable, action.changes_something)
    return Ready(action, attempts, opened.look, common["find_out_s"])


def _schema(place: str, name: str, options: Mapping[str, Any], folder: Path) -> Schema | None:
    if not options[name]:
        return None
    path = folder / options[name]
    try:
        return read_schema(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        raise SettingsError([f"{place}.{name}: {path} holds no JSON Schema."]) from None
