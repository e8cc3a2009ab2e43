"""The server: what an editor sends, what it is told, and in which thread.

Requests are answered in the thread that reads them, from the text as it stands then. Checks run in a thread
of their own (see `watch`), so that a large flow does not delay an answer.
"""

import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from threading import Lock
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.lsp import answers, shapes, told
from voiceflow_compiler.lsp.answers import locate, path_of, uri_of
from voiceflow_compiler.lsp.documents import Document, Documents, View
from voiceflow_compiler.lsp.picture import Pictures
from voiceflow_compiler.lsp.text import Text
from voiceflow_compiler.lsp.watch import Watch

GRAPH: Final = "vfc/graph"

Answer = Callable[[Documents, Any], Any]

# What is answered from the documents alone -> (how, options)
_ANSWERS: Final[Mapping[str, tuple[Answer, Any]]] = {
    types.TEXT_DOCUMENT_HOVER: (answers.hover, None),
    types.TEXT_DOCUMENT_COMPLETION: (
        answers.completion,
        types.CompletionOptions(trigger_characters=["{", ".", "'", '"', " "]),
    ),
    types.TEXT_DOCUMENT_DEFINITION: (answers.definition, None),
    types.TEXT_DOCUMENT_REFERENCES: (answers.references, None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (answers.highlight, None),
    types.TEXT_DOCUMENT_PREPARE_RENAME: (answers.prepare_rename, None),
    types.TEXT_DOCUMENT_RENAME: (answers.rename, types.RenameOptions(prepare_provider=True)),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (shapes.symbols, None),
    types.TEXT_DOCUMENT_FOLDING_RANGE: (shapes.folding, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        shapes.actions,
        types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]
        ),
    ),
}


class Server(LanguageServer):
    """One editor's server."""

    def __init__(self) -> None:
        super().__init__("vfc", version("voiceflow-compiler"))
        self.documents = Documents()
        self.pictures = Pictures(self.documents)
        self.docs = told.pages()
        self.watch = Watch(self.tell, _warm, gc.collect)
        self.dismissed = False  # the editor has said shutdown
        self._telling = Lock()
        self._told: dict[str, set[str]] = {}  # flow -> the files that findings were told of

    def tell(self, flow: str, is_old: Callable[[], bool]) -> None:
        """Check a flow and tell what was found, unless newer text waits meanwhile."""
        try:
            view = self.documents.fresh(flow)
            if is_old():
                return
            self.documents.checked(flow)
            if not is_old():
                self.publish(view)
        except Exception as error:  # noqa: BLE001 - the outermost loop of this thread: a bug must not end it
            message = f"vfc could not check this flow: {type(error).__name__}. This is a bug of vfc."
            show = types.ShowMessageParams(types.MessageType.Error, message)
            self.window_show_message(show)

    def publish(self, view: View) -> None:
        """Tell the findings of every file of a flow, and that a file which left it has none."""
        found = told.files_of(view.findings)
        with self._telling:
            if not self.documents.is_open(view.file):
                return  # closed meanwhile
            now = {file for file in view.files if file in found or file in self.documents.open}
            for file in now | self._told.get(view.file, set()):
                self._publish(view, file, list(found.get(file, ())))
            self._told[view.file] = now

    def _publish(self, view: View, file: str, here: list[Finding]) -> None:
        text = view.text(file, self.documents.encoding)
        for other in list(self.documents.views.values()):  # a file may be part of several flows
            if other.file != view.file and file in other.files and self.documents.is_open(other.file):
                here += [each for each in other.findings if each.span.file == file and each not in here]
        document = self.documents.open.get(file)
        shown = [
            told.diagnostic(each, text, lambda span: locate(self.documents, span), self.docs) for each in here
        ]
        number = document.version if document is not None and document.text is text else None
        uri = uri_of(self.documents, file)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, number))

    def leave(self, flow: str) -> None:
        """Take away what was told of a flow of which nothing is open any more."""
        with self._telling:
            for file in self._told.pop(flow, set()):
                empty = types.PublishDiagnosticsParams(uri_of(self.documents, file), [])
                self.text_document_publish_diagnostics(empty)
            self.documents.leave(flow)

    def want(self, path: str) -> None:
        """Check the flows of a file soon."""
        for flow in self.documents.flows(path):
            self.watch.want(flow)

    def shutdown(self) -> None:
        """End the thread that checks, then the server."""
        self.watch.close()
        super().shutdown()  # type: ignore[no-untyped-call]  # pygls leaves it so


def build() -> Server:
    """A server that waits for an editor."""
    server = Server()
    for name, (answer, options) in _ANSWERS.items():
        server.feature(name, options)(_bound(answer, server))
    for name, take in _TAKEN.items():
        server.feature(name)(_taken(take, server))
    server.feature(GRAPH)(_graph(server))
    return server


def _bound(answer: Answer, server: Server) -> Callable[[Any], Any]:
    return lambda params: answer(server.documents, params)


def _taken(take: Callable[[Server, Any], None], server: Server) -> Callable[[Any], None]:
    def taken(params: Any) -> None:
        with suppress(
            JsonRpcInvalidParams
        ):  # a text that is in no file, such as `untitled:`: nothing of ours
            take(server, params)

    return taken


def _graph(server: Server) -> Callable[[Any], Any]:
    @server.thread()  # laying out a large flow takes seconds
    def graph(params: Any) -> Any:
        return server.pictures.of(path_of(_uri(params))).plain()

    return graph


def _uri(params: Any) -> str:
    """The document of a request of our own: `{uri}` or `{textDocument: {uri}}`."""
    document = getattr(params, "textDocument", params)
    return str(getattr(document, "uri", ""))


def _initialized(server: Server, params: types.InitializeParams) -> None:
    encoding = server.workspace.position_encoding or "utf-16"
    server.documents.encoding = str(getattr(encoding, "value", encoding))
    folders = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
    server.documents.folders = [path for path in map(to_fs_path, filter(None, folders)) if path]
    options = params.initialization_options
    docs = options.get("docs") if isinstance(options, dict) else getattr(options, "docs", None)
    server.docs = docs if isinstance(docs, str) and docs else server.docs


def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    opened = params.text_document
    path = path_of(opened.uri)
    text = Text(opened.text, server.documents.encoding)
    server.documents.put(Document(opened.uri, path, opened.version, text))
    server.want(path)


def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    document = server.documents.open.get(path)
    if document is None:
        return
    text = document.text
    for change in params.content_changes:
        text = text.changed(change)
    server.documents.put(Document(document.uri, path, params.text_document.version, text))
    server.want(path)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    path = path_of(params.text_document.uri)
    flows = server.documents.flows(path)
    server.documents.drop(path)
    empty = types.PublishDiagnosticsParams(uri=params.text_document.uri, diagnostics=[])
    server.text_document_publish_diagnostics(empty)
    for flow in flows:
        if server.documents.is_open(flow):
            server.watch.want(flow)
        else:
            server.leave(flow)


def _on_disk(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
    for change in params.changes:
        path = path_of(change.uri)
        flows = server.documents.flows(path)
        server.documents.forget(path)
        for flow in flows:
            if flow in server.documents.open or path in server.documents.open:
                server.watch.want(flow)


def _dismissed(server: Server, _: object) -> None:
    server.dismissed = True


_TAKEN: Final[Mapping[str, Callable[[Server, Any], None]]] = {
    types.INITIALIZE: _initialized,
    types.SHUTDOWN: _dismissed,
    types.TEXT_DOCUMENT_DID_OPEN: _opened,
    types.TEXT_DOCUMENT_DID_CHANGE: _changed,
    types.TEXT_DOCUMENT_DID_CLOSE: _closed,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: _on_disk,
}


def _warm() -> None:
    """Load what the first check needs before there is one."""
    gc.disable()  # the watch does it while nobody types: it takes longer than a check
    import voiceflow_compiler.checks
    import voiceflow_compiler.graph  # noqa: F401 - networkx is behind it

    gc.freeze()  # what was loaded stays for good, and need not be looked at
