"""Lines, answers and ladders: everything the assistant says, and where it leads."""

from collections.abc import Mapping
from typing import Any

from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.flow import Answer, Fallback, Ladder, Line, Rung
from voiceflow_compiler.resolve.binder import Binder, flag, mapping, number, text, whole


def line(binder: Binder, value: Any, path: Path) -> Line | None:
    """The line written in a map, or as plain text. `path` is that of the map or text."""
    if isinstance(value, str):
        if not value:
            return None
        return Line(path, say=binder.text(value, path))
    say, convey, sample = (_told(binder, value, key, path) for key in ("say", "convey", "sample"))
    if say is None and convey is None:
        return None
    return Line(path, say=say, convey=None if say else convey, sample=None if say else sample)


def _told(binder: Binder, value: Any, key: str, path: Path) -> str | None:
    written = text(value, key)
    return None if written is None else binder.text(written, (*path, key))


def answers(binder: Binder, value: Any, key: str, path: Path) -> Mapping[str, Answer]:
    """The answers under `on`, `everywhere` or `keys`, by intent, family or key."""
    found: dict[str, Answer] = {}
    for name, written in mapping(value, key).items():
        at = (*path, key, name)
        bound = name if key == "keys" else binder.bind("intent", name, at, at_key=True)
        answer = _answer(binder, written, bound or name, at)
        if bound is not None and answer is not None:
            found.setdefault(bound, answer)
    return found


def _answer(binder: Binder, value: Any, key: str, path: Path) -> Answer | None:
    go = binder.bind("node", text(value, "go"), (*path, "go"))
    stay = flag(value, "stay")
    then = binder.bind("node", text(value, "then"), (*path, "then"))
    spoken = line(binder, value, path) if isinstance(value, dict) else None
    if go is None and not stay:
        return None
    if go is not None:
        return Answer(key, path, spoken, go)
    at_most = number(value, "at_most")
    return Answer(key, path, spoken, None, stay, None if at_most is None else int(at_most), then)


def rung(binder: Binder, value: Any, path: Path) -> Rung | None:
    """One step of a ladder."""
    spoken = line(binder, value, path)
    go = binder.bind("node", text(value, "go"), (*path, "go"))
    return Rung(path, spoken, go) if spoken or go else None


def fallback(binder: Binder, value: Any, path: Path) -> Fallback | None:
    """The ladders of the flow or of a node; None where none are written."""
    written = value.get("fallback") if isinstance(value, dict) else None
    if not isinstance(written, dict):
        return None
    path = (*path, "fallback")
    lost = written.get("lost_model")
    hold = lost.get("hold") if isinstance(lost, dict) else None
    return Fallback(
        path,
        no_match=_ladder(binder, written, "no_match", path),
        no_input=_ladder(binder, written, "no_input", path),
        lost_model=rung(binder, lost, (*path, "lost_model")) if isinstance(lost, dict) else None,
        hold=line(binder, hold, (*path, "lost_model", "hold")) if hold else None,
    )


def _ladder(binder: Binder, value: Any, key: str, path: Path) -> Ladder | None:
    written = value.get(key)
    path = (*path, key)
    steps_path = path
    after_ms = 6000
    if isinstance(written, dict):
        after_ms = whole(written, "after_ms", after_ms)
        steps_path = (*path, "steps")
        written = written.get("steps")
    if not isinstance(written, list):
        return None
    rungs = [rung(binder, step, (*steps_path, index)) for index, step in enumerate(written)]
    return Ladder(path, tuple(found for found in rungs if found is not None), after_ms)
