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

What `vfc check` finds in a flow that can be read (codes VF0 and VF1 are about reading it). Errors keep a flow
from being compiled; warnings do not. `vfc explain CODE` prints one of these pages.

The examples change entries of one small flow, `tests/cases/checks/base.yaml`; `null` takes an entry away. A
line marked `# flagged` is where the finding points.

Lists of words are in English; a flow in another `locale` is checked for all the rest.
"""

Page = tuple[str, str, Severity, str]


def document(pages: Iterable[Page]) -> str:
    """Markdown for pages given as (code, name, severity, text), in the order of their codes."""
    return "\n".join(_parts(sorted(pages)))


def _parts(pages: list[Page]) -> Iterator[str]:
    yield _INTRODUCTION
    yield "| code | name | severity | finds |\n|---|---|---|---|"
    for code, name, severity, text in pages:
        yield f"| [{code}](#{code.lower()}-{name}) | {name} | {severity} | {_first(text)} |"
    family = ""
    for code, name, severity, text in pages:
        if code[2] != family:
            family = code[2]
            yield f"\n## {_FAMILIES[family]}"
        yield f"\n### {code} {name}\n\n({severity}) {text.strip()}"
    yield ""


def _first(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
