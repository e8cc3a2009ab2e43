"""YAML events to plain data and places, without recursion; the only importer of yaml."""

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from voiceflow_compiler.diagnostics import Finding, Path, Place, Related, Span
from voiceflow_compiler.source.characters import INVISIBLE, MAX_DIGITS, MAX_FINDINGS, scalar
from voiceflow_compiler.source.syntax import NEVER_CLOSED, RUNS_ON, SYNTAX, opened_above, slip

# Budgets. A flow of 2,000 nodes has 1.7 MB and about 150,000 events; past these a file is not written by
# hand.
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 4 * 1024 * 1024
MAX_EVENTS: Final = 250_000
MAX_DEPTH: Final = 40
MAX_TEXT: Final = 20_000

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Budget:
    """What is left to read for one flow, all its files together."""

    bytes_left: int = MAX_TOTAL_BYTES
    events_left: int = MAX_EVENTS


@dataclass(slots=True)
class Read:
    """One file as read: `data` is None when nothing could be taken from it."""

    file: str
    text: str = ""
    data: Any = None
    root: Place | None = None
    findings: list[Finding] = field(default_factory=list)
    lost: set[Path] = field(default_factory=set)


class _Nowhere:
    """The first position of a file, for findings about the whole of it."""

    line = column = index = 0


class _Start:
    start_mark = _Nowhere()
    end_mark = _Nowhere()


def nowhere(file: str) -> Place:
    """The place of a file of which nothing could be read: its first position."""
    return Place(file, None, _Start())


_TRASH: Final = object()  # the key of a value that is read on but not kept


class _Frame:
    """A map or list being read. `keep` is False below something that was refused."""

    __slots__ = ("as_key", "container", "is_map", "keep", "key", "key_event", "place", "step")

    def __init__(
        self, container: Any, place: Place, step: Any, *, is_map: bool, keep: bool, as_key: bool
    ) -> None:
        self.step = step  # its key or number in what holds it
        self.container = container
        self.place = place
        self.is_map = is_map
        self.keep = keep
        self.as_key = as_key
        self.key: Any = None
        self.key_event: Any = None


class Reader:
    """Builds data and places from the parser's events, without recursion."""

    def __init__(self, result: Read, budget: Budget, *, quiet: bool, above: int = 0) -> None:
        self.result = result
        self.budget = budget
        self.quiet = quiet  # about syntax: tabs were found already and explain it
        self.above = above  # how many levels the text stands below what is not read here
        self.stack: list[_Frame] = []
        self.counts: dict[str, int] = {}
        self.documents = 0
        self.text = ""

    def run(self, text: str) -> None:
        self.text = text
        try:
            loader = _LOADER(text)
            try:
                whole = self._events(loader)
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            whole = False
            self._syntax(error)
        if not whole:
            self.result.data = None
            self.result.root = nowhere(self.result.file)

    def _events(self, loader: Any) -> bool:
        get = loader.get_event
        left = self.budget.events_left
        while True:
            event = get()
            kind = type(event)
            left -= 1
            if left < 0:
                return self._stop(
                    event,
                    "VF011",
                    "too-many-parts",
                    "this flow has too many parts",
                    "Split it into several flows.",
                )
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(self.stack) + self.above >= MAX_DEPTH:
                    return self._stop(
                        event,
                        "VF010",
                        "too-deep",
                        f"this stands more than {MAX_DEPTH} levels deep",
                        "A flow needs about six levels.",
                    )
                self._open(event, is_map=kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.documents += 1
                if self.documents > 1:
                    self._find(
                        "VF015",
                        "several-documents",
                        "a second document starts here",
                        event,
                        "Keep one flow per file; delete the `---`.",
                    )
                    break
            elif kind is yaml.StreamEndEvent:
                break
        self.budget.events_left = left
        return self._whole()

    def _whole(self) -> bool:
        if self.result.data is None and not self.result.findings:
            span = Span(self.result.file, 1, 1, 1, 1)
            tip = "Start with `language: 1`, `flow: NAME`, `version` and `nodes`."
            self.result.findings.append(
                Finding("VF016", "not-a-flow", "error", "nothing is written here", span, tip)
            )
        return True

    def _scalar(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        if event.tag is not None or event.anchor is not None:
            self._decoration(event)
        if frame is not None and frame.is_map and frame.key is None:
            self._key(frame, event)
            return
        value = event.value
        if not event.style:
            try:
                value = scalar(value)
            except ValueError:
                self._find(
                    "VF014",
                    "number-too-long",
                    f"a number of more than {MAX_DIGITS} characters",
                    event,
                    'Put digits that are not a quantity in quotes: "0123".',
                )
                self._lose()
                return
        elif event.style == '"':
            self._escaped(event)
        if type(value) is str and len(value) > MAX_TEXT:
            self._find(
                "VF012",
                "text-too-long",
                f"a text of more than {MAX_TEXT:,} characters",
                event,
                "Nobody listens that long: shorten it.",
            )
            self._lose()
            return
        self._put(value, event, None)

    def _key(self, frame: _Frame, event: Any) -> None:
        key = event.value
        if event.style == '"':
            self._escaped(event)
        if key == "<<" and not event.style:
            self._find(
                "VF017",
                "merge-key",
                "`<<` merges are not part of the language",
                event,
                "Write the keys out, or use `include`.",
            )
            frame.key = _TRASH
        elif not key or len(key) > MAX_TEXT:
            self._find(
                "VF013",
                "key-not-text",
                "a key without a name" if not key else "a key this long",
                event,
                "Write `name: value`.",
            )
            frame.key = _TRASH
        elif key in frame.container:
            self._duplicate(frame, key, event)
            frame.key = _TRASH
        else:
            frame.key = key
            frame.key_event = event

    def _duplicate(self, frame: _Frame, key: str, event: Any) -> None:
        first = frame.place.below[key] if frame.place.below else frame.place
        where = first.key or first.value
        self._find(
            "VF007",
            "duplicate-key",
            f"`{_short(key)}` is written twice; only the first would count",
            event,
            "Keep one of them, or give one another name.",
            (Related(self._span(where), f"`{_short(key)}` stands here first"),),
        )

    def _open(self, event: Any, *, is_map: bool) -> None:
        if event.tag is not None or event.anchor is not None:
            self._decoration(event)
        frame = self.stack[-1] if self.stack else None
        as_key = frame is not None and frame.is_map and frame.key is None
        if as_key:
            self._find(
                "VF013",
                "key-not-text",
                "a list or a map stands where a key should be",
                event,
                "Write `name: value`; put text that starts with a bracket in quotes.",
            )
        container: Any = {} if is_map else []
        place = Place(self.result.file, None, event)
        place.below = {}
        keep = not as_key
        step = frame and (frame.key if frame.is_map else len(frame.container))
        if not as_key:
            keep = self._put(container, event, place)
        self.stack.append(_Frame(container, place, step, is_map=is_map, keep=keep, as_key=as_key))

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        frame.place.value = _Between(frame.place.value.start_mark, event.end_mark)
        if frame.as_key:
            self.stack[-1].key = _TRASH

    def _put(self, value: Any, event: Any, place: Place | None) -> bool:
        """Put a value where the current map or list wants it. False when it is not kept."""
        place = place or Place(self.result.file, None, event)
        if not self.stack:
            self.result.data, self.result.root = value, place
            return True
        frame = self.stack[-1]
        below = frame.place.below
        assert below is not None
        if not frame.is_map:
            below[len(frame.container)] = place
            frame.container.append(value)
            return frame.keep
        key, frame.key = frame.key, None
        if key is _TRASH:
            return False
        place.key = frame.key_event
        frame.container[key] = value
        below[key] = place
        return frame.keep

    def _lose(self) -> None:
        """Leave out the value that stands here, and remember its path."""
        if not self.stack:
            return
        frame = self.stack[-1]
        if not frame.is_map:
            return
        key, frame.key = frame.key, None
        if frame.keep and key is not _TRASH:
            self.result.lost.add((*(outer.step for outer in self.stack[1:]), key))

    def _alias(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        self._find(
            "VF008",
            "alias",
            f"`*{_short(event.anchor)}` repeats another part of the file",
            event,
            "Write it out here; shared parts go into a file of their own (`include`).",
        )
        if frame is not None and frame.is_map and frame.key is None:
            frame.key = _TRASH
        else:
            self._lose()

    def _decoration(self, event: Any) -> None:
        if event.anchor is not None:
            self._find(
                "VF008",
                "alias",
                f"`&{_short(event.anchor)}` names a part of the file",
                event,
                "Delete it; shared parts go into a file of their own (`include`).",
            )
        if event.tag is not None and event.tag != "!":
            self._find(
                "VF009",
                "tag",
                f"`{_short(event.tag.replace('tag:yaml.org,2002:', '!!'))}` is not part of the language",
                event,
                "Delete it; put text that starts with `!` in quotes.",
            )

    def _escaped(self, event: Any) -> None:
        """Find what is invisible by an escape; what stands there itself was found with the characters."""
        raw = self.text[event.start_mark.index : event.end_mark.index]
        if "\\" in raw and len(INVISIBLE.findall(event.value)) > len(INVISIBLE.findall(raw)):
            message = "an escape here stands for an invisible character"
            self._find("VF004", "invisible-character", message, event, "Delete it.")

    def _stop(self, event: Any, code: str, name: str, message: str, tip: str) -> bool:
        self._find(code, name, message, event, tip)
        return False

    def _find(
        self, code: str, name: str, message: str, stretch: Any, tip: str, related: tuple[Related, ...] = ()
    ) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MAX_FINDINGS:
            self.result.findings.append(
                Finding(code, name, "error", message, self._span(stretch), tip, related)
            )

    def _span(self, stretch: Any) -> Span:
        start, end = stretch.start_mark, stretch.end_mark
        return Span(self.result.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _syntax(self, error: yaml.YAMLError) -> None:
        if self.quiet:
            return
        problem = str(getattr(error, "problem", None) or error)
        mark = getattr(error, "problem_mark", None)
        context = getattr(error, "context_mark", None)
        message, tip = next(
            ((said, tip) for part, said, tip in SYNTAX if part in problem),
            (f"this is not YAML: {problem}", "Check indentation, colons and quotes here."),
        )
        related: tuple[Related, ...] = ()
        slipped = slip(problem, self.text, mark.index) if mark is not None else None
        if slipped is not None:
            mark, message, tip = yaml.Mark("", *slipped[:3], None, 0), slipped[3], slipped[4]
            context = None
        opened = opened_above(self.text, mark.index) if mark is not None and slipped is None else None
        if opened is not None:
            related = (Related(self._at(mark), "it ends here"),)
            mark, (message, tip) = yaml.Mark("", *opened, None, 0), RUNS_ON
        elif message == NEVER_CLOSED and context is not None:
            mark = context  # where a quote is opened says more than where the file ends
        elif context is not None and mark is not None and context.line != mark.line:
            related = (Related(self._at(context), "it started here"),)
        place = self._at(mark or nowhere("").value.start_mark)
        self.result.findings.append(Finding("VF006", "not-yaml", "error", message, place, tip, related))

    def _at(self, mark: Any) -> Span:
        return Span(self.result.file, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)


class _Between:
    """The stretch of a map or list: from its first event's start to its last event's end."""

    __slots__ = ("end_mark", "start_mark")

    def __init__(self, start_mark: Any, end_mark: Any) -> None:
        self.start_mark = start_mark
        self.end_mark = end_mark


def _short(text: str) -> str:
    """A name as it may stand in a message: bounded, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
