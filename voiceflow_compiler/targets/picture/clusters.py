"""The grounds that the nodes of a subflow stand on: one pale patch behind its cards and the links between
them, so that they are seen together wherever the layout put them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.targets import base
from voiceflow_compiler.targets.picture.layout import Point

_AROUND: Final = 11.0  # how far a patch reaches beyond a card
_COLOURS: Final = (  # light, dark
    ("#ece4fa", "#2b2440"),
    ("#dff1ea", "#173029"),
    ("#fbead9", "#3a2817"),
    ("#e2edf9", "#16293d"),
)


def rules(theme: int) -> Iterator[str]:
    """The colours of the patches, light (0) or dark (1)."""
    for number, shades in enumerate(_COLOURS):
        colour = shades[theme]
        yield f".ground.g{number}{{fill:{colour}}}"
        yield f".ground.way.g{number}{{fill:none;stroke:{colour};stroke-width:22}}"


def grounds(
    artifact: Artifact,
    cards: Sequence[tuple[str, Point, float, float]],
    links: Sequence[tuple[str, str, str]],
) -> Iterator[str]:
    """A patch for every use of a subflow, outer ones first. Cards: name, centre, width, height; links: the
    two names and the path.
    """
    uses = sorted(base.uses(artifact), key=lambda use: (use.count("."), use))
    for number, use in enumerate(uses):
        names = {name for name in artifact.nodes if base.is_within(name, use)}
        colour = f"g{number % len(_COLOURS)}"
        yield f'<g class="subflow" data-use="{use}"><title>subflow {use}</title>'
        for source, target, path in links:
            if source in names and target in names:
                yield f'<path class="ground way {colour}" d="{path}" stroke-linecap="round"/>'
        for name, centre, width, height in cards:
            if name in names:
                left, top = centre.x - width / 2 - _AROUND, centre.y - height / 2 - _AROUND
                yield (
                    f'<rect class="ground {colour}" x="{left:.1f}" y="{top:.1f}" '
                    f'width="{width + 2 * _AROUND:.1f}" height="{height + 2 * _AROUND:.1f}" rx="16"/>'
                )
        yield "</g>"
