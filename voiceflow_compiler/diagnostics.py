"""What a finding is: a code, a name, one primary place, related places, the caller's path, a tip, perhaps a fix."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]

# Where something stands in the plain data of a flow: ("nodes", "team", "on", "agreement"). List items are ints.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one source file. Lines and columns count from 1, columns in characters; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a designer should know.

    `code` is stable for ever ("VF401"), `name` says the problem ("undisclosed-path"), `message` speaks of callers and nodes,
    `route` is a caller's way that shows it (node names, in order), `tip` says what to write instead.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    tip: str = ""
    related: tuple[Related, ...] = ()
    route: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        return (self.span, self.code, self.message)


def in_order(findings: list[Finding]) -> list[Finding]:
    """Findings by place, then code; exact repeats once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key)
