"""Findings as a designer, a program, a code host or a continuous build wants to read them.

Laws
1. Every form holds every finding, in the order given.
2. Nothing of a source file reaches a terminal unescaped: control characters are shown, not sent.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from voiceflow_compiler.diagnostics import Finding, Severity, Span

FINDINGS_VERSION: Final = 1
_WIDTH: Final = 100  # of an excerpt, in columns of a terminal
_TAB: Final = 4
_BREAK = re.compile(r"\r\n|\r|\n")  # where the reader counts a line; str.splitlines knows more

Texts = Mapping[str, str]  # file name, as in spans -> its text


def as_text(findings: Sequence[Finding], texts: Texts, *, colour: bool = False) -> str:
    """Each finding with an excerpt of its line and a caret, and a last line that counts them."""
    lines = {file: _BREAK.split(text) for file, text in texts.items()}
    blocks = [_block(finding, lines, _COLOURED if colour else _PLAIN) for finding in findings]
    return "\n\n".join([*blocks, _counted(findings)]) + "\n"


def as_json(findings: Sequence[Finding], texts: Texts) -> str:
    """`schemas/findings.schema.json`."""
    counts = {f"{severity}s": _count(findings, severity) for severity in ("error", "warning", "note")}
    return _dump(
        {"version": FINDINGS_VERSION, "findings": [plain(finding) for finding in findings], **counts}
    )


def as_sarif(findings: Sequence[Finding], texts: Texts) -> str:
    """SARIF 2.1.0, as code hosts take it."""
    codes = sorted({finding.code for finding in findings})
    driver = {"name": "vfc", "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes) for finding in findings],
    }
    return _dump(
        {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    )


def as_github(findings: Sequence[Finding], texts: Texts) -> str:
    """Workflow commands that GitHub shows beside the changed lines."""
    return "".join(_annotation(finding) + "\n" for finding in findings)


FORMATS: Final[Mapping[str, Callable[[Sequence[Finding], Texts], str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}

_PLAIN: Final[Mapping[str, str]] = dict.fromkeys(("error", "warning", "note", "dim", "off"), "")
_COLOURED: Final[Mapping[str, str]] = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "note": "\x1b[1;36m",
    "dim": "\x1b[2m",
    "off": "\x1b[0m",
}


def _block(finding: Finding, lines: Mapping[str, Sequence[str]], paint: Mapping[str, str]) -> str:
    span = finding.span
    label = f"{paint[finding.severity]}{finding.severity}[{finding.code}]{paint['off']}"
    head = f"{_where(span)}: {label} {finding.name}: {_visible(finding.message)}"
    parts = [head, *_excerpt(span, lines, paint, finding.severity)]
    parts += [f"  related: {_where(related.span)}  {_visible(related.text)}" for related in finding.related]
    if finding.route:
        parts.append(f"  a caller's way: {' -> '.join(_visible(name) for name in finding.route)}")
    if finding.tip:
        parts.append(f"  tip: {_visible(finding.tip)}")
    return "\n".join(parts)


def _excerpt(
    span: Span, lines: Mapping[str, Sequence[str]], paint: Mapping[str, str], severity: Severity
) -> list[str]:
    """The line of a span and a caret below it, cut to the width of a terminal around the caret."""
    file = lines.get(span.file, ())
    if not 1 <= span.line <= len(file) or not file[span.line - 1].strip():
        return []
    line = file[span.line - 1]
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start + 1, min(end, len(line)))
    first = max(0, start - _WIDTH // 2)
    before, marked = _visible(line[first:start]), _visible(line[start:end]) or " "
    after = _visible(line[end : first + _WIDTH])
    marked = marked[:_WIDTH]
    gutter = f"{span.line:>5} | "
    cut = "..." if first else ""
    caret = (
        " " * (len(gutter) - 2) + "| " + " " * (_columns(before) + len(cut)) + "^" * max(1, _columns(marked))
    )
    colour, off = paint[severity], paint["off"]
    return [
        f"{paint['dim']}{gutter}{off}{cut}{before}{marked}{after}",
        f"{caret[: len(gutter)]}{colour}{caret[len(gutter) :]}{off}",
    ]


def _visible(text: str) -> str:
    """Text without anything a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return " " * _TAB
    return (
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character
    )


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character) or unicodedata.category(character) == "Me"
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def _where(span: Span) -> str:
    return f"{_visible(span.file)}:{span.line}:{span.column}"


def _counted(findings: Sequence[Finding]) -> str:
    words = []
    for severity in ("error", "warning", "note"):
        count = _count(findings, severity)
        if count:
            words.append(f"{count} {severity}{'s' if count > 1 else ''}")
    return ", ".join(words) or "nothing found"


def _count(findings: Sequence[Finding], severity: str) -> int:
    return sum(finding.severity == severity for finding in findings)


def plain(finding: Finding) -> dict[str, Any]:
    """A finding as `schemas/findings.schema.json` has it."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        **_position(finding.span),
        "tip": finding.tip,
        "related": [{**_position(related.span), "text": related.text} for related in finding.related],
        "route": list(finding.route),
        "fix": [{**_position(edit.span), "text": edit.text} for edit in finding.fix],
    }


def _position(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _rule(code: str) -> dict[str, Any]:
    """A rule with its page, which a code host shows beside the finding (SARIF 2.1.0, 3.49)."""
    from voiceflow_compiler.rules import rule
    from voiceflow_compiler.rules.pages import markdown

    found = rule(code)
    if found is None:
        return {"id": code}
    return {
        "id": code,
        "name": found.name,
        "shortDescription": {"text": found.finds},
        "help": {"text": found.page, "markdown": markdown(found)},
        "defaultConfiguration": {"level": found.severity},
    }


def _result(finding: Finding, codes: Sequence[str]) -> dict[str, Any]:
    route = f" A caller's way: {' -> '.join(finding.route)}." if finding.route else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.severity,
        "message": {"text": f"{finding.name}: {finding.message}.{route} {finding.tip}".strip()},
        "locations": [_location(finding.span)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(related.span), "message": {"text": related.text}}
            for number, related in enumerate(finding.related, start=1)
        ]
    if finding.fix:
        result["fixes"] = [_replaced(finding)]
    return result


def _replaced(finding: Finding) -> dict[str, Any]:
    """A fix as SARIF has it (2.1.0, 3.55): for each file the stretches that are replaced."""
    changes: dict[str, dict[str, Any]] = {}
    for edit in finding.fix:
        place = _location(edit.span)["physicalLocation"]
        change = changes.setdefault(
            edit.span.file, {"artifactLocation": place["artifactLocation"], "replacements": []}
        )
        change["replacements"].append(
            {"deletedRegion": place["region"], "insertedContent": {"text": edit.text}}
        )
    return {"description": {"text": finding.tip or finding.name}, "artifactChanges": list(changes.values())}


def _location(span: Span) -> dict[str, Any]:
    uri = quote(span.file.replace("\\", "/"), safe="/._-~", errors="surrogateescape")
    artifact = {"uri": uri} if uri.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _annotation(finding: Finding) -> str:
    span = finding.span
    command = "notice" if finding.severity == "note" else finding.severity
    properties = {"file": span.file, "line": span.line, "endLine": span.end_line, "col": span.column}
    if span.line == span.end_line:  # GitHub takes an end column only on one line
        properties["endColumn"] = span.end_column
    properties["title"] = f"{finding.code} {finding.name}"
    listed = ",".join(f"{key}={_escape(str(value), ',:')}" for key, value in properties.items())
    route = f"\na caller's way: {' -> '.join(finding.route)}" if finding.route else ""
    tip = f"\ntip: {finding.tip}" if finding.tip else ""
    return f"::{command} {listed}::{_escape(finding.message + route + tip, '')}"


def _escape(text: str, more: str) -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
