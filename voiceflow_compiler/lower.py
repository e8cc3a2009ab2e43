"""The last pass: a checked flow becomes an artifact with everything resolved.

The flow must have no errors left: what the checks would have reported raises ValueError here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from voiceflow_compiler import artifact, flow, prompts, tool_schemas, wording
from voiceflow_compiler.artifact import ARTIFACT_VERSION, Answer, Artifact, Rung
from voiceflow_compiler.flow import Flow

T = TypeVar("T")

# What the caller gets where neither the node nor `everywhere` answers (docs/language.md).

# A whole value of a type that is text, as the engine accepts it.
_PATTERNS: Final[dict[str, str]] = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "time": r"([01]\d|2[0-3]):[0-5]\d",
    "phone": r"\+?\d{5,15}",
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "digits": r"[0-9*#]+",
}


_LEAVES: Final = frozenset({str, int, float, bool})


class _Held(NamedTuple):
    """What holds everywhere, lowered once and shared by all nodes that write nothing of their own."""

    answers: dict[str, Answer]
    no_match: tuple[Rung, ...]
    no_input: tuple[Rung, ...]


def lower(source: Flow) -> Artifact:
    """The sealed artifact of a flow without errors. Equal flows give equal artifacts."""
    lost_model = _rung(source, _given(source.fallback.lost_model, "fallback.lost_model"))
    limits = _limits(source, _given(lost_model.go, "fallback.lost_model.go"))
    intents = {name: _intent(source, intent) for name, intent in source.intents.items()}
    slots = {name: _slot(source, slot) for name, slot in source.slots.items()}
    actions = {name: _action(source, action) for name, action in source.actions.items()}
    nodes = _with_implicit(source)
    held = _Held(
        _inherited(source),
        _ladder(source, source.fallback.no_match, limits.go),
        _ladder(source, source.fallback.no_input, limits.go),
    )
    whole = Artifact(
        artifact=ARTIFACT_VERSION,
        content_hash="",
        compiler=f"voiceflow-compiler {version('voiceflow-compiler')}",
        flow=source.name,
        flow_version=source.version,
        title=source.title,
        locale=source.locale,
        company=prompts.fill("{company}", source),
        purpose=prompts.fill("{purpose}", source),
        start=source.start,
        prefix=prompts.prefix(source),
        tools=_tools(source, intents, slots, actions),
        briefs={name: prompts.brief(source, node) for name, node in nodes.items() if node.kind != "decide"},
        nodes={name: _node(source, node, limits.go, held) for name, node in nodes.items()},
        intents=intents,
        slots=slots,
        facts={name: _fact(fact) for name, fact in source.facts.items()},
        fact_source=source.fact_source,
        fact_wait_ms=source.fact_wait_ms,
        triggers=tuple(_trigger(source, trigger) for trigger in source.triggers),
        actions=actions,
        handoffs={name: _handoff(source, handoff) for name, handoff in source.handoffs.items()},
        scripts={},
        lost_model=lost_model,
        limits=limits,
        confidence=source.confidence,
        unsure_below=source.unsure_below,
        voice=source.voice,
        speed=source.speed,
        currency=source.currency,
        suitability=_suitability(source),
        everywhere=held.answers,
        no_match=held.no_match,
        no_input=held.no_input,
        hold=_line(source, source.fallback.hold),
        turns=source.turns,
    )
    scripts = {line.script: line.say for line in _lines(whole) if line.script and line.say}
    return artifact.seal(msgspec.structs.replace(whole, scripts=scripts))


def _tools(
    source: Flow,
    intents: Mapping[str, artifact.Intent],
    slots: Mapping[str, artifact.Slot],
    actions: Mapping[str, artifact.Action],
) -> tuple[artifact.Tool, ...]:
    on_request = {name: action for name, action in actions.items() if action.on_request}
    return (
        tool_schemas.take_turn(intents, slots, source.currency),
        *(tool_schemas.action_tool(name, each, slots, source.currency) for name, each in on_request.items()),
    )


def _with_implicit(source: Flow) -> dict[str, flow.Node]:
    """The nodes, and a handoff node for every handoff that only a trigger reaches."""
    wanted = [trigger.to for trigger in source.triggers]
    absent = [name for name in wanted if _node_for(source, name) == _implicit(name)]
    made = [
        flow.Node(name=_implicit(name), path=("handoffs", name), kind="handoff", to=name) for name in absent
    ]
    return {**source.nodes, **{node.name: node for node in made}}


def _implicit(handoff: str) -> str:
    return f"handoff:{handoff}"


def _node_for(source: Flow, handoff: str) -> str:
    """The first node that leads to a handoff, or the implicit one."""
    nodes = (node.name for node in source.nodes.values() if node.kind == "handoff" and node.to == handoff)
    return next(nodes, _implicit(handoff))


def _node(source: Flow, node: flow.Node, way_out: str, held: _Held) -> artifact.Node:
    listens = node.kind == "ask"
    own_no_match = node.fallback.no_match if node.fallback else None
    own_no_input = node.fallback.no_input if node.fallback else None
    no_input = own_no_input or source.fallback.no_input
    action = source.actions.get(node.action or "")
    doubtful = action is not None and action.changes_something
    return artifact.Node(
        kind=node.kind,
        line=_line(source, node.line),
        control=_control(source, node),
        next=node.next,
        collect=node.collect,
        filled=node.filled,
        answers=_answers(source, node.on, held.answers) if listens else {},
        keys={key: _answer(source, answer) for key, answer in node.keys.items()},
        no_match=_climbed(source, own_no_match, way_out, held.no_match) if listens else (),
        no_input=_climbed(source, own_no_input, way_out, held.no_input) if listens else (),
        no_input_after_ms=no_input.after_ms if no_input else 6000,
        cases=tuple(artifact.Case(_given(case.when.expr, case.when.text), case.go) for case in node.cases),
        otherwise=node.otherwise,
        action=node.action,
        while_waiting=_line(source, node.while_waiting),
        on_success=node.on_success,
        on_failure=node.on_failure,
        on_unknown=node.on_unknown,
        while_checking=_line(source, node.while_checking)
        or (_designed(source, wording.CHECKING, wording.BE_CHECKING) if doubtful else None),
        unknown_line=_designed(source, wording.NOT_KNOWN, wording.SAY_NOT_KNOWN)
        if doubtful and node.on_unknown is None
        else None,
        undo=node.undo,
        handoff=node.to,
        outcome=node.outcome,
        on_overlap=node.on_overlap,
        sensitive=listens and source.is_sensitive(node),
    )


def _control(source: Flow, node: flow.Node) -> artifact.Control:
    """Strict where a turn may at once act, call a person or settle a value that must be right."""
    if node.control is not None:
        return node.control
    if node.kind != "ask":
        return "guided"
    exits = [
        node.filled,
        *(go for each in (*node.on.values(), *node.keys.values()) for go in (each.go, each.then)),
    ]
    grave = any(_reached(source, exit_) & {"act", "handoff"} for exit_ in exits)
    settles = any(source.slots[name].confirm == "always" for name in node.collect if name in source.slots)
    return "strict" if grave or settles else source.control


def _reached(source: Flow, start: str | None) -> set[str]:
    """The kinds of node reached before another word is spoken: a decide is passed in silence."""
    kinds: set[str] = set()
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name is None or name in seen or name not in source.nodes:
            continue
        seen.add(name)
        node = source.nodes[name]
        kinds.add(node.kind)
        if node.kind == "decide":
            ahead += [*(case.go for case in node.cases), node.otherwise]
    return kinds


def _answers(
    source: Flow, on: Mapping[str, flow.Answer], inherited: Mapping[str, Answer]
) -> dict[str, Answer]:
    """Every answered intent: the node's by intent, by family, else what it inherits."""
    found: dict[str, Answer] = {}
    for name, intent in source.intents.items():
        written = on.get(name) or on.get(intent.family)
        if written is not None:
            found[name] = _answer(source, written)
        elif name in inherited:
            found[name] = inherited[name]
    return found


def _inherited(source: Flow) -> dict[str, Answer]:
    """Every intent answered everywhere: by intent, by family, else the built-in."""
    built_in = {name: _built_in(source, name) for name in source.intents if name in wording.BUILT_IN}
    return _answers(source, source.everywhere, built_in)


def _built_in(source: Flow, intent: str) -> Answer:
    answer = wording.BUILT_IN[intent]
    line = wording.WITH_PEOPLE if intent == "are_you_human" and source.handoffs else answer.line
    return msgspec.structs.replace(
        answer, line=None if line is None else wording.spoken_in(source.locale, line)
    )


def _designed(source: Flow, words: str, meaning: str) -> artifact.Line:
    """A line of ours: these words in a language they are known in, their meaning elsewhere."""
    said = wording.in_language(source.locale, words)
    return artifact.Line(convey=meaning) if said is None else artifact.Line(say=said, script=_script(said))


def _answer(source: Flow, answer: flow.Answer) -> Answer:
    return Answer(_line(source, answer.line), answer.go, answer.at_most, answer.then)


def _ladder(source: Flow, ladder: flow.Ladder | None, way_out: str) -> tuple[Rung, ...]:
    """The rungs; a ladder nobody wrote leads straight out, so that no call hangs on it."""
    if ladder is None or not ladder.rungs:
        return (Rung(go=way_out),)
    return tuple(_rung(source, rung) for rung in ladder.rungs)


def _climbed(source: Flow, own: flow.Ladder | None, way_out: str, held: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """A node's own ladder, or the one that holds everywhere."""
    return held if own is None else _ladder(source, own, way_out)


def _rung(source: Flow, rung: flow.Rung) -> Rung:
    return Rung(_line(source, rung.line), rung.go)


def _line(source: Flow, line: flow.Line | None) -> artifact.Line | None:
    return None if line is None else _spoken(source, line)


def _spoken(source: Flow, line: flow.Line) -> artifact.Line:
    say, convey, sample = (
        None if text is None else prompts.fill(text, source) for text in (line.say, line.convey, line.sample)
    )
    ready = say is not None and not prompts.needs_the_call(say)
    return artifact.Line(say, convey, sample, _script(say) if say is not None and ready else None)


def _script(text: str) -> str:
    """A name for exact words that changes when they do, so that audio made beforehand is never stale."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _lines(whole: Artifact) -> Iterator[artifact.Line]:
    """Every line anywhere in an artifact, what several nodes share once."""
    seen: set[int] = set()
    ahead: list[object] = [whole]
    while ahead:
        part = ahead.pop()
        if isinstance(part, artifact.Line):
            yield part
            continue
        if id(part) in seen:
            continue
        seen.add(id(part))
        inner: Iterable[object] = ()
        if isinstance(part, Struct):
            inner = [getattr(part, name) for name in part.__struct_fields__]
        elif isinstance(part, dict):
            inner = part.values()
        elif isinstance(part, tuple):
            inner = part
        ahead += [each for each in inner if each and type(each) not in _LEAVES]


def _limits(source: Flow, lost_model: str) -> artifact.Limits:
    limits = source.limits
    return artifact.Limits(
        turns=limits.turns,
        call_ms=round(limits.minutes * 60_000),
        no_progress=limits.no_progress,
        visits=limits.visits,
        go=limits.go or lost_model,
    )


def _trigger(source: Flow, trigger: flow.Trigger) -> artifact.Trigger:
    when = _given(trigger.when.expr, trigger.when.text)
    return artifact.Trigger(when, _node_for(source, trigger.to), trigger.reason or trigger.when.text)


def _intent(source: Flow, intent: flow.Intent) -> artifact.Intent:
    examples = tuple(prompts.fill(example, source) for example in intent.examples)
    return artifact.Intent(intent.family, prompts.fill(intent.means, source), examples, intent.built_in)


def _slot(source: Flow, slot: flow.Slot) -> artifact.Slot:
    return artifact.Slot(
        type=slot.type,
        meaning=prompts.meaning(slot, source),
        choices=slot.choices,
        minimum=slot.minimum,
        maximum=slot.maximum,
        pattern=_PATTERNS.get(slot.type),
        min_length=slot.min_length,
        max_length=slot.max_length,
        confirm=slot.confirm,
        by_keypad=slot.by_keypad,
        personal=slot.personal,
        secret=slot.secret,
        sample=None if slot.sample is None else prompts.fill(slot.sample, source),
        spoken={name: said[1] for name, said in slot.phrases.items() if said[1:]}
        if source.translated
        else {},
    )


def _fact(fact: flow.Fact) -> artifact.Fact:
    if fact.otherwise is None:
        raise _missing(f"caller_facts.fields.{fact.name}.otherwise")
    return artifact.Fact(fact.type, fact.otherwise, fact.choices, fact.personal, fact.secret)


def _action(source: Flow, action: flow.Action) -> artifact.Action:
    return artifact.Action(
        does=prompts.fill(action.does, source),
        takes={name: _given(value.expr, value.text) for name, value in action.takes.items()},
        returns=dict(action.returns),
        changes_something=action.changes_something,
        within_ms=action.within_ms,
        retries=action.retries,
        on_request=action.on_request,
        promises=action.promises,
        called=action.called,
        secrets=tuple(name for name, value in action.takes.items() if source.is_secret(value.expr)),
    )


def _handoff(source: Flow, handoff: flow.Handoff) -> artifact.Handoff:
    return artifact.Handoff(
        mode=handoff.mode,
        line=_spoken(source, handoff.line),
        package=handoff.package,
        if_unanswered=_given(handoff.if_unanswered, f"handoffs.{handoff.name}.if_unanswered"),
        unanswered_line=_line(source, handoff.unanswered_line)
        or wording.spoken_in(source.locale, wording.NOBODY_FREE),
        timeout_ms=handoff.timeout_ms,
        promises=handoff.promises,
        hold_line=_line(source, handoff.hold_line) or _designed(source, *wording.STILL_RINGING),
    )


def _suitability(source: Flow) -> artifact.Suitability | None:
    asked = source.suitability
    if asked is None:
        return None
    return artifact.Suitability(
        structure=asked.structure,
        stakes=asked.stakes,
        sensitivity=asked.sensitivity,
        information=asked.information,
        importance=asked.importance,
        metric=asked.metric,
        human_baseline=asked.human_baseline,
    )


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise _missing(what)
    return value


def _missing(what: str) -> ValueError:
    return ValueError(f"{what!r} is missing or broken: check the flow before compiling it")
