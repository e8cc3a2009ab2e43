"""What is answered about a whole file: its outline, what folds, and what mends its findings."""

from collections.abc import Iterator
from typing import Final

from lsprotocol import types

from voiceflow_compiler.diagnostics import Edit, Finding
from voiceflow_compiler.fixes import fitting
from voiceflow_compiler.lsp import outline
from voiceflow_compiler.lsp.answers import locate, path_of, uri_of
from voiceflow_compiler.lsp.documents import Documents, View
from voiceflow_compiler.lsp.fixes import fixes
from voiceflow_compiler.lsp.text import Text
from voiceflow_compiler.lsp.told import diagnostic

_KINDS: Final = {
    "": types.SymbolKind.Property,
    "node": types.SymbolKind.Class,
    "slot": types.SymbolKind.Variable,
    "fact": types.SymbolKind.Constant,
    "intent": types.SymbolKind.Event,
    "answer": types.SymbolKind.Event,
    "action": types.SymbolKind.Function,
    "handoff": types.SymbolKind.Interface,
}


def symbols(documents: Documents, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """The outline of a file."""
    path = path_of(params.text_document.uri)
    view = documents.view(path)
    if view is None or path not in view.reads:
        return []
    text = documents.text(path)
    return [_symbol(part, text) for part in outline.parts(view.reads[path], text)]


def _symbol(part: outline.Part, text: Text) -> types.DocumentSymbol:
    start, end = text.position(part.index), text.position(part.end)
    last = text.position(max(part.last, part.end))
    return types.DocumentSymbol(
        name=part.name or "?",
        kind=_KINDS.get(part.kind, types.SymbolKind.Namespace),
        range=types.Range(start, last),
        selection_range=types.Range(start, end),
        detail=part.detail or None,
        children=[_symbol(each, text) for each in part.below],
    )


def folding(documents: Documents, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """What of a file can be folded."""
    text = documents.text(path_of(params.text_document.uri))
    return [types.FoldingRange(start_line=start, end_line=end) for start, end in outline.folds(text)]


def actions(documents: Documents, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What mends the findings in a stretch of a file."""
    wanted = [str(getattr(kind, "value", kind)) for kind in params.context.only or ("",)]

    def is_wanted(kind: types.CodeActionKind) -> bool:
        return any(kind.value == each or kind.value.startswith(f"{each}.") or not each for each in wanted)

    path = path_of(params.text_document.uri)
    found: list[types.CodeAction] = []
    for flow in documents.flows(path):
        view = documents.checked(flow)
        if is_wanted(types.CodeActionKind.QuickFix):
            for finding in view.findings:
                where = documents.text(path).range(finding.span)
                if finding.span.file == path and _overlap(where, params.range):
                    found += _actions(documents, view, finding)
        if is_wanted(types.CodeActionKind.SourceFixAll):
            found += _all(documents, view)
    return found


def _all(documents: Documents, view: View) -> Iterator[types.CodeAction]:
    """Every fix of a flow at once, of those that fit together."""
    edits = tuple(edit for finding in fitting(view.findings) for edit in finding.fix)
    if edits and not view.patches:
        yield types.CodeAction(
            title="Write everything that is safe to write",
            kind=types.CodeActionKind.SourceFixAll,
            edit=types.WorkspaceEdit(changes=_changes(documents, edits)),
        )


def _actions(documents: Documents, view: View, finding: Finding) -> Iterator[types.CodeAction]:
    text = documents.text(finding.span.file)
    told = diagnostic(finding, text, lambda span: locate(documents, span), None)
    for count, (title, edits) in enumerate(fixes(finding, text, _ways_out(view))):
        if any(view.is_patched(edit.span.file, edit.span.line) for edit in edits):
            continue  # what would be changed does not stand there just now
        yield types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[told],
            is_preferred=count == 0,
            edit=types.WorkspaceEdit(changes=_changes(documents, edits)),
        )


def _changes(documents: Documents, edits: tuple[Edit, ...]) -> dict[str, list[types.TextEdit]]:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        where = documents.text(edit.span.file).range(edit.span)
        changes.setdefault(uri_of(documents, edit.span.file), []).append(types.TextEdit(where, edit.text))
    return changes


def _ways_out(view: View) -> tuple[str, ...]:
    """The nodes that bring in a person, then those that end the call."""
    flow = view.loaded.flow
    if flow is None:
        return ()
    kinds = ("handoff", "end")
    return tuple(node.name for kind in kinds for node in flow.nodes.values() if node.kind == kind)


def _overlap(one: types.Range, other: types.Range) -> bool:
    def at(position: types.Position) -> tuple[int, int]:
        return (position.line, position.character)

    return at(one.start) <= at(other.end) and at(other.start) <= at(one.end)
