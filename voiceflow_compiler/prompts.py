"""The words the model is given: the stable prefix and the static lines of every brief.

Laws (docs/prompting.md is the contract)
1. Equal flows give equal text; a designer's braces and percent signs are text, never template code.
2. What stays a `{placeholder}` in a brief is filled by the engine; the prefix keeps only `{caller_record}`.
3. A designer's text stays on its line and inside its quotes, so it cannot pose as a label or a section.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from voiceflow_compiler.flow import Flow, Intent, Line, Node, Slot, placeholders

# The one placeholder of the prefix; the engine puts the caller's record there.
RECORD: Final = "{caller_record}"

_THEN: Final = {"ask": "wait", "end": "stop", "handoff": "stop"}


def fill(text: str, flow: Flow) -> str:
    """`text` on one line, `{company}` and `{purpose}` filled in; every other placeholder and brace stays."""
    line, filled, done = _one_line(text), "", 0
    if "{" not in line:
        return line
    company = _braceless(flow.company)
    purpose = _braceless(flow.purpose.replace("{company}", company))
    known = {"company": company, "purpose": purpose}
    for name, start, end in placeholders(line):
        filled += line[done:start] + known.get(name, f"{{{name}}}")
        done = end
    return filled + line[done:]


def needs_the_call(text: str) -> bool:
    """Whether a filled text still waits for something known only on a call."""
    return any(placeholders(text))


def prefix(flow: Flow) -> str:
    """The session instructions of a whole call."""
    tools = [action.name for action in flow.actions.values() if action.on_request]
    intents = sorted(flow.intents.values(), key=lambda intent: intent.built_in)
    return _render(
        "prefix.md.j2",
        company=fill("{company}", flow),
        purpose=_sentence(fill("{purpose}", flow)),
        style=_plain(flow.style, flow),
        locale=flow.locale,
        intents=[_intent(intent, flow) for intent in intents],
        slots=[_slot(slot, flow) for slot in flow.slots.values() if told(slot)],
        knowledge=[_plain(sentence, flow) for sentence in flow.knowledge],
        actions=", ".join(tools),
        people=bool(flow.handoffs),
        record=RECORD if any(not fact.secret for fact in flow.facts.values()) else "",
    )


def brief(flow: Flow, node: Node) -> str:
    """The static lines of a node's brief; the dynamic ones go in before `Answers here`."""
    line = _line_of(flow, node)
    return _render(
        "brief.txt.j2",
        node=node.name,
        convey=_text(line.convey, flow),
        sample=_unquoted(_text(line.sample, flow)),
        say=_unquoted(_text(line.say, flow)),
        answers=", ".join(_answered(flow, node)),
        then=_THEN.get(node.kind, ""),
    ).rstrip("\n")


def told(slot: Slot) -> bool:
    """Whether the model hears of a slot: secrets and what is typed on the keypad are the engine's alone."""
    return not slot.secret and not slot.by_keypad


def meaning(slot: Slot, flow: Flow) -> str:
    """What a slot is, in a few words without an end stop."""
    return _plain(slot.meaning, flow).rstrip(".") or slot.name.replace("_", " ")


def _line_of(flow: Flow, node: Node) -> Line:
    """What a node says: for a handoff node the words of its handoff, for an act those of its wait."""
    if node.to is not None and node.to in flow.handoffs:
        return flow.handoffs[node.to].line
    return node.line or node.while_waiting or Line(node.path)


def _answered(flow: Flow, node: Node) -> list[str]:
    """The intents a node answers itself, a family written out; what holds everywhere is not repeated."""
    return [name for name, intent in flow.intents.items() if {name, intent.family} & node.on.keys()]


def _intent(intent: Intent, flow: Flow) -> str:
    return _render(
        "intent.txt.j2",
        name=intent.name,
        family=intent.family,
        means=_sentence(_unquoted(_plain(intent.means, flow))),
        examples=_quoted(intent.examples, flow),
    )


def _slot(slot: Slot, flow: Flow) -> str:
    phrases = {value: _quoted(slot.phrases.get(value, ()), flow) for value in slot.choices}
    return _render(
        "slot.txt.j2",
        name=slot.name,
        qualifiers=", ".join((slot.type, *_qualifiers(slot, flow))),
        meaning=_sentence(_unquoted(meaning(slot, flow))),
        choices=", ".join(f"{value} ({said})" if said else value for value, said in phrases.items()),
        examples=_quoted(slot.examples, flow),
    )


def _qualifiers(slot: Slot, flow: Flow) -> Iterable[str]:
    if slot.type == "money":
        yield f"in {flow.currency}"
    if slot.type in ("date", "time"):
        yield {"date": "YYYY-MM-DD", "time": "HH:MM"}[slot.type]
    unit = "digits" if slot.type == "digits" else "characters"
    yield from _range(slot.minimum, slot.maximum, "")
    yield from _range(slot.min_length, slot.max_length, f" {unit}")
    if slot.confirm == "always":
        yield "read back to confirm"


def _range(low: float | None, high: float | None, unit: str) -> Iterable[str]:
    match low, high:
        case None, None:
            return
        case None, _:
            yield f"at most {_number(high)}{unit}"
        case _, None:
            yield f"at least {_number(low)}{unit}"
        case _ if low == high:
            yield f"{_number(low)}{unit}"
        case _:
            yield f"{_number(low)} to {_number(high)}{unit}"


def _number(value: float | None) -> str:
    return "" if value is None else str(int(value) if float(value).is_integer() else value)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _braceless(text: str) -> str:
    """A value to fill in, unable to pose as a placeholder of its own: nobody hears which brackets it has."""
    return _one_line(text).replace("{", "(").replace("}", ")")


def _plain(text: str, flow: Flow) -> str:
    """A text of the prefix: filled, and unable to pose as the place of the caller's record."""
    return fill(text, flow).replace(RECORD, RECORD.strip("{}"))


def _text(text: str | None, flow: Flow) -> str:
    return fill(text, flow) if text else ""


def _unquoted(text: str) -> str:
    return text.replace('"', "'")


def _quoted(phrases: Iterable[str], flow: Flow) -> str:
    return ", ".join(f'"{_unquoted(_plain(phrase, flow))}"' for phrase in phrases)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Plain text for a model, not HTML: escaping would change what designers wrote.
    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("voiceflow_compiler"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)
