"""What changes for callers between two compiled flows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.difference.change import SEVERITIES, Change, Severity, quoted
from voiceflow_compiler.difference.nodes import node_changes, renamed, with_names
from voiceflow_compiler.difference.parts import part_changes
from voiceflow_compiler.difference.prompt_sizes import Size, size_changes, sizes
from voiceflow_compiler.difference.safeguards import safeguard_changes
from voiceflow_compiler.difference.scenarios import Touched, touched

__all__ = [
    "DIFFERENCE_VERSION",
    "SEVERITIES",
    "Change",
    "Difference",
    "Severity",
    "Size",
    "Touched",
    "compare",
]

DIFFERENCE_VERSION: Final = 1
_MANY: Final = 3  # nodes that changed alike, from which on they are told together


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a flow and all that is otherwise, gravest first."""

    old: Artifact
    new: Artifact
    changes: tuple[Change, ...]
    sizes: tuple[Size, ...]
    touched: tuple[Touched, ...]

    @property
    def worst(self) -> Severity | None:
        """The gravest severity; None when nothing differs."""
        return self.changes[0].severity if self.changes else None


def compare(old: Artifact, new: Artifact, scenarios: Mapping[str, Any] | None = None) -> Difference:
    """What is otherwise in `new`. `scenarios` are the callers and scenarios beside it: name to plain data."""
    names = renamed(old, new)
    before = with_names(old, names)
    found = [
        *(
            Change("cosmetic", "rename", f'"{was}" is now called "{is_}"', (is_,))
            for was, is_ in names.items()
        ),
        *safeguard_changes(before, new),
        *node_changes(before, new),
        *part_changes(before, new),
    ]
    grown = sizes(before, new)
    found += size_changes(grown)
    if any(each.severity != "cosmetic" for each in found) and old.flow_version == new.flow_version:
        found.append(Change("notable", "version", f"the version is still {new.flow_version}"))
    found = list(_folded(found))
    changes = tuple(sorted(dict.fromkeys(found), key=lambda each: SEVERITIES.index(each.severity)))
    nodes = frozenset(chain.from_iterable(each.nodes for each in changes))
    return Difference(old, new, changes, grown, touched(scenarios or {}, before, new, nodes))


def _folded(found: Iterable[Change]) -> Iterator[Change]:
    """The changes, those that are alike at several nodes told once, where the first of them stood."""
    alike: dict[tuple[str, str, str], list[Change]] = {}
    for each in found:
        rest = each.message.removeprefix(f'at "{each.nodes[0]}", ') if len(each.nodes) == 1 else each.message
        alike.setdefault((each.severity, each.kind, rest), []).append(each)
    for (_, _, rest), changes in alike.items():
        if len(changes) < _MANY or rest == changes[0].message:
            yield from changes
        else:
            nodes = tuple(dict.fromkeys(change.nodes[0] for change in changes))
            shown = f"{quoted(nodes)}" if len(nodes) <= _MANY else f"{', '.join(nodes[:_MANY])} …"
            yield replace(changes[0], message=f"at {len(nodes)} nodes ({shown}), {rest}", nodes=nodes)
