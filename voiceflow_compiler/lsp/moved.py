"""A place that was read at the start of a text and stands further down in another.

Lazy: of the places of a large flow a handful is ever looked at.
"""

from dataclasses import replace

from voiceflow_compiler.diagnostics import Finding, Mark, Place, Related, Span, Stretch


class _Mark:
    __slots__ = ("column", "index", "line")

    def __init__(self, mark: Mark, lines: int, characters: int) -> None:
        self.line = mark.line + lines
        self.column = mark.column
        self.index = mark.index + characters


class _Stretch:
    """A stretch moved down; of a scalar also its value and style, which `Places.inside` asks for."""

    __slots__ = ("end_mark", "start_mark", "style", "value")

    def __init__(self, stretch: Stretch, lines: int, characters: int) -> None:
        self.start_mark: Mark = _Mark(stretch.start_mark, lines, characters)
        self.end_mark: Mark = _Mark(stretch.end_mark, lines, characters)
        self.value = getattr(stretch, "value", None)
        self.style = getattr(stretch, "style", None)


class Moved(Place):
    """A place `lines` lines and `characters` characters below where it was read."""

    __slots__ = ("_below", "_by", "_from")

    def __init__(self, place: Place, lines: int, characters: int) -> None:
        key = None if place.key is None else _Stretch(place.key, lines, characters)
        self._from: Place | None = place
        self._by = (lines, characters)
        self._below: dict[str | int, Place] | None = None
        super().__init__(place.file, key, _Stretch(place.value, lines, characters))

    @property
    def below(self) -> dict[str | int, Place] | None:
        if self._from is not None:
            inner = self._from.below
            self._below = _all_moved(inner, self._by) if inner is not None else None
            self._from = None
        return self._below

    @below.setter
    def below(self, value: dict[str | int, Place] | None) -> None:
        if value is not None:  # what Place.__init__ sets says nothing
            self._below, self._from = value, None


def _all_moved(places: dict[str | int, Place], by: tuple[int, int]) -> dict[str | int, Place]:
    return {key: Moved(each, *by) for key, each in places.items()}


def moved(finding: Finding, lines: int) -> Finding:
    """A finding `lines` lines further down."""
    if not lines:
        return finding
    related = tuple(Related(_down(each.span, lines), each.text) for each in finding.related)
    fix = tuple(replace(edit, span=_down(edit.span, lines)) for edit in finding.fix)
    return replace(finding, span=_down(finding.span, lines), related=related, fix=fix)


def _down(span: Span, lines: int) -> Span:
    return replace(span, line=span.line + lines, end_line=span.end_line + lines)
