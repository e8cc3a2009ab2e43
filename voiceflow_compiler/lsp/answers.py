"""What is answered about a position: hover, completion, where a name is defined and used, and renaming it."""

from collections.abc import Iterator
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.uris import from_fs_path, to_fs_path

from voiceflow_compiler.conditions import FAMILIES
from voiceflow_compiler.diagnostics import Span
from voiceflow_compiler.lsp import vocabulary
from voiceflow_compiler.lsp.about import about, page
from voiceflow_compiler.lsp.completion import Offer, kind_of, offers
from voiceflow_compiler.lsp.cursor import cursor
from voiceflow_compiler.lsp.documents import Documents, View
from voiceflow_compiler.lsp.names import NAME, Mention, is_fixed
from voiceflow_compiler.lsp.seen import seen_from
from voiceflow_compiler.lsp.text import Text

_KINDS: Final = {
    "key": types.CompletionItemKind.Property,
    "word": types.CompletionItemKind.EnumMember,
    "snippet": types.CompletionItemKind.Snippet,
    "space": types.CompletionItemKind.Module,
    "node": types.CompletionItemKind.Class,
    "slot": types.CompletionItemKind.Variable,
    "fact": types.CompletionItemKind.Constant,
    "intent": types.CompletionItemKind.Event,
    "action": types.CompletionItemKind.Function,
    "handoff": types.CompletionItemKind.Interface,
    "result": types.CompletionItemKind.Field,
}


class Refused(JsonRpcException):
    """A request that is understood and cannot be done."""

    CODE = types.LSPErrorCodes.RequestFailed.value


def path_of(uri: str) -> str:
    """The file a URI names. Raises JsonRpcInvalidParams for what is no file."""
    path = to_fs_path(uri)
    if not path:
        raise JsonRpcInvalidParams(message=f"not a file: {uri[:200]}")
    return path


def uri_of(documents: Documents, path: str) -> str:
    """The URI of a file, as the editor wrote it when it is open."""
    document = documents.open.get(path)
    return document.uri if document is not None else from_fs_path(path) or ""


def locate(documents: Documents, span: Span) -> types.Location:
    """Where a span stands, in the editor's terms."""
    return types.Location(uri_of(documents, span.file), documents.text(span.file).range(span))


def hover(documents: Documents, params: types.HoverParams) -> types.Hover | None:
    """What is named here, what the schema says of this key, and the pages of what is wrong here."""
    path = path_of(params.text_document.uri)
    view = documents.view(path)
    if view is None:
        return None
    text = documents.text(path)
    said, span = _said(view, path, text, params.position)
    for finding in (view if view.checked else documents.checked(view.file)).findings:
        if finding.span.file == path and text.holds(finding.span, params.position):
            said.append(f"**{finding.message}**\n\n{page(finding.code)}")
            span = span or finding.span
    said = list(dict.fromkeys(filter(None, said)))
    if not said:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(said))
    return types.Hover(content, text.range(span) if span else None)


def _said(view: View, path: str, text: Text, position: types.Position) -> tuple[list[str], Span | None]:
    mention = mentioned(view, path, text, position)
    if mention is not None and view.loaded.flow is not None:
        return [_about(view, mention)], mention.span
    column = text.index(position) - text.starts[min(position.line, len(text.starts) - 1)]
    line = text.line(position.line)
    while column < len(line) and (line[column].isalnum() or line[column] == "_"):
        column += 1
    here = cursor(text, position.line, column)
    if here is None or (not here.path and not here.typed):
        return [], None
    kind = kind_of(text, position.line, column, here.path, view.loaded.source.data)
    above, key = (here.path, here.typed.strip()) if here.at == "key" else (here.path[:-1], here.path[-1])
    schema = vocabulary.keys(above, kind).get(str(key))
    return [vocabulary.documentation(schema)] if schema else [], None


def _about(view: View, mention: Mention) -> str:
    """What is known of a name; of a subflow's as it is where it is used first."""
    flow, whole = view.loaded.flow, view.loaded.whole
    assert flow is not None  # whoever asks has looked
    if not mention.scope or whole is None:
        return about(flow, mention.kind, mention.name)
    use = next((each for each in whole.uses.values() if each.source.file == mention.scope), None)
    if use is None:
        return ""
    if mention.kind in ("exit", "input"):
        data = use.source.data.get("exits" if mention.kind == "exit" else "takes")
        said = data.get(mention.name) if isinstance(data, dict) else None
        told = said if isinstance(said, str) else said.get("meaning", "") if isinstance(said, dict) else ""
        return f"**{mention.name}** ({mention.kind} of `{use.source.data.get('subflow')}`)\n\n{told}".strip()
    given = use.written.get("slots")
    mapped = given.get(mention.name) if isinstance(given, dict) and mention.kind == "slot" else None
    own = use.node_named(mention.name) if mention.kind == "node" else use.own(mention.name)
    return about(flow, mention.kind, mapped if isinstance(mapped, str) else own)


def completion(documents: Documents, params: types.CompletionParams) -> types.CompletionList:
    """What may be written here."""
    path = path_of(params.text_document.uri)
    view, text = documents.view(path), documents.text(path)
    items: list[types.CompletionItem] = []
    if view is not None:
        number = min(params.position.line, len(text.starts) - 1)
        index = text.index(params.position)
        column = index - text.starts[number]
        here = cursor(text, number, column)
        if here is not None:
            flow, data = seen_from(view.loaded, path)
            kind = kind_of(text, number, column, here.path, data)
            for offer in offers(here, flow, data, kind):
                items.append(_item(offer, text, index, params.position))
    return types.CompletionList(is_incomplete=False, items=items)


def _item(offer: Offer, text: Text, index: int, end: types.Position) -> types.CompletionItem:
    start = text.position(index - offer.replaces)
    said = (
        types.MarkupContent(types.MarkupKind.Markdown, offer.documentation) if offer.documentation else None
    )
    return types.CompletionItem(
        label=offer.label,
        kind=_KINDS[offer.kind],
        detail=None if offer.kind in ("word", "key", "snippet") else offer.kind,
        documentation=said,
        sort_text=f"{offer.sort}{offer.label}",
        text_edit=types.TextEdit(types.Range(start, end), offer.insert or offer.label),
        insert_text_format=types.InsertTextFormat.Snippet
        if offer.snippet
        else types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AdjustIndentation if offer.snippet else None,
    )


def mentioned(view: View, path: str, text: Text, position: types.Position) -> Mention | None:
    """The name that stands at a position; the shortest of several."""
    line = position.line + 1
    found = [
        each
        for each in view.mentions
        if each.span.file == path
        and each.span.line <= line <= each.span.end_line
        and text.holds(each.span, position)
    ]
    return min(found, key=lambda each: each.span.end_column - each.span.column, default=None)


def named_at(documents: Documents, uri: str, position: types.Position) -> tuple[Mention | None, list[View]]:
    """The name at a position, and every flow of the file: an included file is part of several."""
    path = path_of(uri)
    views = [documents.fresh(flow) for flow in documents.flows(path)]
    text = documents.text(path)
    for view in views:
        mention = mentioned(view, path, text, position)
        if mention is not None:
            return mention, views
    return None, views


def all_mentions(mention: Mention, views: list[View]) -> Iterator[Mention]:
    """Every place where what is mentioned is mentioned, each once."""
    yield from dict.fromkeys(each for view in views for each in view.mentions if each.key == mention.key)


def definition(documents: Documents, params: types.DefinitionParams) -> list[types.Location]:
    """Where the name here is defined; for a file under `include`, that file."""
    mention, views = named_at(documents, params.text_document.uri, params.position)
    if mention is None:
        return list(_included(documents, params, views))
    found = [each for each in all_mentions(mention, views) if each.defines]
    if not found and mention.as_family:  # a family is defined by its members
        found = [
            each
            for view in views
            if view.loaded.flow is not None
            for each in view.mentions
            if each.kind == "intent"
            and each.defines
            and each.name in view.loaded.flow.intents
            and view.loaded.flow.intents[each.name].family == mention.name
        ]
    return [locate(documents, each.span) for each in found]


def _included(
    documents: Documents, params: types.DefinitionParams, views: list[View]
) -> Iterator[types.Location]:
    path = path_of(params.text_document.uri)
    for view in views:
        data, places = view.loaded.source.data, view.loaded.source.places
        names = data.get("include") if isinstance(data, dict) and view.file == path else None
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if documents.text(path).holds(places.value(("include", index)), params.position):
                for file in view.files:
                    if file != path and file.endswith(str(name).lstrip("./")):
                        yield types.Location(uri_of(documents, file), types.Range(_START, _START))
        for use in view.loaded.whole.uses.values() if view.loaded.whole is not None else ():
            if use.span.file == path and documents.text(path).holds(use.span, params.position):
                yield types.Location(uri_of(documents, use.source.file), types.Range(_START, _START))


_START: Final = types.Position(0, 0)


def references(documents: Documents, params: types.ReferenceParams) -> list[types.Location]:
    """Every place that uses the name here."""
    mention, views = named_at(documents, params.text_document.uri, params.position)
    if mention is None:
        return []
    wanted = params.context.include_declaration
    return [
        locate(documents, each.span) for each in all_mentions(mention, views) if wanted or not each.defines
    ]


def highlight(documents: Documents, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
    """Every place in this file that uses the name here."""
    mention, views = named_at(documents, params.text_document.uri, params.position)
    if mention is None:
        return []
    path = path_of(params.text_document.uri)
    text = documents.text(path)
    return [
        types.DocumentHighlight(
            text.range(each.span),
            types.DocumentHighlightKind.Write if each.defines else types.DocumentHighlightKind.Read,
        )
        for each in all_mentions(mention, views)
        if each.span.file == path
    ]


def prepare_rename(documents: Documents, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
    """What would be renamed here."""
    mention, _ = _renamable(documents, params.text_document.uri, params.position)
    text = documents.text(path_of(params.text_document.uri))
    return types.PrepareRenamePlaceholder(text.range(mention.span), mention.name.rpartition(".")[2])


def rename(documents: Documents, params: types.RenameParams) -> types.WorkspaceEdit:
    """The edits that give a name another, wherever it stands."""
    mention, views = _renamable(documents, params.text_document.uri, params.position)
    old, new = mention.name.rpartition(".")[2], params.new_name
    if not NAME.fullmatch(new) or len(new) > 64:
        raise Refused(message="A name has small letters, digits and `_`, and starts with a letter.")
    above = mention.name.rpartition(".")[0]
    named = {(mention.kind, f"{above}.{new}" if above else new, mention.scope)}
    for room in _ROOMS:
        if mention.kind in room:
            named = {(kind, new, mention.scope) for kind in room}
    taken = any(each.defines and each.key in named for view in views for each in view.mentions)
    if new != old and (taken or (mention.kind == "intent" and new in FAMILIES)):
        raise Refused(message=f"There is something called `{new}` already.")
    changes: dict[str, list[types.TextEdit]] = {}
    for each in all_mentions(mention, views):
        text = documents.text(each.span.file)
        if each.as_family:
            continue  # it holds for the whole family, and goes on doing so
        if text.between(each.span) != old:
            raise Refused(message=f"`{old}` is not written plainly in line {each.span.line}.")
        edits = changes.setdefault(uri_of(documents, each.span.file), [])
        edits.append(types.TextEdit(text.range(each.span), new))
    return types.WorkspaceEdit(changes=changes)


# Names that share one room: in braces, and where a way leads.
_ROOMS: Final = (("slot", "fact", "input"), ("node", "exit"))


def _renamable(documents: Documents, uri: str, position: types.Position) -> tuple[Mention, list[View]]:
    mention, views = named_at(documents, uri, position)
    if mention is not None and mention.scope:  # every flow that uses the subflow, open or not
        documents.search(mention.scope)
        views = [documents.fresh(flow) for flow in documents.flows(mention.scope)]
    if mention is None:
        raise Refused(message="There is no name here.")
    defined = any(each.defines for each in all_mentions(mention, views))
    if is_fixed(mention) or not defined:
        raise Refused(message=f"`{mention.name}` is not defined in this flow.")
    broken = next((view for view in views if view.patches or view.loaded.source.data is None), None)
    if broken is not None:
        raise Refused(message="A part of the flow is no YAML just now: mend it first.")
    return mention, views
