"""How often calls came by: nodes and ways in the colour of it, and what never happened in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from voiceflow_compiler.targets.picture.cards import Pin

_SHADES: Final = {  # fill and line; fill and line in the dark
    "all": ("#e3f6e8", "#1c7a3f", "#12371f", "#63cf8c"),
    "some": ("#fff4cc", "#8a6d00", "#3d3410", "#e0bf4f"),
    "none": ("#ffe7e3", "#b3261e", "#471d18", "#ff8a80"),
}
MOST_WRITTEN: Final = 6
_KEY: Final = (
    Pin("", "Green: everything there was reached.", "note", "", sign="●"),
    Pin("", "Yellow: a part of it was reached.", "warning", "", sign="●"),
    Pin("", "Red, ways dotted: no call came there.", "error", "", sign="●"),
)


@dataclass(frozen=True, slots=True)
class Trod:
    """What calls did at a node or on the ways between two: how many came by, how much of what there is was
    reached, and what never was, in words.
    """

    calls: int
    reached: int
    of: int
    never: tuple[str, ...] = ()

    @property
    def how_far(self) -> str:
        """All of it, some or none."""
        return "all" if self.reached == self.of else "some" if self.reached else "none"


@dataclass(frozen=True, slots=True)
class Trodden:
    """Nodes by name, and ways by the two nodes they join."""

    nodes: Mapping[str, Trod]
    ways: Mapping[tuple[str, str], Trod]


def pins(trodden: Trodden) -> dict[str, tuple[Pin, ...]]:
    """What is written on each card: how many calls came by, and what never happened there."""
    return {"": _KEY} | {name: tuple(_pins(trod)) for name, trod in trodden.nodes.items()}


def _pins(trod: Trod) -> Iterator[Pin]:
    calls = "no call" if not trod.calls else "1 call" if trod.calls == 1 else f"{trod.calls} calls"
    yield Pin("", calls, "note", f"{trod.reached} of {trod.of} reached", sign="●")
    for words in trod.never[:MOST_WRITTEN]:
        yield Pin("never", words, "error", words)
    if len(trod.never) > MOST_WRITTEN:
        yield Pin("never", f"and {len(trod.never) - MOST_WRITTEN} more", "error", "")


def tinted(svg: str, trodden: Trodden) -> str:
    """The picture with every node and way in the colour of how much of it was reached."""
    rules = "\n".join(_rules(trodden, 0))
    dark = "\n".join(_rules(trodden, 1))
    style = f"{rules}\n@media screen and (prefers-color-scheme:dark){{\n{dark}\n}}\n</style>"
    return svg.replace("</style>", style, 1)


def _rules(trodden: Trodden, theme: int) -> Iterator[str]:
    for name, trod in trodden.nodes.items():
        fill, line = _SHADES[trod.how_far][2 * theme : 2 * theme + 2]
        yield f'.node[data-name="{name}"] .shape{{fill:{fill};stroke:{line};stroke-width:1.5}}'
    for (start, end), trod in trodden.ways.items():
        line = _SHADES[trod.how_far][2 * theme + 1]
        at = f'.way[data-from="{start}"][data-to="{end}"]'
        dashed = ";stroke-dasharray:3 4" if trod.how_far == "none" else ";stroke-dasharray:none"
        yield f"{at} .link{{stroke:{line};stroke-width:2{dashed}}}{at} .tip{{fill:{line}}}"
