"""Safe fixes, applied to the texts of a flow.

Laws
1. Every character outside the edits stays, line endings included.
2. The edits of a finding are applied together or not at all; of two that touch, the first in the file wins.
3. A round of fixes that leaves more errors than it found is given up.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final

from voiceflow_compiler.diagnostics import Edit, Finding

MOST_ROUNDS: Final = 8  # one fix may show the next: a name that is known now can be judged

_BREAK: Final = re.compile(r"\r\n|\r|\n")  # where the reader counts a line

Texts = Mapping[str, str]  # file name, as in spans -> its text


@dataclass(frozen=True, slots=True)
class Fixed:
    """The texts after all fixes, and the findings that were fixed, in the order of their fixing."""

    texts: Texts
    done: tuple[Finding, ...]


def fix_all(judge: Callable[[Texts], tuple[Sequence[Finding], Texts]]) -> Fixed:
    """Fix, look again, and fix what shows then.

    `judge` checks a flow, with these texts in place of its files where given, and tells what it read.
    """
    findings, texts = judge({})
    done: list[Finding] = []
    for _ in range(MOST_ROUNDS):
        chosen = fitting(findings)
        if not chosen:
            break
        after = {**texts, **applied(texts, chosen)}
        findings_after, texts_after = judge(after)
        if _errors(findings_after) > _errors(findings) or after == texts:
            break
        findings, texts = findings_after, texts_after
        done += chosen
    return Fixed(texts, tuple(done))


def fitting(findings: Iterable[Finding]) -> list[Finding]:
    """The findings whose fixes can be applied together."""
    chosen: list[Finding] = []
    taken: list[Edit] = []
    for finding in findings:
        if finding.fix and not any(_touch(edit, other) for edit in finding.fix for other in taken):
            chosen.append(finding)
            taken += finding.fix
    return chosen


def applied(texts: Texts, findings: Iterable[Finding]) -> dict[str, str]:
    """The texts that change when these findings are fixed, changed."""
    edits: dict[str, list[Edit]] = {}
    for finding in findings:
        for edit in finding.fix:
            edits.setdefault(edit.span.file, []).append(edit)
    return {file: edited(texts[file], each) for file, each in edits.items() if file in texts}


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits applied that do not touch each other."""
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        start = starts[span.line - 1] + span.column - 1
        end = starts[span.end_line - 1] + span.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text


def difference(before: Texts, after: Texts) -> str:
    """What changes between two sets of texts, as a unified diff."""
    parts: list[str] = []
    for file, text in after.items():
        old, new = (each.splitlines(keepends=True) for each in (before.get(file, ""), text))
        for line in unified_diff(old, new, f"a/{file}", f"b/{file}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)


def _touch(one: Edit, other: Edit) -> bool:
    if one.span.file != other.span.file:
        return False
    first, second = sorted((_ends(one), _ends(other)))
    return second[0] < first[1] or first == second


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    span = edit.span
    return (span.line, span.column), (span.end_line, span.end_column)


def _errors(findings: Iterable[Finding]) -> int:
    return sum(finding.severity == "error" for finding in findings)
