"""Flows with their subflows put in: every use of a subflow becomes nodes of the flow, under names of its own.

Laws
1. A subflow's node `ask` used as `verify` is the node `verify.ask` of the flow; a slot or an action of its
   own is `verify_ask`. What stands there keeps its text and its place in the subflow's file.
2. A subflow may use subflows; a circle of them is a finding, and so is more than a flow can hold.
3. What is found in a subflow's file is told once, with the places that use it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from voiceflow_compiler.diagnostics import Finding, Place, Places, Related, Span
from voiceflow_compiler.diagnostics import Path as DataPath
from voiceflow_compiler.flow import BUILT_IN_INTENTS
from voiceflow_compiler.include import Opened, Source, joined, real

MAX_USES: Final = 200
MAX_NODES: Final = 20_000
SECTIONS: Final = ("nodes", "slots", "intents", "actions")
SCOPED: Final = "subflows"  # below this key stand the subflows' own files, by use

_SHOWN: Final = 4  # uses shown beside a finding


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a subflow: the node that stands for it, the use it stands in (none: the flow), and the
    subflow's file.
    """

    node: str
    within: str | None
    written: Mapping[str, Any]
    span: Span
    source: Source

    @property
    def path(self) -> DataPath:
        return ("nodes", self.node)

    @property
    def prefix(self) -> str:
        """What the names of its own slots and actions begin with."""
        return self.node.replace(".", "_")

    def node_named(self, name: str) -> str:
        """The flow's name of one of the subflow's nodes."""
        return f"{self.node}.{name}"

    def own(self, name: str) -> str:
        """The flow's name of a slot or an action that is the subflow's own."""
        return f"{self.prefix}_{name}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A flow with its subflows in it. `owners` tells of a section and a name in `data` whose use it is."""

    data: Any
    places: Places
    uses: Mapping[str, Use] = field(default_factory=dict)
    owners: Mapping[tuple[str, str], str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def called(self, action: str) -> str | None:
        """What a subflow calls one of its actions; None for the flow's own."""
        use = self.owners.get(("actions", action))
        return None if use is None else action.removeprefix(f"{self.uses[use].prefix}_")

    @property
    def files(self) -> Mapping[str, Source]:
        """The subflows' files, each once."""
        return {use.source.file: use.source for use in self.uses.values()}


def put_in(source: Source, opened: Opened) -> Whole:
    """A flow with the subflows that it uses, read through `opened`."""
    nodes = section(source.data, "nodes")
    if not any(_is_use(node) for node in nodes.values()):
        return Whole(source.data, source.places)
    return _Joining(source, opened).whole()


def told(findings: Iterable[Finding], whole: Whole) -> list[Finding]:
    """Findings of a flow; one in a subflow's file names its uses, and is told once for all of them."""
    found: dict[Any, Finding] = {}
    for finding in findings:
        uses = [use for use in whole.uses.values() if use.source.file == finding.span.file]
        if not uses:
            found.setdefault(finding, finding)
            continue
        message = finding.message
        for use in uses:
            message = message.replace(f"{use.node}.", "").replace(f"{use.prefix}_", "")
        key = (finding.code, finding.span, message)
        found.setdefault(key, replace(finding, related=(*finding.related, *_used(uses, finding))))
    return list(found.values())


def _used(uses: list[Use], finding: Finding) -> Iterator[Related]:
    for use in uses[:_SHOWN]:
        if use.span.file != finding.span.file:
            yield Related(use.span, f'used here as "{use.node}"')


def section(data: Any, key: str) -> dict[str, Any]:
    """The map under a key; empty when there is none."""
    return _map(_map(data).get(key))


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _family(intent: Any) -> Any:
    return _map(intent).get("family")


def _is_use(node: Any) -> bool:
    return isinstance(node, dict) and node.get("kind") == "flow"


def _copied(place: Place | None, like: Place) -> Place:
    """A place that can be given more below it, without a change to the one that was read."""
    copy = Place(*((place.file, place.key, place.value) if place else (like.file, like.key, like.value)))
    copy.below = dict(place.below or {}) if place else {}
    return copy


class _Joining:
    """One flow while its subflows are put in."""

    def __init__(self, source: Source, opened: Opened) -> None:
        self.opened = opened
        self.own = source.data
        self.root = _copied(source.places.root, source.places.root)
        assert self.root.below is not None
        self.data = {**source.data, **{key: dict(section(source.data, key)) for key in SECTIONS}}
        self.data["nodes"] = {}
        for key in (*SECTIONS, SCOPED):
            self.root.below[key] = _copied(self.root.below.get(key), self.root)
        self.places = Places(self.root, source.places.texts)
        self.file = Path(source.file)
        self.uses: dict[str, Use] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.findings: list[Finding] = []
        self.read: dict[Path, Source] = {}

    def whole(self) -> Whole:
        for name, node in section(self.own, "nodes").items():
            self.data["nodes"][name] = node
            if _is_use(node):
                self._put(name, node, None, (real(self.file),))
        return Whole(self.data, self.places, self.uses, self.owners, tuple(self.findings))

    def _put(
        self, name: str, written: Mapping[str, Any], within: Use | None, chain: tuple[Path, ...]
    ) -> None:
        path: DataPath = ("nodes", name, "flow")
        file, span = written.get("flow"), self.places.value(path)
        if not isinstance(file, str) or not file:
            return
        target = joined(Path(span.file).parent, file)
        source = self._opened(target, span, chain)
        if source is None:
            return
        use = Use(name, within.node if within else None, written, span, source)
        self.uses[name] = use
        self._below(SCOPED)[name] = source.places.root
        self._take_names(use)
        everywhere = _Everywhere(use, self.data["intents"])
        places = source.places.root.below or {}
        for local, node in section(source.data, "nodes").items():
            place = (places["nodes"].below or {})[local]
            whole, whole_place = everywhere.added(node, place)
            self._add("nodes", use.node_named(local), whole, whole_place, use)
            if _is_use(node):
                self._put(use.node_named(local), node, use, (*chain, real(target)))

    def _opened(self, target: Path, span: Span, chain: tuple[Path, ...]) -> Source | None:
        """A subflow's file, read once; None, with a finding, where there is none that may be used here."""
        where = real(target)
        if where in chain:
            way = " -> ".join(each.name for each in (*chain[chain.index(where) :], where))
            message = f"this subflow uses itself: {way}"
            tip = "Let one of them end by an exit, and go round in the flow that uses it."
            return self._find("VF025", "subflow-cycle", message, span, tip)
        if len(self.uses) >= MAX_USES or len(self.data["nodes"]) >= MAX_NODES:
            message = f"more than {MAX_USES} uses of subflows, or {MAX_NODES:,} nodes"
            return self._find("VF011", "too-many-parts", message, span, "Split it into several flows.")
        if where not in self.read:
            problem = self.opened.problem(where, ())
            if problem:
                return self._find(*problem[:3], span, problem[3])
            self.read[where] = self.opened.part(target)
            self.findings += self.read[where].findings
        source = self.read[where]
        if source.data is not None and not isinstance(_map(source.data).get("subflow"), str):
            message = "this file is no subflow: it does not say `subflow:`"
            tip = "Begin the file with `language: 1`, `subflow: NAME` and `exits`."
            return self._find("VF026", "not-a-subflow", message, span, tip)
        return source if source.data is not None else None

    def _take_names(self, use: Use) -> None:
        """The subflow's own slots and actions, and its intents, which are the flow's as well."""
        data = use.source.data
        places = use.source.places.root.below or {}
        given = section(use.written, "slots")
        for key in ("slots", "actions"):
            for local, written in section(data, key).items():
                if key == "actions" or local not in given:
                    place = (places[key].below or {})[local]
                    self._add(key, use.own(local), written, place, use)
        for name, written in section(data, "intents").items():
            place = (places["intents"].below or {})[name]
            known = self.data["intents"].get(name)
            if known is None:
                self._add("intents", name, written, place, use)
            elif _family(known) != _family(written):
                self._clash("intents", name, place, "is an intent of another family in the flow that uses it")

    def _add(self, key: str, name: str, written: Any, place: Place, use: Use) -> None:
        if name in self.data[key]:
            clash = f'would be `{name}` where it is used as "{use.node}", and that is taken'
            self._clash(key, name, place, clash)
            return
        self.data[key][name] = written
        self._below(key)[name] = place
        self.owners[key, name] = use.node

    def _clash(self, key: str, name: str, place: Place, how: str) -> None:
        span = Places(place, {}).key(())
        first = Related(self.places.key((key, name)), "defined here")
        message = f"`{name}` {how}" if key == "intents" else f"this name {how}"
        tip = "Give one of them another name."
        self.findings.append(Finding("VF127", "name-taken", "error", message, span, tip, (first,)))

    def _below(self, key: str) -> dict[str | int, Place]:
        below = self.root.below and self.root.below[key].below
        assert below is not None  # made with the root
        return below

    def _find(self, code: str, name: str, message: str, span: Span, tip: str) -> Source | None:
        self.findings.append(Finding(code, name, "error", message, span, tip))
        return None


class _Everywhere:
    """What holds at every listening node of a subflow, written into those that do not say otherwise."""

    def __init__(self, use: Use, intents: Mapping[str, Any]) -> None:
        data = use.source.data
        self.places = use.source.places.root.below or {}
        self.answers = section(data, "everywhere")
        self.ladders = section(data, "fallback")
        built_in = {name: each.family for name, each in BUILT_IN_INTENTS.items()}
        self.families = {**{name: _family(each) for name, each in intents.items()}, **built_in}

    def added(self, node: Any, place: Place) -> tuple[Any, Place]:
        """A node, and its place, with what it inherits from its subflow."""
        if not isinstance(node, dict) or node.get("kind") != "ask" or not (self.answers or self.ladders):
            return node, place
        more = {"on": self._missing(section(node, "on")), "fallback": {**self.ladders}}
        node, place = dict(node), _copied(place, place)
        assert place.below is not None
        for key, source in (("on", "everywhere"), ("fallback", "fallback")):
            own = section(node, key)
            inherited = {name: each for name, each in more[key].items() if name not in own}
            if not inherited or (key in node and not isinstance(node[key], dict)):
                continue
            node[key] = {**own, **inherited}
            here = place.below[key] = _copied(place.below.get(key), self.places[source])
            theirs = self.places[source].below or {}
            here.below = {**(here.below or {}), **{name: theirs[name] for name in inherited}}
        return node, place

    def _missing(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """The answers that neither the node's own of that intent nor its family's goes before."""
        return {name: each for name, each in self.answers.items() if self.families.get(name) not in own}
