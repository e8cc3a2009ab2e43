"""The files under `locales/` beside a flow, judged against it, and the flow with their texts in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from voiceflow_compiler.conditions import closest
from voiceflow_compiler.diagnostics import Edit, Finding, Place, Places, Span
from voiceflow_compiler.diagnostics import Path as DataPath
from voiceflow_compiler.flow import placeholders
from voiceflow_compiler.include import Opened, Source, real
from voiceflow_compiler.locales.texts import Said, Text, texts
from voiceflow_compiler.schema import violations
from voiceflow_compiler.subflow import Whole, section

FOLDER: Final = "locales"
MAX_LOCALES: Final = 40
TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Locale:
    """One locale of a flow: its file, what is wrong there, and the flow with its texts in it (None where
    nothing could be taken).
    """

    tag: str
    file: str
    source: Source
    whole: Whole | None
    findings: tuple[Finding, ...]
    kept: Mapping[str, Any] = field(default_factory=dict)


def open_locales(flow: Path, whole: Whole, opened: Opened) -> list[Locale]:
    """The locales of a flow, in order of their tags."""
    folder = flow.parent / FOLDER
    try:
        names = sorted(each.name for each in folder.iterdir() if each.suffix in (".yaml", ".yml"))
    except OSError:  # there are none
        return []
    known = texts(whole.data)
    return [_opened(folder / name, whole, known, opened) for name in names[:MAX_LOCALES]]


def _opened(file: Path, whole: Whole, known: Mapping[str, Text], opened: Opened) -> Locale:
    tag = file.stem
    problem = opened.problem(real(file), ())
    if problem:
        span = Span(str(file), 1, 1, 1, 1)
        finding = Finding(problem[0], problem[1], "error", problem[2], span, problem[3])
        empty = Source(str(file), None, Places(whole.places.root, {}), (), frozenset())
        return Locale(tag, str(file), empty, None, (finding,))
    source = opened.part(file)
    findings = list(source.findings)
    if not isinstance(source.data, dict):
        if source.data is not None:
            message, tip = (
                "a locale's file is a map of keys, and this is not",
                "Start with `language: 1`, `locale` and `texts`.",
            )
            findings.append(Finding("VF103", "wrong-type", "error", message, source.places.key(()), tip))
        return Locale(tag, str(file), source, None, tuple(findings))
    findings += violations(source, schema="locale")
    findings += _of_the_tag(tag, source, whole)
    written = {key: each for key, each in section(source.data, "texts").items() if isinstance(each, dict)}
    findings += _judged(written, known, source)
    return Locale(
        tag, str(file), source, _put_in(tag, written, known, source, whole), tuple(findings), written
    )


def _of_the_tag(tag: str, source: Source, whole: Whole) -> Iterator[Finding]:
    """The file's name, what it says of itself and the flow's own locale must agree."""
    said = source.data.get("locale")
    own = whole.data.get("locale", "en-US")
    span = source.places.value(("locale",))
    if isinstance(said, str) and said != tag:
        message, tip = f"this file is called `{tag[:40]}` and says `{said[:40]}`", "Let both say the same."
        yield Finding("VF155", "wrong-locale", "error", message, span, tip)
    elif tag == own:
        message = f"`{tag}` is the flow's own locale: its texts stand in the flow"
        yield Finding("VF155", "wrong-locale", "error", message, span, "Delete this file.")


def _judged(written: Mapping[str, Any], known: Mapping[str, Text], source: Source) -> Iterator[Finding]:
    places = source.places
    for key, each in written.items():
        path = ("texts", key)
        if key not in known:
            near = closest(key, known)
            tip = f"Did you mean `{near}`?" if near else "`vfc locale` writes the keys there are."
            message = f"the flow has no text `{key[:80]}`"
            fix = (Edit(places.key(path), near),) if near else ()
            yield Finding("VF152", "unknown-text", "error", message, places.key(path), tip, fix=fix)
            continue
        said = _said(each.get("text"))
        if not said:
            continue
        if _said(each.get("source")) != _bare(known[key].said) or "was" in each:
            message = f"the text of `{key}` has changed since this was written"
            tip = "Look at it again, and delete `was`; `vfc locale` shows what it was."
            span = places.key((*path, "was")) if "was" in each else places.value((*path, "source"))
            yield Finding("VF151", "stale-text", "warning", message, span, tip)
        yield from _compared(key, said, known[key], places)
    for key, text in known.items():
        if text.spoken and not _said(section(written, key).get("text")):
            message = f"`{key}` has no text in this locale: a caller would hear another language"
            span = places.key(("texts", key)) if key in written else places.key(("texts",))
            tip = "Write it under `text`."
            yield Finding("VF150", "missing-text", "error", message, span, tip)


def _compared(key: str, said: Said, text: Text, places: Places) -> Iterator[Finding]:
    """What stands in braces is a name, and stays as it is in every language."""
    span = places.value(("texts", key, "text"))
    if isinstance(said, str) is not isinstance(text.said, str):
        wanted = "text" if isinstance(text.said, str) else "a list of texts"
        tip = f"Write {wanted}."
        yield Finding("VF103", "wrong-type", "error", f"`{key}` is {wanted} in the flow", span, tip)
        return
    ours, theirs = _named(said), _named(text.said)
    for lost in sorted(theirs - ours) if isinstance(said, str) else ():
        message = f"`{{{lost}}}` is in the flow's text and not in this one"
        yield Finding("VF153", "lost-placeholder", "error", message, span, f"Say it with `{{{lost}}}` too.")
    for added in sorted(ours - theirs):
        message = f"`{{{added}}}` is in this text and not in the flow's"
        tip = "What is known here may be another thing on another way: use the flow's names only."
        yield Finding("VF153", "lost-placeholder", "error", message, span, tip)


def _named(said: Said) -> set[str]:
    whole = said if isinstance(said, str) else " ".join(said)
    return {name for name, _, _ in placeholders(whole)}


def _said(value: Any) -> Said:
    """A text or a list of texts as it can be compared; nothing for anything else."""
    if isinstance(value, list):
        return tuple(_line(each) for each in value if isinstance(each, str) and each.strip())
    return _line(value) if isinstance(value, str) else ""


def _bare(said: Said) -> Said:
    return _line(said) if isinstance(said, str) else tuple(map(_line, said))


def _line(text: str) -> str:
    return " ".join(text.split())


def _put_in(
    tag: str, written: Mapping[str, Any], known: Mapping[str, Text], source: Source, whole: Whole
) -> Whole:
    """The flow with the texts of a locale in it, each at its place in the locale's file."""
    data, root = dict(whole.data), _copied(whole.places.root)
    copied: dict[DataPath, tuple[Any, Place]] = {(): (data, root)}
    for key, each in written.items():
        said = each.get("text")
        if (
            key not in known
            or not _said(said)
            or isinstance(said, str) is not isinstance(known[key].said, str)
        ):
            continue
        place = _place(source, ("texts", key, "text"))
        if place is not None:
            _set(copied, known[key].path, said, place)
    for key in ("voice", "style"):
        place = _place(source, (key,))
        if key in source.data and place is not None:
            _set(copied, (key,), source.data[key], place)
    data["locale"] = tag
    return replace(whole, data=data, places=Places(root, whole.places.texts))


def _set(copied: dict[DataPath, tuple[Any, Place]], path: DataPath, value: Any, place: Place) -> None:
    """Put a value in, copying what holds it, and its place, the first time."""
    for depth in range(1, len(path)):
        if path[:depth] in copied:
            continue
        holder, above = copied[path[: depth - 1]]
        step = path[depth - 1]
        inner = holder[step]
        if isinstance(inner, list) and path[depth - 1] == "choices":  # a list of choices becomes a map
            inner = {each: [] for each in inner if isinstance(each, str)}
        fresh = dict(inner) if isinstance(inner, dict) else list(inner)
        known = (above.below or {}).get(step)
        copy = _copied(known if known is not None else above)
        holder[step] = fresh
        if above.below is not None:
            above.below[step] = copy
        copied[path[:depth]] = (fresh, copy)
    holder, above = copied[path[:-1]]
    holder[path[-1]] = value
    if above.below is not None:
        above.below[path[-1]] = place


def _copied(place: Place) -> Place:
    copy = Place(place.file, place.key, place.value)
    copy.below = dict(place.below or {})
    return copy


def _place(source: Source, path: DataPath) -> Place | None:
    place: Place | None = source.places.root
    for step in path:
        place = (place.below or {}).get(step) if place is not None else None
    return place
