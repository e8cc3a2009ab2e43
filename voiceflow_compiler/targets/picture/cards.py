"""What stands in the picture, measured but not placed: cards for nodes, labels for links, the panel."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from voiceflow_compiler.artifact import Artifact, NodeKind
from voiceflow_compiler.targets import base
from voiceflow_compiler.targets.base import Cause, Way
from voiceflow_compiler.targets.picture.measure import width, wrap

CARD_WORDS: Final = 190.0  # the widest a card's text may be
_LABEL_WORDS: Final = 150.0
_PANEL_WORDS: Final = 250.0
_INSIDE: Final = 14.0  # between a card's edge and its text


@dataclass(frozen=True, slots=True)
class Style:
    """How one sort of text is set: `name` is its class in the style sheet, sizes are pixels."""

    name: str
    size: float
    leading: float
    bold: bool = False


KIND: Final = Style("kind", 9.5, 13.0, bold=True)
NAME: Final = Style("name", 13.5, 17.0, bold=True)
WORDS: Final = Style("words", 11.5, 14.5)
NOTE: Final = Style("note", 10.5, 14.0)
LABEL: Final = Style("label", 10.5, 13.0)
PIN: Final = Style("pin", 10.5, 14.0, bold=True)
TITLE: Final = Style("title", 19.0, 26.0, bold=True)
HEADING: Final = Style("heading", 11.0, 22.0, bold=True)


@dataclass(frozen=True, slots=True)
class Pin:
    """A finding, fastened to the node it is about. `severity` is error, warning or note; `sign` stands before
    it.
    """

    code: str
    name: str
    severity: str
    message: str
    sign: str = "▲"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text. A dot stands before the first line of a rule; a pin's cause is its severity."""

    text: str
    style: Style
    cause: str = "flow"
    dot: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A node: its lines, the size of its shape, the rules that lead to it from anywhere.

    `full` is everything it says, for whoever points at it; `pinned` is the gravest severity of its findings.
    """

    name: str
    kind: NodeKind
    lines: tuple[Text, ...]
    width: float
    height: float
    marks: tuple[Cause, ...]
    full: str
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """The link between two nodes: every way from the one to the other, a line or more each."""

    source: str
    target: str
    cause: Cause
    lines: tuple[Text, ...]
    width: float
    height: float


# Shapes with slanted or round sides need more room beside their text: pixels on each side.
SLANT: Final[dict[NodeKind, float]] = {"decide": 16.0, "act": 12.0, "handoff": 14.0, "end": 10.0}


def cards(
    artifact: Artifact, jumps: Iterable[Label] = (), pins: Mapping[str, tuple[Pin, ...]] | None = None
) -> tuple[Card, ...]:
    """A card for every node, in reading order, with the ways that are written on it instead of drawn."""
    jumping: dict[str, list[Text]] = {}
    arriving: dict[str, list[str]] = {}
    for jump in jumps:
        jumping.setdefault(jump.source, []).extend(_jump(jump))
        arriving.setdefault(jump.target, []).append(jump.source)
    written = {
        name: (*jumping.get(name, ()), *_from(arriving.get(name, ()))) for name in {*jumping, *arriving}
    }
    marks: dict[str, list[Cause]] = {}
    for rule in base.rules(artifact):
        marks.setdefault(rule.target or "", []).append(rule.cause)
    return tuple(
        _card(
            artifact,
            name,
            tuple(dict.fromkeys(marks.get(name, ()))),
            written.get(name, ()),
            (pins or {}).get(name, ()),
        )
        for name in base.reading_order(artifact)
    )


def labels(artifact: Artifact) -> tuple[Label, ...]:
    """A link for every pair of nodes that a way leads between."""
    return tuple(_label(*ends, together) for ends, together in base.together(artifact).items())


def panel(artifact: Artifact, pins: tuple[Pin, ...] = ()) -> tuple[Text, ...]:
    """What holds everywhere, as lines of text, and the findings that are about no node."""
    return (*_panel(artifact), *_of_the_flow(pins))


def height(lines: Iterable[Text]) -> float:
    """How tall lines stand, one below another."""
    return sum(line.style.leading for line in lines)


def _card(
    artifact: Artifact, name: str, marks: tuple[Cause, ...], jumps: tuple[Text, ...], pins: tuple[Pin, ...]
) -> Card:
    node = artifact.nodes[name]
    says = base.words(node, artifact)
    lines = (
        Text("FLOW" if name in base.uses(artifact) else node.kind.upper(), KIND),
        *_set(name, NAME, CARD_WORDS, 2),
        *_set(says, WORDS, CARD_WORDS, 4),
        *(line for note in _notes(artifact, name) for line in _set(note, NOTE, CARD_WORDS, 2)),
        *jumps,
        *(
            line
            for pin in pins
            for line in _set(
                f"{pin.sign} {pin.code} {pin.name}".replace("  ", " "), PIN, CARD_WORDS, 2, pin.severity
            )
        ),
    )
    beside = 2 * (_INSIDE + SLANT.get(node.kind, 0.0))
    notes = " · ".join(_notes(artifact, name))
    return Card(
        name=name,
        kind=node.kind,
        lines=lines,
        width=max(_widest(lines), 84.0) + beside,
        height=height(lines) + 18.0,
        marks=marks,
        full="\n".join((f"{name} ({node.kind}): {says} {notes}".strip(), *map(_told, pins))),
        pinned=min((pin.severity for pin in pins), key=("error", "warning", "note").index, default=""),
    )


def _jump(jump: Label) -> Iterator[Text]:
    """A way as words: when it is taken, and the name to look for, on one line where there is room."""
    *lines, last = jump.lines or (Text("", LABEL, jump.cause),)
    yield from lines
    both = f"{last.text} → {jump.target}".strip()
    if width(both, LABEL.size) <= CARD_WORDS:
        yield replace(last, text=both)
    else:
        yield last
        yield from _set(f"→ {jump.target}", LABEL, CARD_WORDS, 2, jump.cause)


def _from(sources: Iterable[str]) -> Iterator[Text]:
    """Where ways come from that are not drawn: the nearest few names to look for."""
    names = list(dict.fromkeys(sources))
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield from _set(f"← {', '.join(names[:3])}{more}", NOTE, CARD_WORDS, 2)


def _told(pin: Pin) -> str:
    return f"{pin.severity} {pin.code} {pin.name}: {pin.message}"


def _notes(artifact: Artifact, name: str) -> Iterator[str]:
    """What a node collects, decides about the caller's turn without leaving, and how the call ended."""
    node = artifact.nodes[name]
    if node.collect:
        yield f"finds out {', '.join(node.collect)}"
    stays = [
        f"{intent} ×{answer.at_most}" if answer.at_most else intent
        for intent, answer in node.answers.items()
        if not answer.go and answer != artifact.everywhere.get(intent)
    ]
    if stays:
        yield f"stays for {', '.join(stays)}"
    if node.outcome:
        yield f"outcome {node.outcome}"


def _label(source: str, target: str, together: list[Way]) -> Label:
    lines = tuple(
        line for way in together for line in _set(way.label, LABEL, _LABEL_WORDS, 3, way.cause) if way.label
    )
    causes = {way.cause for way in together}
    cause = together[0].cause if len(causes) == 1 else "flow"
    wide = _widest(lines) + 10.0 if lines else 0.0
    return Label(source, target, cause, lines, wide, height(lines) + 6.0 if lines else 0.0)


def _panel(artifact: Artifact) -> Iterator[Text]:
    yield from _set(artifact.title or artifact.flow, TITLE, _PANEL_WORDS, 3)
    yield from _set(f"{artifact.company} · {artifact.flow} {artifact.flow_version}", NOTE, _PANEL_WORDS, 2)
    rules = base.rules(artifact)
    for heading, causes in _GROUPS.items():
        group = [rule for rule in rules if rule.cause in causes]
        if group:
            yield Text(heading, HEADING)
        for rule in group:
            leads = f" → {rule.target}" if rule.target else ""
            first, *more = _set(rule.label + leads, LABEL, _PANEL_WORDS - 16.0, 2, rule.cause)
            yield replace(first, dot=True)
            yield from more


def _of_the_flow(pins: tuple[Pin, ...]) -> Iterator[Text]:
    if any(pin.code for pin in pins):
        yield Text("Found in the flow as a whole", HEADING)
    for pin in pins:
        yield from _set(
            f"{pin.sign} {pin.code} {pin.name}".replace("  ", " "), PIN, _PANEL_WORDS, 2, pin.severity
        )


_GROUPS: Final[dict[str, frozenset[Cause]]] = {
    "At every question": frozenset(
        (
            "agreement",
            "objection",
            "confusion",
            "escalation",
            "answer",
            "correction",
            "identity",
            "digression",
            "unclear",
            "fallback",
        )
    ),
    "During the whole call": frozenset(("failure",)),
}


def _set(text: str, style: Style, limit: float, lines: int, cause: str = "flow") -> list[Text]:
    return [Text(line, style, cause) for line in wrap(text, style.size, limit, lines=lines, bold=style.bold)]


def _widest(lines: Iterable[Text]) -> float:
    return max((width(line.text, line.style.size, bold=line.style.bold) for line in lines), default=0.0)
