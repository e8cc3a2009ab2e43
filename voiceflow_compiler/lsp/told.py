"""Findings as an editor shows them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from lsprotocol import types

from voiceflow_compiler.diagnostics import Finding, Span
from voiceflow_compiler.lsp.text import Text

SOURCE: Final = "vfc"
_SEVERITIES: Final = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
# Findings about what nobody can reach or use are shown faded.
_FADED: Final = frozenset({"unreachable-node", "unused-intent"})
_PAGES: Final = Path(__file__).parents[2] / "docs" / "checks"

Locate = Callable[[Span], types.Location]


def diagnostic(finding: Finding, text: Text, locate: Locate, docs: str | None) -> types.Diagnostic:
    """A finding in one file. `docs` is the address of the rules' pages (see `page_of`)."""
    related = [
        types.DiagnosticRelatedInformation(locate(each.span), each.text or "see here")
        for each in finding.related
    ]
    link = page_of(finding.code, docs) if docs else None
    return types.Diagnostic(
        range=text.range(finding.span),
        message="\n".join(filter(None, (finding.message, _way(finding.route), finding.tip))),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(link) if link else None,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if finding.name in _FADED else None,
        related_information=related or None,
    )


def page_of(code: str, docs: str) -> str:
    """Where a code's page is: `{code}` in the address is the code; without it, CODE.md in that folder."""
    return docs.replace("{code}", code) if "{code}" in docs else f"{docs.rstrip('/')}/{code}.md"


def pages() -> str | None:
    """Where the rules' pages lie beside this code; None in an installed package, which has none."""
    return _PAGES.as_uri() if _PAGES.exists() else None


def files_of(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by the file they stand in."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.span.file, []).append(finding)
    return found


def _way(route: tuple[str, ...]) -> str:
    return f"The way there: {' -> '.join(route)}" if route else ""
