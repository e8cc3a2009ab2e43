"""The open texts, the flows they belong to, and what was last read of each flow.

A file is a flow's own when it says `flow:` or is called flow.yaml; any other belongs to the flows that
include it. A file of which neither is true is none of our business.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Final

from voiceflow_compiler import pipeline
from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.include import read
from voiceflow_compiler.locales.reading import FOLDER as LOCALES
from voiceflow_compiler.lsp.names import Mention, mentions
from voiceflow_compiler.lsp.reading import Patch, Rereader
from voiceflow_compiler.lsp.text import Text
from voiceflow_compiler.pipeline import Again, Checked, Loaded
from voiceflow_compiler.project import FILE_NAME
from voiceflow_compiler.source import MAX_FILE_BYTES, Budget, Read

FLOW_FILE: Final = "flow.yaml"
MAX_FOLDERS: Final = 2_000
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "venv", "dist", "build", "out"})
_IS_FLOW = re.compile(r"^flow[ ]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """An open text in one version."""

    uri: str
    path: str
    version: int
    text: Text


@dataclass(slots=True)
class View:
    """A flow as read from the texts as they were. `seen` holds the text of an open file, and when any other
    was last written; `patches` and `broken`: see `reading`.
    """

    file: str
    seen: Mapping[str, Text | int]
    loaded: Loaded
    patches: Mapping[str, tuple[Patch, ...]]
    broken: tuple[Finding, ...]
    reads: Mapping[str, Read]
    checked: Checked | None = None
    _mentions: tuple[Mention, ...] | None = field(default=None)

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Every name in the flow, where its text could be read."""
        if self._mentions is None:
            found = mentions(self.loaded.source, self.loaded.whole)
            self._mentions = tuple(
                each for each in found if not self.is_patched(each.span.file, each.span.line)
            )
        return self._mentions

    def text(self, file: str, encoding: str) -> Text:
        """The text of one of its files, as it was read."""
        seen = self.seen.get(file)
        return seen if isinstance(seen, Text) else Text(self.files.get(file, ""), encoding)

    @property
    def files(self) -> Mapping[str, str]:
        """The flow's files with their texts."""
        return self.loaded.source.places.texts

    @property
    def findings(self) -> Iterator[Finding]:
        """What is to be told of this flow: nothing of text that stands no more."""
        yield from self.broken
        for finding in self.checked.findings if self.checked else self.loaded.findings:
            if (
                not self.is_patched(finding.span.file, finding.span.line) or finding.code < "VF1"
            ):  # of reading
                yield finding

    def is_patched(self, file: str, line: int) -> bool:
        """Whether what was read at a line is what stood there before."""
        return any(patch.first <= line < patch.last for patch in self.patches.get(file, ()))


class Documents:
    """What is open, by path. Safe to use from the thread that checks and the one that answers."""

    def __init__(self) -> None:
        self.encoding = "utf-16"
        self.folders: list[str] = []
        self.open: dict[str, Document] = {}
        self.views: dict[str, View] = {}
        self._rereader = Rereader()
        self._lock = RLock()
        self._again: dict[str, Again] = {}
        self._searched: set[str] = set()

    def put(self, document: Document) -> None:
        """Open a document, or a newer version of it."""
        self.open[document.path] = document

    def drop(self, path: str) -> None:
        """Close a document: from now on its file counts."""
        self.open.pop(path, None)

    def text(self, path: str) -> Text:
        """The text of a file as it stands now."""
        document = self.open.get(path)
        if document is not None:
            return document.text
        for view in list(self.views.values()):
            if path in view.files:
                return view.text(path, self.encoding)
        return Text("", self.encoding)

    def flows(self, path: str) -> list[str]:
        """The files of the flows that a file belongs to."""
        document = self.open.get(path)
        own = Path(path).name == FLOW_FILE or (document is not None and _IS_FLOW.search(document.text.text))
        if own:
            return [path]
        including = [flow for flow, view in list(self.views.items()) if path in view.files and flow != path]
        if not including:
            self.search(path)
            including = [
                flow for flow, view in list(self.views.items()) if path in view.files and flow != path
            ]
        return including

    def view(self, path: str) -> View | None:
        """The first flow of a file, read from the texts as they stand now."""
        return next((self.fresh(flow) for flow in self.flows(path)), None)

    def fresh(self, flow: str) -> View:
        """A flow read from the texts as they stand now."""
        with self._lock:
            view = self.views.get(flow)
            if view is None or any(self._now(file) != seen for file, seen in view.seen.items()):
                view = self._load(flow)
            return view

    def checked(self, flow: str) -> View:
        """A flow with what the checks find in it."""
        view = self.fresh(flow)
        if view.checked is None:
            view.checked = pipeline.judge(view.loaded)
        return view

    def leave(self, flow: str) -> None:
        """Forget a flow of which nothing is open any more."""
        with self._lock:
            self.views.pop(flow, None)
            self._again.pop(flow, None)

    def is_open(self, flow: str) -> bool:
        """Whether any file of a flow is open."""
        view = self.views.get(flow)
        return flow in self.open or (view is not None and any(file in self.open for file in view.files))

    def forget(self, path: str) -> None:
        """Read a file again: it was changed by another program."""
        with self._lock:
            self._searched.clear()
            for flow in [flow for flow, view in self.views.items() if path in view.files or flow == path]:
                del self.views[flow]

    def _now(self, path: str) -> Text | int:
        """The text of an open file; of any other when it was written, 0 when there is none."""
        document = self.open.get(path)
        if document is not None:
            return document.text
        try:
            return Path(path).stat().st_mtime_ns
        except (OSError, ValueError):
            return 0

    def _load(self, flow: str) -> View:
        seen: dict[str, Text | int] = {}
        reads: dict[str, Read] = {}

        def reading(path: Path, shown: str, budget: Budget) -> Read:
            document = self.open.get(shown)
            if document is None or len(document.text.text) > MAX_FILE_BYTES:
                seen[shown] = self._now(shown)
                reads[shown] = read(path, shown, budget, self._rereader.parse)
                return reads[shown]
            seen[shown] = document.text
            result = reads[shown] = Read(shown)
            self._rereader.parse(document.text.text, result, budget)
            return result

        again = self._again.setdefault(flow, Again())
        again.reading = reading
        loaded = pipeline.load(flow, None, again)
        project = loaded.project.folder / FILE_NAME if loaded.project is not None else None
        for beside in filter(None, (Path(flow).parent / LOCALES, project)):
            seen[str(beside)] = self._now(str(beside))
        files = loaded.source.places.texts
        memories = {file: self._rereader.memory[file] for file in files if file in self._rereader.memory}
        view = View(
            flow,
            seen,
            loaded,
            {file: memory.patches for file, memory in memories.items() if memory.patches},
            tuple(finding for memory in memories.values() for finding in memory.broken),
            reads,
        )
        self.views[flow] = view
        return view

    def search(self, path: str) -> None:
        """Read the flows of the project a file lies in, once, to learn what they include."""
        folder = next(
            (each for each in self.folders if path.startswith(each + os.sep)), str(Path(path).parent.parent)
        )
        if folder in self._searched:
            return
        self._searched.add(folder)
        for flow in _flows_below(folder):
            if flow not in self.views:
                self.fresh(flow)


def _flows_below(folder: str) -> Iterator[str]:
    """The flow files below a folder; bounded, for a folder may be a home."""
    for count, (here, inner, files) in enumerate(os.walk(folder)):
        if count >= MAX_FOLDERS:
            return
        inner[:] = sorted(name for name in inner if name not in _SKIPPED and not name.startswith("."))
        if FLOW_FILE in files:
            yield str(Path(here) / FLOW_FILE)
