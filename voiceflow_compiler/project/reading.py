"""`vfc.toml` to the values of a project, each judged at its place."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from voiceflow_compiler.conditions import closest
from voiceflow_compiler.diagnostics import Edit, Finding, Span
from voiceflow_compiler.jurisdictions import packs

MAX_BYTES: Final = 256 * 1024
MAX_NESTED: Final = 200  # brackets that are open at once; tomllib goes down as deep as they do
_ERROR_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")
_TABLE: Final = re.compile(r"\s*\[+\s*([^\]]*?)\s*\]+")
_KEY: Final = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(slots=True)
class Written:
    """What stands in the table: values by dotted key below `project`, and the place of each key."""

    file: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def place(self, key: str, value: str = "") -> Span:
        """Where a key stands, or, below it, one of the texts of its value."""
        span = self.places.get(key) or self.places.get("", Span(self.file, 1, 1, 1, 2))
        lines = self.text.split("\n")
        for number in range(span.line, min(span.line + 200, len(lines)) + 1):
            at = lines[number - 1].find(f'"{value}"') if value else -1
            if at >= 0:
                return Span(self.file, number, at + 1, number, at + len(value) + 3)
        return span

    def find(self, code: str, name: str, message: str, span: Span, tip: str, near: str | None = None) -> None:
        """One more finding; `near` is the word to write instead."""
        fix = (Edit(span, near),) if near else ()
        self.findings.append(Finding(code, name, "error", message, span, tip, fix=fix))


def read(file: Path, shown: str) -> Written | None:
    """What a file says of its project; None when it has no table `project` and can be read."""
    written = Written(shown, "")
    content = _content(file, written)
    if content is None:
        return written
    written.text = content
    table = _table(content, written)
    if table is None:
        return written
    project = table.get("project")
    if project is None:
        return None
    _locate(written)
    if not isinstance(project, dict):
        written.find("VF103", "wrong-type", "`project` is a table", written.place(""), "Write [project].")
        return written
    _judge(project, written, "", _KEYS)
    return written


def _content(file: Path, written: Written) -> str | None:
    at = Span(written.file, 1, 1, 1, 1)
    try:
        if not file.is_file():
            written.find("VF001", "unreadable-file", "this is not a regular file", at, "Write a TOML file.")
            return None
        opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(opened, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "").lower()
        tip = "Check its permissions."
        written.find("VF001", "unreadable-file", f"this file cannot be read: {why}", at, tip)
        return None
    if len(content) > MAX_BYTES:
        tip = "A project needs a few lines."
        written.find("VF002", "file-too-large", "this file is larger than 256 KiB", at, tip)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        written.find("VF003", "not-utf-8", "this is not UTF-8 text", at, "Save the file as UTF-8 text.")
        return None


def _table(text: str, written: Written) -> dict[str, Any] | None:
    try:
        if _nested(text) > MAX_NESTED:
            raise RecursionError
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_PLACE.search(str(error))
        message = _ERROR_PLACE.sub("", str(error)).strip().rstrip(".")
        last = text.rstrip("\n").count("\n") + 1
        line, column = (int(found[1]), int(found[2])) if found and found[1] else (last, 1)
        span = Span(written.file, line, column, line, column + 1)
    except (RecursionError, ValueError):  # a number of more digits than Python reads is a ValueError
        message, span = "too much is nested or too long here", Span(written.file, 1, 1, 1, 1)
    tip = "Check quotes, brackets and names that stand twice."
    written.find("VF030", "not-toml", f"this is not TOML: {message[:200]}", span, tip)
    return None


def _nested(text: str) -> int:
    depth = most = 0
    for each in text:
        depth += (each in "[{") - (each in "]}")
        most = max(most, depth)
    return most


def _locate(written: Written) -> None:
    """Find the keys of the table and of those below it, by their lines."""
    prefix: tuple[str, ...] = ()
    for number, line in enumerate(written.text.split("\n"), start=1):
        table, key = _TABLE.match(line), _KEY.match(line)
        if table and not key:
            prefix = _names(table[1])
            path, start, length = prefix, table.start(1), len(table[1])
        elif key:
            path, start, length = (*prefix, *_names(key[1])), key.start(1), len(key[1])
        else:
            continue
        if path[:1] == ("project",):
            span = Span(written.file, number, start + 1, number, start + length + 1)
            written.places.setdefault(".".join(path[1:]), span)
            for inner in re.finditer(r"""[{,]\s*([\w-]+)\s*=""", line):
                at = Span(written.file, number, inner.start(1) + 1, number, inner.end(1) + 1)
                written.places.setdefault(".".join((*path[1:], inner[1])), at)


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted))


# A reader gives the value, or None with a finding.
Take = Callable[[str, Any, Written], Any]


def _judge(table: Mapping[str, Any], written: Written, prefix: str, known: Mapping[str, Take]) -> None:
    for key, value in table.items():
        path = f"{prefix}{key}"
        if key not in known:
            near = closest(key, known)
            tip = f"Did you mean `{near}`?" if near else f"It may have: {', '.join(known)}."
            message = f"`[project{'.' + prefix.rstrip('.') if prefix else ''}]` has no key `{key[:64]}`"
            written.find("VF101", "unknown-key", message, written.place(path), tip, near)
            continue
        taken = known[key](path, value, written)
        if taken is not None:
            written.values[path] = taken


def _wrong(path: str, written: Written, wants: str, tip: str = "") -> None:
    written.find(
        "VF103", "wrong-type", f"`{path}` must be {wants}", written.place(path), tip or f"Write {wants}."
    )


def _text(path: str, value: Any, written: Written) -> str | None:
    if not isinstance(value, str) or not value.strip() or len(value) > 400:
        _wrong(path, written, "text")
        return None
    return value


def _texts(path: str, value: Any, written: Written) -> tuple[str, ...] | None:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        _wrong(path, written, "a list of texts")
        return None
    return tuple(dict.fromkeys(listed[:500]))


def _inside(path: str, value: Any, written: Written) -> str | None:
    text = _text(path, value, written)
    return None if text is None or _leaves(path, text, written) else text


def _patterns(path: str, value: Any, written: Written) -> tuple[str, ...] | None:
    listed = _texts(path, value, written)
    return None if listed is None else tuple(each for each in listed if not _leaves(path, each, written))


def _leaves(path: str, text: str, written: Written) -> bool:
    out = PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts or "\0" in text
    if out:
        message, tip = f"`{text[:80]}` leads out of the project", "Name something below this file's folder."
        written.find("VF021", "include-outside", message, written.place(path, text), tip)
    return out


def _places(path: str, value: Any, written: Written) -> tuple[str, ...] | None:
    listed = _texts(path, value, written)
    for key in listed or ():
        if key not in packs():
            near = closest(key, packs())
            tip = f"Did you mean `{near}`?" if near else "`vfc explain` lists those that are known."
            message = f"there is no jurisdiction `{key[:64]}`"
            written.find("VF137", "unknown-jurisdiction", message, written.place(path, key), tip)
    return None if listed is None else tuple(key for key in listed if key in packs())


def _tags(path: str, value: Any, written: Written) -> tuple[str, ...] | None:
    listed = _texts(path, value, written)
    for tag in listed or ():
        if not TAG.fullmatch(tag):
            message, tip = f"`{tag[:64]}` is no locale", "Write a tag such as es-MX."
            written.find("VF106", "malformed-name", message, written.place(path, tag), tip)
    return None if listed is None else tuple(tag for tag in listed if TAG.fullmatch(tag))


def _percent(path: str, value: Any, written: Written) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        _wrong(path, written, "a number from 0 to 100")
        return None
    return float(value)


def _flag(path: str, value: Any, written: Written) -> bool | None:
    if not isinstance(value, bool):
        _wrong(path, written, "true or false")
        return None
    return value


def _checks(path: str, value: Any, written: Written) -> None:
    if not isinstance(value, dict):
        _wrong(path, written, "a table", "Write [project.checks].")
    else:
        _judge(value, written, "checks.", {"select": _selected, "ignore": _ignored})


_RULE: Final = re.compile(r"VF[2-8]\d{0,2}|[a-z][a-z-]+")


def _selected(path: str, value: Any, written: Written) -> tuple[str, ...] | None:
    listed = _texts(path, value, written)
    return None if listed is None else tuple(each for each in listed if _is_rule(path, each, written))


def _ignored(path: str, value: Any, written: Written) -> dict[str, str] | None:
    """Checks that are not told, each with the reason; one without a reason is told."""
    if not isinstance(value, dict):
        tip = 'Write VF805 = "why" under [project.checks.ignore].'
        _wrong(path, written, "a table of checks with reasons", tip)
        return None
    kept = {}
    for rule, reason in value.items():
        if not isinstance(reason, str) or not reason.strip():
            _wrong(f"{path}.{rule}", written, "the reason why this check is not told")
        elif _is_rule(f"{path}.{rule}", rule, written):
            kept[rule] = reason
    return kept


def _is_rule(path: str, rule: str, written: Written) -> bool:
    if _RULE.fullmatch(rule):
        return True
    message = f"`{rule[:64]}` is no check that can be chosen"
    tip = "Write a code from VF200 on, a family such as VF8, or a name such as long-wait."
    written.find("VF104", "not-one-of", message, written.place(path, rule), tip)
    return False


_KEYS: Final[Mapping[str, Take]] = {
    "name": _text,
    "flows": _patterns,
    "shared": _inside,
    "output": _inside,
    "jurisdictions": _places,
    "locales": _tags,
    "coverage": _percent,
    "strict": _flag,
    "checks": _checks,
}
