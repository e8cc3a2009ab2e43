"""The passes in order: read, judge, resolve, check, lower."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from voiceflow_compiler.diagnostics import Finding, Places, in_order
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.include import Reading, Source, opened_for
from voiceflow_compiler.locales import Locale, open_locales
from voiceflow_compiler.project import Project, above
from voiceflow_compiler.resolve import Kept, resolve
from voiceflow_compiler.schema import Right, violations
from voiceflow_compiler.subflow import Whole, put_in, told

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact
    from voiceflow_compiler.graph import Graph

# Findings of reading and of the schema after which nothing is missing from the flow.
_HARMLESS: Final = frozenset({"VF004", "VF009", "VF105", "VF106", "VF108", "VF110"})

# What can be said of a flow of which parts could not be taken: these look at what is there, never at what is
# absent.
_SAID_OF_PARTS: Final = frozenset(
    {
        "shared-example",
        "intent-without-examples",
        "disclosure-depends-on-call",
        "human-claim",
        "long-ladder",
        "repeated-reprompt",
        "shadowed-case",
        "suitability-says-human",
        "long-wait",
        "long-turn",
        "quoted-forbidden-words",
        "negative-instruction",
        "unspeakable",
        "foreign-placeholder",
        "tool-in-speech",
        "nothing-to-say",
        "secret-in-the-flow",
    }
)


@dataclass(slots=True)
class Again:
    """What makes loading a flow for the second time quick, for whoever does so after every key: how files are
    read, and what is remembered of the schema's judgement and of the nodes.
    """

    reading: Reading | None = None
    right: Right = field(default_factory=dict)
    right_in: dict[str, Right] = field(default_factory=dict)  # of each subflow's file
    kept: Kept = field(default_factory=Kept)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A flow as resolved, before any check of its graph. `flow` is None when too little could be read."""

    flow: Flow | None
    source: Source
    findings: tuple[Finding, ...]
    whole: Whole | None = None  # the flow with its subflows in it
    project: Project | None = None  # that the flow's file lies in
    locales: tuple["Localized", ...] = ()


@dataclass(frozen=True, slots=True)
class Localized:
    """A flow in another locale; None when too little could be taken."""

    locale: Locale
    flow: Flow | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything found in a flow, in the order of its places. `flow` and `graph` are None when too little
    could be read.
    """

    findings: tuple[Finding, ...]
    flow: Flow | None
    source: Source
    graph: "Graph | None"
    untold: int = 0  # findings that the project leaves out, with a reason
    locales: Mapping[str, Flow] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether there is no error."""
        return self.flow is not None and all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Compiled:
    """An artifact, or None when the flow has errors, with everything found."""

    artifact: "Artifact | None"
    findings: tuple[Finding, ...]
    source: Source


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Without the garbage collector: a large flow is a million live objects,
    and walking them doubles the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collector_at_rest()
def load(path: str, root: str | None = None, again: Again | None = None) -> Loaded:
    """Read, judge by the schema, and resolve. `root` is the project folder (see `include.open_flow`)."""
    again = again or Again()
    opened = opened_for(path, root, again.reading)
    source = opened.flow(path)
    findings = list(source.findings)
    if source.data is None:
        return Loaded(None, source, tuple(in_order(findings)))
    whole = put_in(source, opened)
    findings += [*whole.findings, *violations(source, again.right)]
    for file, each in whole.files.items():
        findings += violations(each, again.right_in.setdefault(file, {}), "subflow")
    sound = all(finding.code in _HARMLESS for finding in findings)
    source = replace(source, places=whole.places)
    flow, more = resolve(source.data, source.places, whole_source=sound, kept=again.kept, whole=whole)
    project = above(Path(path))
    if flow is not None and project is not None and not flow.jurisdictions:
        flow = replace(flow, jurisdictions=project.jurisdictions)
    found = told([*findings, *more], whole)
    locales = []
    for locale in open_locales(Path(path), whole, opened) if flow is not None else ():
        localized, others = _localized(locale, source, found)
        locales.append(localized)
        # A text is unknown for certain where the whole flow could be read.
        found += [each for each in others if each.code != "VF152" or (flow is not None and flow.whole)]
    found += _missing_locales(project, source, flow, {each.locale.tag for each in locales})
    return Loaded(flow, source, tuple(in_order(found)), whole, project, tuple(locales))


def _localized(locale: Locale, source: Source, known: list[Finding]) -> tuple[Localized, list[Finding]]:
    """A flow in a locale, with what is found there and not in the flow itself."""
    if locale.whole is None:
        return Localized(locale, None), list(locale.findings)
    sound = all(finding.severity != "error" for finding in (*known, *locale.findings))
    flow, more = resolve(source.data, locale.whole.places, whole_source=sound, whole=locale.whole)
    return Localized(locale, flow), [*locale.findings, *_of_locale(locale, more, known)]


def _of_locale(locale: Locale, found: list[Finding], known: list[Finding]) -> Iterator[Finding]:
    """What is found in a localized flow: in its own file, or nowhere in the flow's own language."""
    told_already = {(each.code, each.span) for each in known}
    for finding in found:
        if finding.span.file == locale.file:
            yield finding
        elif (finding.code, finding.span) not in told_already:
            yield replace(finding, message=f"in {locale.tag}: {finding.message}", fix=())


def _missing_locales(
    project: Project | None, source: Source, flow: Flow | None, tags: set[str]
) -> Iterator[Finding]:
    for tag in project.locales if project is not None and flow is not None else ():
        if tag not in tags and flow is not None and tag != flow.locale:
            message = f"the project wants the locale {tag}, and this flow has none"
            span = source.places.key(("locale",) if "locale" in source.data else ("flow",))
            tip = f"`vfc locale {source.file} {tag}` writes locales/{tag}.yaml for a translator."
            yield Finding("VF156", "missing-locale", "error", message, span, tip)


@_collector_at_rest()
def check(path: str, root: str | None = None) -> Checked:
    """Everything that can be found in a flow without a call."""
    return judge(load(path, root))


@_collector_at_rest()
def judge(loaded: Loaded) -> Checked:
    """What the checks find in a flow, beside what was found when it was loaded.

    A flow of which parts could not be taken is checked only for what does not argue from their absence: an
    innocent node is not called unreachable because the node before it has a typo.
    """
    if loaded.flow is None:
        return Checked(loaded.findings, None, loaded.source, None)
    # networkx is behind this: `vfc --help` and a file that cannot be read do without it
    from voiceflow_compiler.graph import build

    graph = build(loaded.flow)
    findings = _checked(loaded.flow, graph, loaded.source.places)
    for localized in loaded.locales:
        if localized.flow is not None and localized.locale.whole is not None:
            places = localized.locale.whole.places
            more = _checked(localized.flow, build(localized.flow), places)
            findings += _of_locale(localized.locale, more, findings)
    if loaded.whole is not None:
        findings = told(findings, loaded.whole)
    findings += loaded.findings
    kept = [each for each in findings if loaded.project is None or loaded.project.keeps(each)]
    untold = len(findings) - len(kept)
    locales = {each.locale.tag: each.flow for each in loaded.locales if each.flow is not None}
    return Checked(tuple(in_order(kept)), loaded.flow, loaded.source, graph, untold, locales)


def _checked(flow: Flow, graph: "Graph", places: Places) -> list[Finding]:
    from voiceflow_compiler.checks import CHECKS

    chosen = (each for each in CHECKS if flow.whole or each.name in _SAID_OF_PARTS)
    return [finding for each in chosen for finding in each(flow, graph, places)]


@_collector_at_rest()
def compile(path: str, root: str | None = None) -> Compiled:  # noqa: A001 - what the command is called
    """The artifact of a flow without errors."""
    checked = check(path, root)
    if not checked.good or checked.flow is None:
        return Compiled(None, checked.findings, checked.source)
    return Compiled(_in_all_locales(checked.flow, checked.locales), checked.findings, checked.source)


def _in_all_locales(flow: Flow, locales: Mapping[str, Flow]) -> "Artifact":
    """The artifact of a flow with what differs in each of its locales."""
    from voiceflow_compiler.artifact import seal
    from voiceflow_compiler.lower import lower
    from voiceflow_compiler.overlay import difference

    base = lower(flow)
    if not locales and flow.locale_fact is None:
        return base
    over = {tag: difference(base, lower(replace(each, translated=True))) for tag, each in locales.items()}
    return seal(structs.replace(base, content_hash="", locales=over, locale_fact=flow.locale_fact))
