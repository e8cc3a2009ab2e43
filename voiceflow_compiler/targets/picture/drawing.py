"""The picture as SVG: cards and links where the layout put them, coloured by kind and by family."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from itertools import accumulate, pairwise
from typing import Final

from voiceflow_compiler.artifact import Artifact, NodeKind
from voiceflow_compiler.targets.base import reading_order
from voiceflow_compiler.targets.picture import cards, clusters
from voiceflow_compiler.targets.picture.cards import SLANT, Card, Label, Pin, Text
from voiceflow_compiler.targets.picture.folding import columns, side_by_side
from voiceflow_compiler.targets.picture.layout import Box, Layout, Link, Point, lay_out, spans

# How many ranks all links together may reach across. A flow of forty nodes needs some hundred; in a huge one
# the longest links would take minutes to place, and nobody could follow them: their cards name them.
_REACH: Final = 4000

_MARGIN: Final = 28.0
_PANEL: Final = 262.0
_PANEL_GAP: Final = 44.0
_FONT: Final = "Helvetica, Arial, 'Liberation Sans', sans-serif"

# What is drawn how, in light and in dark: the class, then the properties that differ.
_KINDS: Final[dict[NodeKind, tuple[str, str, str, str]]] = {  # fill, line; fill, line in the dark
    "disclosure": ("#fff4cc", "#8a6d00", "#3d3410", "#e0bf4f"),
    "tell": ("#f4f5f7", "#6b7280", "#2a2e35", "#9aa3b0"),
    "ask": ("#e8f1ff", "#2f5fb3", "#1b2b47", "#7faaf0"),
    "decide": ("#f5ecff", "#7a3fb0", "#33214a", "#c397ee"),
    "act": ("#e0f5ee", "#0f7a5c", "#12372d", "#55c7a3"),
    "handoff": ("#ffe7e3", "#b3372a", "#471d18", "#f08d80"),
    "end": ("#eceef1", "#374151", "#23272e", "#b6bec9"),
}
_CAUSES: Final[dict[str, tuple[str, str]]] = {
    "flow": ("#59636f", "#a3adb9"),
    "failure": ("#a8322a", "#f28b82"),
    "fallback": ("#7a7f87", "#8d959f"),
    "agreement": ("#1c7a3f", "#63cf8c"),
    "objection": ("#b25a00", "#f2a65a"),
    "confusion": ("#1f63b8", "#7fb3f5"),
    "escalation": ("#b0246b", "#f283b6"),
    "answer": ("#59636f", "#a3adb9"),
    "correction": ("#0b7285", "#66c7d8"),
    "identity": ("#6741a8", "#b79cf0"),
    "digression": ("#7a6a1c", "#d3c067"),
    "unclear": ("#7a7f87", "#8d959f"),
}
_INK: Final[dict[str, tuple[str, str]]] = {
    "name": ("#15181c", "#f1f3f5"),
    "title": ("#15181c", "#f1f3f5"),
    "words": ("#333a42", "#ccd2d9"),
    "note": ("#616a75", "#a0a9b4"),
    "heading": ("#15181c", "#f1f3f5"),
}
_PINS: Final[dict[str, tuple[str, str]]] = {
    "error": ("#b3261e", "#ff8a80"),
    "warning": ("#8a5a00", "#ffc95c"),
    "note": ("#1f63b8", "#7fb3f5"),
}
_PAPER: Final = ("#ffffff", "#16191d")
_FAMILIES: Final = ("agreement", "objection", "confusion", "escalation")


def draw(artifact: Artifact, pins: Mapping[str, tuple[Pin, ...]] | None = None) -> str:
    """The whole picture, a document of its own, findings pinned to the nodes they are about."""
    links, jumps = _drawn_and_written(artifact)
    shown = cards.cards(artifact, jumps, pins)
    boxes, arrows = _measured(shown, links)
    layout = lay_out(boxes, arrows)
    column = columns(layout, arrows)
    if column:
        number = {card.name: at for at, card in enumerate(shown)}
        near = [link for link in links if column[number[link.source]] == column[number[link.target]]]
        shown = cards.cards(artifact, (*jumps, *(link for link in links if link not in near)), pins)
        links = near
        layout = side_by_side(*_measured(shown, links), column)
    panel = cards.panel(artifact, (pins or {}).get("", ()))
    width = layout.width + _PANEL + _PANEL_GAP + 2 * _MARGIN
    height = max(layout.height, cards.height(panel) + _KEY_HEIGHT) + 2 * _MARGIN
    return "\n".join(_document(artifact, shown, links, layout, panel, (width, height))) + "\n"


def _measured(shown: tuple[Card, ...], links: list[Label]) -> tuple[list[Box], list[Link]]:
    """Cards and links as the layout takes them."""
    number = {card.name: at for at, card in enumerate(shown)}
    return [Box(card.width, card.height) for card in shown], [
        Link(number[each.source], number[each.target], each.width, each.height) for each in links
    ]


def _drawn_and_written(artifact: Artifact) -> tuple[list[Label], list[Label]]:
    """The links to draw, and those that reach too far and are written on their cards instead."""
    number = {name: at for at, name in enumerate(reading_order(artifact))}
    links = [link for link in cards.labels(artifact) if link.source != link.target]
    reach = spans(len(number), [Link(number[link.source], number[link.target]) for link in links])
    shortest = sorted(range(len(links)), key=lambda at: (reach[at], at))
    together = accumulate(reach[at] for at in shortest)
    kept = {at for at, total in zip(shortest, together, strict=True) if total <= _REACH}
    drawn = [link for at, link in enumerate(links) if at in kept]
    return drawn, [link for at, link in enumerate(links) if at not in kept]


def style(dark: str) -> str:
    """The style sheet; `dark` is a template that wraps the dark rules, `%s` standing for them."""
    return "\n".join((*_rules(0), dark % "\n".join(_rules(1))))


def _rules(theme: int) -> Iterator[str]:
    yield f".paper{{fill:{_PAPER[theme]}}}.label-back{{fill:{_PAPER[theme]}}}"
    for kind, shades in _KINDS.items():
        fill, line = shades[2 * theme : 2 * theme + 2]
        yield f".shape.{kind}{{fill:{fill};stroke:{line}}}.text.kind.{kind}{{fill:{line}}}"
    for cause, colours in _CAUSES.items():
        colour = colours[theme]
        yield f".link.{cause}{{stroke:{colour}}}"
        yield f".tip.{cause},.text.label.{cause},.dot.{cause}{{fill:{colour}}}"
    for severity, colours in _PINS.items():
        yield f".text.pin.{severity}{{fill:{colours[theme]}}}.shape.{severity}{{stroke:{colours[theme]}}}"
    yield from clusters.rules(theme)
    for name, colours in _INK.items():
        yield f".text.{name}{{fill:{colours[theme]}}}"


_FIXED: Final = f"""\
.text{{font-family:{_FONT}}}
.link{{fill:none;stroke-width:1.5}}
.link.failure,.link.fallback{{stroke-dasharray:5 4}}
.shape{{stroke-width:1.5}}
.shape.pinned{{stroke-width:3.5}}
.shape.disclosure.outer{{fill:none;stroke-width:1}}
.label-back{{opacity:.92}}
.bold{{font-weight:700}}
.text.kind{{letter-spacing:.06em}}"""
_DARK: Final = "@media screen and (prefers-color-scheme:dark){\n%s\n}"


def _document(
    artifact: Artifact,
    shown: tuple[Card, ...],
    links: list[Label],
    layout: Layout,
    panel: tuple[Text, ...],
    size: tuple[float, float],
) -> Iterator[str]:
    width, height = map(_n, size)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="picture-title">'
    )
    yield f'<title id="picture-title">{escape(artifact.title or artifact.flow)}</title>'
    yield f"<style>\n{_FIXED}\n{style(_DARK)}\n</style>"
    yield f'<rect class="paper" width="{width}" height="{height}"/>'
    yield f'<g transform="translate({_n(_MARGIN)} {_n(_MARGIN)})">'
    yield from clusters.grounds(
        artifact,
        [(card.name, at, card.width, card.height) for card, at in zip(shown, layout.boxes, strict=True)],
        [(link.source, link.target, _path(route)) for link, route in zip(links, layout.routes, strict=True)],
    )
    yield from (_link(link, route) for link, route in zip(links, layout.routes, strict=True))
    for link, at in zip(links, layout.labels, strict=True):
        yield from _label(link, at)
    for card, at in zip(shown, layout.boxes, strict=True):
        yield from _card(card, at)
    yield "</g>"
    yield f'<g class="panel" transform="translate({_n(layout.width + _MARGIN + _PANEL_GAP)} {_n(_MARGIN)})">'
    yield from _panel(panel)
    yield "</g>"
    yield "</svg>"


def _link(link: Label, route: tuple[Point, ...]) -> str:
    """A curve between the pairs of a route, straight within them, and a tip at its end."""
    first, last, before = route[0], route[-1], route[-2]
    back = 7.0 if last.y > before.y - 1 and last.y > first.y else -7.0  # the layout rounds
    tip = f"M{_n(last.x)} {_n(last.y)}l-4 {_n(-back)}h8z"
    names = f'data-from="{escape(link.source)}" data-to="{escape(link.target)}"'
    return (
        f'<g class="way" {names}><path class="link {link.cause}" d="{_path(route)}"/>'
        f'<path class="tip {link.cause}" d="{tip}"/></g>'
    )


def _path(route: tuple[Point, ...]) -> str:
    """The curve of a route as SVG writes it."""
    first = route[0]
    path = [f"M{_n(first.x)} {_n(first.y)}"]
    for at, (here, there) in enumerate(pairwise(route)):
        if at % 2 == 0:
            path.append(f"V{_n(there.y)}")
        else:
            middle = _n((here.y + there.y) / 2)
            path.append(f"C{_n(here.x)} {middle} {_n(there.x)} {middle} {_n(there.x)} {_n(there.y)}")
    return "".join(path)


def _label(link: Label, at: Point | None) -> Iterator[str]:
    if at is None:
        return
    left, top = at.x - link.width / 2, at.y - link.height / 2
    yield f'<g class="way-label" data-from="{escape(link.source)}" data-to="{escape(link.target)}">'
    yield _rect("label-back", left, top, link.width, link.height, 4)
    yield from _lines(link.lines, at.x, top + 3.0, "middle")
    yield "</g>"


def _card(card: Card, at: Point) -> Iterator[str]:
    left, top = at.x - card.width / 2, at.y - card.height / 2
    yield f'<g class="node" data-name="{escape(card.name)}"><title>{escape(card.full)}</title>'
    pinned = f"{card.kind} pinned {card.pinned}" if card.pinned else card.kind
    yield from (
        shape.replace(f'class="shape {card.kind}', f'class="shape {pinned}')
        for shape in _SHAPES[card.kind](card, left, top)
    )
    yield from _lines(card.lines, at.x, top + 9.0, "middle", card.kind)
    for place, cause in enumerate(card.marks):
        right = left + card.width - SLANT.get(card.kind, 0.0) - 11.0 - 9.0 * place
        yield f'<circle class="dot {cause}" cx="{_n(right)}" cy="{_n(top + 12.0)}" r="3"/>'
    yield "</g>"


def _lines(lines: tuple[Text, ...], x: float, top: float, anchor: str, extra: str = "") -> Iterator[str]:
    y = top
    for line in lines:
        y += line.style.leading
        bold = " bold" if line.style.bold else ""
        coloured = line.style.name in ("label", "pin")  # by what they say, not by the card they stand on
        names = f"text {line.style.name} {line.cause if coloured else extra or line.cause}{bold}"
        base = y - line.style.leading * 0.27
        yield (
            f'<text class="{names}" x="{_n(x)}" y="{_n(base)}" font-size="{_n(line.style.size)}" '
            f'text-anchor="{anchor}">{escape(line.text)}</text>'
        )


def _rectangle(card: Card, left: float, top: float) -> Iterator[str]:
    yield _rect(f"shape {card.kind}", left, top, card.width, card.height, 3 if card.kind == "tell" else 10)


def _stadium(card: Card, left: float, top: float) -> Iterator[str]:
    yield _rect(f"shape {card.kind}", left, top, card.width, card.height, min(card.height / 2, 26))


def _framed(card: Card, left: float, top: float) -> Iterator[str]:
    """The disclosure: a frame within a frame, because nothing happens before it."""
    yield _rect(f"shape {card.kind}", left, top, card.width, card.height, 3)
    yield _rect(f"shape {card.kind} outer", left + 4, top + 4, card.width - 8, card.height - 8, 1)


def _hexagon(card: Card, left: float, top: float) -> Iterator[str]:
    side = SLANT[card.kind]
    right, middle, bottom = left + card.width, top + card.height / 2, top + card.height
    corners = ((left + side, top), (right - side, top), (right, middle), (right - side, bottom))
    yield _polygon(card.kind, (*corners, (left + side, bottom), (left, middle)))


def _slanted(card: Card, left: float, top: float) -> Iterator[str]:
    side = SLANT[card.kind]
    right, bottom = left + card.width, top + card.height
    yield _polygon(card.kind, ((left + side, top), (right, top), (right - side, bottom), (left, bottom)))


def _cut(card: Card, left: float, top: float) -> Iterator[str]:
    """A person takes over: the corners are cut, as on a plate at a door."""
    side = SLANT[card.kind]
    right, bottom = left + card.width, top + card.height
    upper = ((left + side, top), (right - side, top), (right, top + side), (right, bottom - side))
    lower = ((right - side, bottom), (left + side, bottom), (left, bottom - side), (left, top + side))
    yield _polygon(card.kind, (*upper, *lower))


_SHAPES: Final[Mapping[NodeKind, Callable[[Card, float, float], Iterator[str]]]] = {
    "disclosure": _framed,
    "tell": _rectangle,
    "ask": _rectangle,
    "decide": _hexagon,
    "act": _slanted,
    "handoff": _cut,
    "end": _stadium,
}


def _panel(panel: tuple[Text, ...]) -> Iterator[str]:
    """What holds everywhere, then the key to the colours."""
    y = 0.0
    for line in panel:
        inset = 16.0 if line.style.name == "label" else 0.0
        if line.dot:
            yield f'<circle class="dot {line.cause}" cx="5" cy="{_n(y + 6)}" r="3.5"/>'
        yield from _lines((line,), inset, y, "start")
        y += line.style.leading + (3.0 if inset else 0.0)
    yield from _key(y + 14.0)


_KEY_HEIGHT: Final = 60.0 + 16.0 * 6 + 60.0


def _key(y: float) -> Iterator[str]:
    yield from _lines((Text("Ways by what the caller means", cards.HEADING),), 0.0, y, "start")
    y += 26.0
    for at, cause in enumerate((*_FAMILIES, "fallback", "failure")):
        x, down = (at % 2) * 130.0, y + (at // 2) * 18.0
        yield f'<path class="link {cause}" d="M{_n(x)} {_n(down + 6)}h22"/>'
        yield from _lines((Text(cause, cards.LABEL),), x + 30.0, down - 1, "start")
    dots = Text("A dot on a card: a way there from anywhere", cards.NOTE)
    yield from _lines((dots,), 0.0, y + 62.0, "start")


def _rect(names: str, left: float, top: float, width: float, height: float, corner: float) -> str:
    return (
        f'<rect class="{names}" x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}" '
        f'rx="{_n(corner)}"/>'
    )


def _polygon(kind: str, corners: tuple[tuple[float, float], ...]) -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)
    return f'<polygon class="shape {kind}" points="{points}" stroke-linejoin="round"/>'


def _n(value: float) -> str:
    """A coordinate with at most one decimal, the same on every machine."""
    rounded = f"{value:.1f}".removesuffix(".0")
    return "0" if rounded == "-0" else rounded
