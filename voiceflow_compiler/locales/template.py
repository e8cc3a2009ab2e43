"""A locale's file as `vfc locale` writes it: every text of the flow beside what it is in the locale."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceflow_compiler.locales.texts import Said, Text


@dataclass(slots=True)
class Written:
    """The file's text, and what became of its texts: keys."""

    text: str = ""
    new: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def written(tag: str, known: Mapping[str, Text], before: Any, head: str = "", *, all_texts: bool) -> Written:
    """A locale's file for these texts, keeping what was translated.

    `before` is what stood in the file, `head` the comments it began with. A translation whose part has a new
    name is found by the text it was made from. Texts only the model reads are listed where `all_texts` asks
    for them or where they are translated already.
    """
    old = dict(before.get("texts") or {}) if isinstance(before, dict) else {}
    old = {key: each for key, each in old.items() if isinstance(each, dict)}
    by_source = {_key(each.get("source")): key for key, each in old.items() if key not in known}
    done = Written()
    lines = [head.rstrip("\n")] if head.strip() else []
    lines += ["language: 1", f"locale: {tag}"]
    for key in ("voice", "style"):
        if isinstance(before, dict) and key in before:
            lines.append(f"{key}: {_value(before[key])}")
    lines.append("texts:")
    used = set()
    for key, text in known.items():
        entry = old.get(key)
        if entry is None and (other := by_source.get(_key(text.said))) is not None:
            entry = old[other]
            used.add(other)
            done.moved.append(key)
        if entry is None and not (text.spoken or all_texts):
            continue
        lines += _entry(key, text, entry, done)
    done.gone = [key for key in old if key not in known and key not in used]
    done.text = "\n".join(lines) + "\n"
    return done


def _entry(key: str, text: Text, entry: Mapping[str, Any] | None, done: Written) -> Iterator[str]:
    yield f"  {key}:"
    yield f"    source: {_value(text.said)}"
    said = entry.get("text") if entry else None
    if not said or entry is None:
        done.new.append(key)
        yield "    text:"
        return
    was = entry.get("was")
    if was is None and _key(entry.get("source")) != _key(text.said):
        was = entry.get("source")
    if was is not None:
        done.stale.append(key)
        yield f"    was: {_value(was)}"
    yield f"    text: {_value(said)}"


def _key(said: Said | Any) -> str:
    return json.dumps(
        [" ".join(str(each).split()) for each in ([said] if isinstance(said, str) else said or ())]
    )


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
