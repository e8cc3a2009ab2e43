"""What is otherwise at the nodes: those gained and lost, and the answers, ways and words of those kept."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from voiceflow_compiler.artifact import Answer, Artifact, Expr, Node, Rung
from voiceflow_compiler.difference.change import Change, Severity, ladder, leads, quoted, rewording, words

# The fields of a node that hold one value, how a sentence names them, and how grave a change is.
_FIELDS: Final[tuple[tuple[str, str, Severity], ...]] = (
    ("kind", "kind", "notable"),
    ("action", "action", "notable"),
    ("handoff", "handoff", "notable"),
    ("outcome", "outcome", "breaking"),
    ("collect", "what it finds out", "notable"),
    ("next", "way on", "notable"),
    ("filled", "way on when all is known", "notable"),
    ("otherwise", "otherwise", "notable"),
    ("on_success", "way on when done", "notable"),
    ("on_failure", "way on when it failed", "notable"),
    ("on_unknown", "way on when nobody can tell", "notable"),
    ("undo", "action that takes it back", "notable"),
    ("control", "control", "notable"),
    ("no_input_after_ms", "silence that counts (ms)", "notable"),
)
_LEADS: Final = frozenset(
    ("go", "then", "next", "filled", "otherwise", "on_success", "on_failure", "on_unknown", "if_unanswered")
)


def renamed(old: Artifact, new: Artifact) -> dict[str, str]:
    """Nodes that only got another name, old name to new: what they say and do is the same and unique."""
    gone = _by_essence(old, old.nodes.keys() - new.nodes.keys())
    come = _by_essence(new, new.nodes.keys() - old.nodes.keys())
    return {
        gone[essence][0]: come[essence][0]
        for essence in gone
        if essence in come and len(gone[essence]) == len(come[essence]) == 1
    }


def with_names(artifact: Artifact, names: Mapping[str, str]) -> Artifact:
    """The same flow with other names for some nodes."""
    if not names:
        return artifact
    plain = msgspec.to_builtins(artifact)
    for part in (
        "nodes",
        "everywhere",
        "no_match",
        "no_input",
        "lost_model",
        "limits",
        "handoffs",
        "triggers",
    ):
        plain[part] = _led(plain[part], names)
    for part in ("nodes", "briefs"):
        plain[part] = {names.get(name, name): value for name, value in plain[part].items()}
    plain["start"] = names.get(plain["start"], plain["start"])
    return msgspec.convert(plain, Artifact)


def node_changes(old: Artifact, new: Artifact) -> Iterator[Change]:
    """Nodes gained, lost and changed, in the order of the new flow; then what holds everywhere."""
    for name in old.nodes:
        if name not in new.nodes:
            yield Change("notable", "node", f'the node "{name}" is gone: {_does(old, name)}', (name,))
    for name, node in new.nodes.items():
        if name not in old.nodes:
            yield Change("notable", "node", f'there is a new node "{name}": {_does(new, name)}', (name,))
        else:
            yield from _node(old, new, name, old.nodes[name], node)
    yield from _everywhere(old, new)


def _node(old: Artifact, new: Artifact, name: str, before: Node, after: Node) -> Iterator[Change]:
    here = (name,)
    for field, what, severity in _FIELDS:
        was, is_ = getattr(before, field), getattr(after, field)
        if was != is_ and not (field == "no_input_after_ms" and "ask" not in (before.kind, after.kind)):
            yield Change(severity, "node", f'at "{name}", the {what}: {_shown(was)} → {_shown(is_)}', here)
    yield from _cases(name, before, after)
    if "disclosure" in (before.kind, after.kind) and before.line != after.line:
        was, is_ = words(before.line), words(after.line)
        yield Change("notable", "disclosure", f'the disclosure "{name}": {was} → {is_}', here)
    else:
        yield from rewording(before.line, after.line, f'what "{name}" says', here)
    yield from rewording(before.while_waiting, after.while_waiting, f'what "{name}" says while waiting', here)
    yield from rewording(
        before.while_checking, after.while_checking, f'what "{name}" says while checking', here
    )
    yield from _answers(old, new, name, before, after)
    for key in (*before.keys, *(key for key in after.keys if key not in before.keys)):
        yield from _answer(f'at "{name}", key {key}', before.keys.get(key), after.keys.get(key), here)
    for cause, what in (("no_match", "when not understood"), ("no_input", "after silence")):
        was, is_ = getattr(before, cause), getattr(after, cause)
        if (was, is_) != (getattr(old, cause), getattr(new, cause)):
            yield from _ladder(f'at "{name}", {what}', was, is_, here)


def _answers(old: Artifact, new: Artifact, name: str, before: Node, after: Node) -> Iterator[Change]:
    """Answers by intent, without those that both versions take from everywhere: these are told once."""
    for intent in (*before.answers, *(each for each in after.answers if each not in before.answers)):
        was, is_ = before.answers.get(intent), after.answers.get(intent)
        everywhere = (old.everywhere.get(intent), new.everywhere.get(intent))
        known = intent in old.intents and intent in new.intents
        if (was, is_) != everywhere and known:
            yield from _answer(f'at "{name}", {intent}', was, is_, (name,))


def _everywhere(old: Artifact, new: Artifact) -> Iterator[Change]:
    for intent in (*old.everywhere, *(each for each in new.everywhere if each not in old.everywhere)):
        yield from _answer(
            f"everywhere, {intent}", old.everywhere.get(intent), new.everywhere.get(intent), ()
        )
    yield from _ladder("everywhere, when not understood", old.no_match, new.no_match, ())
    yield from _ladder("everywhere, after silence", old.no_input, new.no_input, ())


def _answer(what: str, old: Answer | None, new: Answer | None, nodes: tuple[str, ...]) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change("notable", "answer", f"{what} is now answered: {leads(new)}", nodes)
    elif new is None and old is not None:
        yield Change("breaking", "answer", f"{what} is no longer answered (it was {leads(old)})", nodes)
    elif leads(old) != leads(new):
        yield Change("notable", "answer", f"{what} leads to {leads(new)} instead of {leads(old)}", nodes)
    if old is not None and new is not None:
        yield from rewording(old.line, new.line, f"{what}, what is said", nodes)


def _ladder(
    what: str, old: tuple[Rung, ...], new: tuple[Rung, ...], nodes: tuple[str, ...]
) -> Iterator[Change]:
    if ladder(old) != ladder(new):
        yield Change("notable", "ladder", f"{what}: {ladder(old)} → {ladder(new)}", nodes)
        return
    for step, (was, is_) in enumerate(zip(old, new, strict=True), start=1):
        yield from rewording(was.line, is_.line, f"{what}, step {step}", nodes)


def _cases(name: str, before: Node, after: Node) -> Iterator[Change]:
    was = [(_plain(case.when), case.go) for case in before.cases]
    is_ = [(_plain(case.when), case.go) for case in after.cases]
    if was != is_:
        shown = [" ; ".join(f'{when} > "{go}"' for when, go in cases) or "no cases" for cases in (was, is_)]
        yield Change("notable", "condition", f'at "{name}", the cases: {shown[0]} → {shown[1]}', (name,))


def _plain(expr: Expr) -> str:
    """A lowered condition in the words of the language, every part in parentheses."""
    match expr:
        case ["name", *parts]:
            return ".".join(map(str, parts))
        case ["value", value]:
            return repr(value)
        case ["list", *items]:
            return f"[{', '.join(map(_plain, items))}]"
        case ["not", inner]:
            return f"not ({_plain(inner)})"
        case ["and" | "or" as word, *parts]:
            return f" {word} ".join(f"({_plain(part)})" for part in parts)
        case [str(sign), left, right]:
            return f"{_plain(left)} {sign} {_plain(right)}"
    return str(expr)


def _does(artifact: Artifact, name: str) -> str:
    node = artifact.nodes[name]
    match node.kind:
        case "act":
            return f"act, {node.action}"
        case "handoff":
            return f"handoff to {node.handoff}"
        case "decide":
            return "decide"
    return f"{node.kind}, {words(node.line)}"


def _by_essence(artifact: Artifact, names: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        node = artifact.nodes[name]
        essence = (node.kind, words(node.line), node.collect, node.action, node.handoff, node.outcome)
        if node.kind != "decide":
            found.setdefault(repr(essence), []).append(name)
    return found


def _led(part: Any, names: Mapping[str, str]) -> Any:
    """A part in plain values with every place it leads to named anew."""
    match part:
        case dict():
            return {
                key: names.get(value, value)
                if key in _LEADS and isinstance(value, str)
                else _led(value, names)
                for key, value in part.items()
            }
        case list() | tuple():
            return [_led(each, names) for each in part]
    return part


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return quoted(value) or "nothing"
    return f'"{value}"' if isinstance(value, str) else "nothing" if value is None else str(value)
