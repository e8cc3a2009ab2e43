"""A difference as text for a terminal, as Markdown for a pull request, and as JSON."""

import json
from collections.abc import Iterator
from typing import Any, Final

from voiceflow_compiler.difference import DIFFERENCE_VERSION, SEVERITIES, Change, Difference

_TITLES: Final = {
    "breaking": "Breaking: a caller loses something, or others must change too",
    "notable": "Notable: callers are led, asked or told otherwise",
    "cosmetic": "Cosmetic: other words or sizes, the same way",
}


def as_text(difference: Difference) -> str:
    """Changes by severity, with a caller's way where one shows it."""
    lines = [_header(difference)]
    for severity in SEVERITIES:
        found = [each for each in difference.changes if each.severity == severity]
        if found:
            lines += ["", _TITLES[severity]]
        for each in found:
            lines.append(f"  {each.kind}: {each.message}")
            if each.route:
                lines.append(f"    a caller's way: {each.way}")
    if difference.sizes:
        lines += ["", "Prompts, in tokens (characters / 4, an estimate)"]
        lines += [
            f"  {size.what}: {size.old} → {size.new} ({size.new - size.old:+d})" for size in difference.sizes
        ]
    if difference.touched:
        lines += ["", "Callers and scenarios that pass a changed node"]
        lines += [f"  {each.file}: {', '.join(each.nodes)}" for each in difference.touched]
    return "\n".join([*lines, "", _counted(difference)]) + "\n"


def as_markdown(difference: Difference) -> str:
    """The same, for a comment on a pull request."""
    lines = [f"### {_header(difference)}", "", f"**{_counted(difference)}**"]
    for severity in SEVERITIES:
        found = [each for each in difference.changes if each.severity == severity]
        if found:
            lines += ["", f"#### {_TITLES[severity]}", "", *map(_bullet, found)]
    if difference.sizes:
        lines += ["", "#### Prompts, in tokens (characters / 4, an estimate)", "", *_table(difference)]
    if difference.touched:
        lines += ["", "#### Callers and scenarios that pass a changed node", ""]
        lines += [f"- `{each.file}`: {', '.join(map(_code, each.nodes))}" for each in difference.touched]
    return "\n".join(lines) + "\n"


def as_json(difference: Difference) -> str:
    """Everything, with a version."""
    return json.dumps(plain(difference), indent=2, ensure_ascii=False) + "\n"


def plain(difference: Difference) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "version": DIFFERENCE_VERSION,
        "old": _identity(difference.old),
        "new": _identity(difference.new),
        "worst": difference.worst,
        "changes": [
            {
                "severity": each.severity,
                "kind": each.kind,
                "message": each.message,
                "nodes": list(each.nodes),
                "route": list(each.route),
                "why": list(each.why),
            }
            for each in difference.changes
        ],
        "tokens": [{"what": each.what, "old": each.old, "new": each.new} for each in difference.sizes],
        "touched": [{"file": each.file, "nodes": list(each.nodes)} for each in difference.touched],
    }


def _header(difference: Difference) -> str:
    old, new = (f"{each.flow_version} ({each.content_hash[:8]})" for each in (difference.old, difference.new))
    return f"{difference.new.flow}: {old} → {new}"


def _counted(difference: Difference) -> str:
    counts = {
        severity: sum(each.severity == severity for each in difference.changes) for severity in SEVERITIES
    }
    told = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
    return told or "nothing changes for callers"


def _bullet(change: Change) -> str:
    way = f"<br>a caller's way: {escaped(change.way)}" if change.route else ""
    return f"- **{change.kind}**: {escaped(change.message)}{way}"


def _table(difference: Difference) -> Iterator[str]:
    yield "| prompt | old | new | change |"
    yield "|---|---:|---:|---:|"
    for size in difference.sizes:
        yield f"| {size.what} | {size.old} | {size.new} | {size.new - size.old:+d} |"


def _identity(artifact: Any) -> dict[str, str]:
    return {
        "flow": artifact.flow,
        "flow_version": artifact.flow_version,
        "content_hash": artifact.content_hash,
    }


def _code(text: str) -> str:
    return f"`{text}`"


def escaped(text: str) -> str:
    """A designer's words cannot pose as Markdown or as markup."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>|#" else each for each in text)
