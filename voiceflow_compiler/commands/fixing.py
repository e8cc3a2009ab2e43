"""`vfc check --fix` and `--diff`: what is safe to write is written, or shown."""

import codecs
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow_compiler.commands.base import put, stop, write

if TYPE_CHECKING:
    from voiceflow_compiler.diagnostics import Finding
    from voiceflow_compiler.fixes import Texts
    from voiceflow_compiler.source import Budget, Read


def fix_flow(path: Path, *, write_them: bool) -> bool:
    """Fix a flow and the files it includes, or print the difference; whether anything is there to fix."""
    from voiceflow_compiler import fixes

    before: dict[str, str] = {}

    def judge(held: "Texts") -> "tuple[Sequence[Finding], Texts]":
        findings, texts = _judged(path, held)
        before.update({file: text for file, text in texts.items() if file not in before})
        return findings, texts

    fixed = fixes.fix_all(judge)
    changed = {file: text for file, text in fixed.texts.items() if text != before[file]}
    if not write_them:
        put(fixes.difference(before, changed), sys.stdout)
        return bool(changed)
    for file, text in changed.items():
        try:
            mark = codecs.BOM_UTF8 if Path(file).read_bytes().startswith(codecs.BOM_UTF8) else b""
            write(Path(file), mark + text.encode())
        except OSError as error:
            stop(f"{file}: {(error.strerror or 'cannot be written').lower()}")
    for finding in fixed.done:
        span = finding.span
        put(f"{span.file}:{span.line}: fixed {finding.code} {finding.name}\n", sys.stderr)
    return bool(changed)


def _judged(path: Path, held: "Texts") -> "tuple[Sequence[Finding], Texts]":
    """What is found in a flow with these texts in place of its files."""
    from voiceflow_compiler.include import read
    from voiceflow_compiler.pipeline import Again, judge, load
    from voiceflow_compiler.source import Read, nowhere, parse

    def reading(file: Path, shown: str, budget: "Budget") -> "Read":
        if shown not in held:
            return read(file, shown, budget)
        result = Read(shown, root=nowhere(shown))
        parse(held[shown], result, budget)
        return result

    loaded = load(str(path), again=Again(reading=reading))
    checked = judge(loaded)
    return checked.findings, checked.source.places.texts
