"""What one change between two compiled flows is, and how grave.

breaking: a caller loses a protection or a way, or whoever reads or runs the flow must change too.
notable: callers are led, asked or told otherwise. cosmetic: other words or sizes, the same way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from voiceflow_compiler.artifact import Answer, Line, Rung

Severity = Literal["breaking", "notable", "cosmetic"]
SEVERITIES: Final[tuple[Severity, ...]] = ("breaking", "notable", "cosmetic")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is otherwise in the new flow.

    `kind` groups changes ("safeguard", "answer", "wording" …), `nodes` are those it is about, `route` is a
    caller's way that shows it in the new flow (in the old one for something lost), `why` what leads from each
    node of it to the next.
    """

    severity: Severity
    kind: str
    message: str
    nodes: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def way(self) -> str:
        """The route as one line, with what leads on where that is not the usual way."""
        links = (
            f" -> ({why}) " if why not in ("next", "filled", "otherwise") else " -> " for why in self.why
        )
        return "".join(f"{link}{node}" for link, node in zip(("", *links), self.route, strict=True))


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, as a sentence lists them."""
    marked = [f'"{name}"' for name in names]
    return " and ".join(filter(None, (", ".join(marked[:-1]), *marked[-1:])))


def words(line: Line | None) -> str:
    """What a line says or means: exact words in quotes."""
    if line is None:
        return "nothing"
    return f"“{line.say}”" if line.say is not None else line.convey or "nothing"


def leads(answer: Answer | Rung | None) -> str:
    """Where an answer or a rung leads, as words."""
    match answer:
        case None:
            return "nothing"
        case Rung(go=None):
            return "a stay"
        case Rung(go=go) | Answer(go=str(go)):
            return f'"{go}"'
        case Answer(at_most=None):
            return "a stay"
        case _:
            return f"a stay, at most {answer.at_most}" + (f', then "{answer.then}"' if answer.then else "")


def ladder(rungs: tuple[Rung, ...]) -> str:
    """A ladder as the places its rungs lead to."""
    return " > ".join("stay" if rung.go is None else f'"{rung.go}"' for rung in rungs) or "nothing"


def rewording(old: Line | None, new: Line | None, what: str, nodes: tuple[str, ...] = ()) -> Iterator[Change]:
    """The change of a line, if it changed: a meaning instead of exact words is more than wording."""
    if old == new:
        return
    if (old is None) != (new is None) or ((old and old.say) is None) != ((new and new.say) is None):
        said = (
            "a meaning, no longer exact words" if old and old.say and new and new.convey else "said otherwise"
        )
        yield Change("notable", "wording", f"{what} is {said}: {words(old)} → {words(new)}", nodes)
    elif words(old) != words(new):
        yield Change("cosmetic", "wording", f"{what}: {words(old)} → {words(new)}", nodes)
    else:
        yield Change("cosmetic", "wording", f"{what}: another sample wording", nodes)
