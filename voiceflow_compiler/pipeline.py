"""The passes in order: read, judge, resolve, check, lower."""

from dataclasses import dataclass

from voiceflow_compiler.diagnostics import Finding, in_order
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.include import Source, open_flow
from voiceflow_compiler.resolve import resolve
from voiceflow_compiler.schema import violations


@dataclass(frozen=True, slots=True)
class Loaded:
    """A flow as resolved, before any check of its graph. `flow` is None when too little could be read."""

    flow: Flow | None
    source: Source
    findings: tuple[Finding, ...]


def load(path: str, root: str | None = None) -> Loaded:
    """Read, judge by the schema, and resolve. `root` is the project folder (see `include.open_flow`)."""
    source = open_flow(path, root)
    findings = list(source.findings)
    flow = None
    if source.data is not None:
        findings += violations(source)
        flow, more = resolve(source.data, source.places, whole_source=not findings)
        findings += more
    return Loaded(flow, source, tuple(in_order(findings)))
