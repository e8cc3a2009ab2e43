"""The pages of all checks as one Markdown document."""

from collections.abc import Iterable, Iterator
from typing import Final

from voiceflow_compiler.diagnostics import Severity

_FAMILIES: Final = {
    "2": "The graph",
    "3": "Intents",
    "4": "The disclosure",
    "5": "Fallback",
    "6": "Handoff",
    "7": "Values and actions",
    "8": "Suitability, cost and prompts",
}

_INTRODUCTION: Final = """\
# Checks

What `vfc check` finds, all at once, without a call. Errors keep a flow from being compiled; warnings do not
(`--strict` fails on them too). `vfc explain CODE` prints one of these pages, `vfc explain us-ut` what is
noted about the law of a place. `vfc check --fix` writes what is safe to write (a name that was nearly right,
a bound that is missing) and keeps every other byte; `--diff` shows it and writes nothing.

The examples change entries of one small flow, `tests/cases/checks/base.yaml`; `null` takes an entry away. A
line marked `# flagged` is where the finding points. `make corpus` puts known defects into clean flows and
prints how many of them are found in their place.

Lists of words are in English; a flow in another `locale` is checked for all the rest. What a disclosure says
(VF404) and the checks of law (VF45) know seven languages; they are no legal advice.
"""

Page = tuple[str, str, Severity, str]


def document(pages: Iterable[Page], reading: Iterable[tuple[str, str, str]] = ()) -> str:
    """Markdown for pages given as (code, name, severity, text), in the order of their codes.

    `reading` holds code, name and text of what is found before any check: one line each.
    """
    return "\n".join(_parts(sorted(pages), sorted(reading)))


def _parts(pages: list[Page], reading: list[tuple[str, str, str]]) -> Iterator[str]:
    yield _INTRODUCTION
    yield "| code | name | severity | finds |\n|---|---|---|---|"
    for code, name, severity, text in pages:
        yield f"| [{code}](#{code.lower()}-{name}) | {name} | {severity} | {_first(text)} |"
    if reading:
        yield "\n## Reading and language\n\n| code | name | why |\n|---|---|---|"
        for code, name, text in reading:
            yield f"| {code} | {name} | {' '.join(text.split())} |"
    family = ""
    for code, name, severity, text in pages:
        if code[2] != family:
            family = code[2]
            yield f"\n## {_FAMILIES[family]}"
        yield f"\n### {code} {name}\n\n({severity}) {text.strip()}"
    yield ""


def _first(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
