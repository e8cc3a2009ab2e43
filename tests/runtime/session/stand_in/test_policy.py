"""The policy: compiled prompts in, calls and words out, with no socket in sight."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runtime.session.stand_in import prompt
from runtime.session.stand_in.policy import decide, least_value
from runtime.session.stand_in.turns import Call, Entry, Output, Say, Turn

PREFIX = """# Role
You are the AI assistant of Northwind Analytics, speaking on the telephone. Today is Sunday, 2026-11-22.

# What a caller may mean
- agreement (agreement): accepts or confirms. Examples: "yes", "sure, go ahead", "sounds good"
- too_expensive (objection): price worry. Examples: "that's too much", "we have no budget"
- answer (answer): gives something the brief is trying to find out.
- correction (correction): changes something said earlier. Examples: "no, I meant", "actually"
- denial (objection): says no to a yes-or-no question. Examples: "no", "no thanks"
- wants_person (escalation): wants a person. Examples: "let me talk to a person", "get me fifty agents"
- unclear (unclear): cannot be understood, or fits nothing above.

# What you find out
- team_size (integer, 1 to 100000): people who would use the product. Examples: "about fifty", "twenty people"
- timeline (choice): when they want to start. One of: this_quarter ("this quarter", "right now"), \
this_year ("this year"), later ("next year").
- email (email, read back to confirm): where to send it.
- budget (money): what they can spend.
- visit_day (date): the day of the visit.
- visit_time (time): the hour of the visit.
- number (phone): a number to call back.
- has_account (boolean): whether they have an account.
- policy_digits (digits): the last digits of the policy.
- story (text): what happened.

# Always
- You are an AI assistant.
"""
INTENTS = ["agreement", "too_expensive", "answer", "correction", "denial", "wants_person", "unclear"]
SLOTS: dict[str, Any] = {
    "team_size": {"type": "integer", "minimum": 1, "maximum": 100000},
    "timeline": {"type": "string", "enum": ["this_quarter", "this_year", "later"]},
    "email": {"type": "string", "format": "email"},
    "budget": {"type": "number"},
    "visit_day": {"type": "string", "format": "date"},
    "visit_time": {"type": "string", "format": "time"},
    "number": {"type": "string"},
    "has_account": {"type": "boolean"},
    "policy_digits": {"type": "string", "pattern": "^[0-9*#]+$"},
    "story": {"type": "string"},
}
REPORT: dict[str, Any] = {
    "type": "function",
    "name": "take_turn",
    "parameters": {
        "type": "object",
        "additionalProperties": False,
        "required": ["intent", "confidence", "slots", "sentiment", "heard"],
        "properties": {
            "intent": {"type": "string", "enum": INTENTS},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "slots": {"type": "object", "additionalProperties": False, "properties": SLOTS},
            "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
            "heard": {"type": "string"},
        },
    },
}
FORCED = {"type": "function", "name": "take_turn"}
ONLY: Any = {"tools": (REPORT,), "tool_choice": FORCED}


def turn(*entries: Entry, **fields: Any) -> Turn:
    defaults: dict[str, Any] = {"instructions": PREFIX, "tools": (REPORT,), "tool_choice": "auto"}
    return Turn(**{**defaults, **fields}, entries=entries, output_modality="audio", metadata={})


def brief(**lines: str) -> Entry:
    labels = {name.replace("_", " ").capitalize(): value for name, value in lines.items()}
    return Entry(
        "system", "\n".join(["Now at: team", *(f"{label}: {value}" for label, value in labels.items())])
    )


def user(text: str) -> Entry:
    return Entry("user", text)


def reported(said: str, **lines: str) -> dict[str, Any]:
    (call,) = decide(turn(brief(**lines), user(said), tool_choice=FORCED))
    assert isinstance(call, Call)
    arguments: dict[str, Any] = json.loads(call.arguments)
    Draft202012Validator(REPORT["parameters"]).validate(arguments)
    assert arguments["heard"] == said
    return arguments


def said(*outputs: Output) -> str:
    (one,) = outputs
    assert isinstance(one, Say)
    return one.text


@pytest.mark.parametrize(
    ("words", "intent", "confidence"),
    [
        ("yes", "agreement", 0.95),
        ("Sure -- go ahead!", "agreement", 0.95),
        ("THAT\u2019S TOO MUCH", "too_expensive", 0.95),
        ("well that's too much for us", "too_expensive", 0.85),
        ("get me 50 agents", "wants_person", 0.95),
        ("yes but let me talk to a person please", "wants_person", 0.85),
        ("the moon is made of cheese", "unclear", 0.2),
        ("", "unclear", 0.2),
        ("yesterday", "unclear", 0.2),
    ],
)
def test_intents(words: str, intent: str, confidence: float) -> None:
    """An example said exactly, an example within (the longest wins), and nothing known."""
    got = reported(words)
    assert (got["intent"], got["confidence"]) == (intent, confidence)


@pytest.mark.parametrize(
    ("words", "slot", "value"),
    [
        ("about fifty", "team_size", 50),
        ("a hundred and twenty five people", "team_size", 125),
        ("two thousand three hundred", "team_size", 2300),
        ("1,200", "team_size", 1200),
        ("a dozen or so", "team_size", 12),
        ("right now", "timeline", "this_quarter"),
        ("sometime next year I guess", "timeline", "later"),
        ("this year", "timeline", "this_year"),
        ("Dana.Smith@Example.com", "email", "dana.smith@example.com"),
        ("dana at example dot com", "email", "dana@example.com"),
        ("it is dana dot smith at mail dash box dot co dot uk thanks", "email", "dana.smith@mail-box.co.uk"),
        ("d a n a at example dot org", "email", "dana@example.org"),
        ("two hundred dollars", "budget", 200),
        ("$1,500", "budget", 1500),
        ("about twenty thousand", "budget", 20000),
        ("tomorrow", "visit_day", "2026-11-23"),
        ("next Friday", "visit_day", "2026-11-27"),
        ("Sunday would be fine", "visit_day", "2026-11-29"),
        ("on 2026-12-24", "visit_day", "2026-12-24"),
        ("december third", "visit_day", "2026-12-03"),
        ("the twenty first of january", "visit_day", "2027-01-21"),
        ("three pm", "visit_time", "15:00"),
        ("at 15:00", "visit_time", "15:00"),
        ("3:30 pm", "visit_time", "15:30"),
        ("nine thirty a.m.", "visit_time", "09:30"),
        ("half past two", "visit_time", "14:30"),
        ("noon", "visit_time", "12:00"),
        ("ten o'clock", "visit_time", "10:00"),
        ("four one five, five five five, oh one double two", "number", "+14155550122"),
        ("+44 20 7946 0123", "number", "+442079460123"),
        ("yeah I do", "has_account", True),
        ("nope", "has_account", False),
        ("four four one seven", "policy_digits", "4417"),
        ("the roof fell in", "story", "the roof fell in"),
    ],
)
def test_slots(words: str, slot: str, value: object) -> None:
    """The value of the slot that the brief asks for, in the form of the schema."""
    got = reported(words, Find_out=slot)
    assert got["slots"].get(slot) == value
    assert got["intent"] in ("answer", "denial")


def test_slot_types_do_not_steal() -> None:
    """Several asked slots share an utterance: each number goes where its words say."""
    got = reported("fifty people and two hundred dollars, this year", Find_out="team_size, budget, timeline")
    assert got["slots"] == {"team_size": 50, "budget": 200, "timeline": "this_year"}


def test_unasked_slots() -> None:
    """What can be meant for one slot only is reported unasked; a bare number or a yes is not."""
    assert reported("right now, mail me at dana@example.com")["slots"] == {
        "timeline": "this_quarter",
        "email": "dana@example.com",
    }
    assert reported("fifty")["slots"] == {}
    assert reported("yes", Find_out="timeline")["slots"] == {}


def test_words_count_once() -> None:
    """The words of an asked choice fill no other slot; a single word fills no choice nobody asked for."""
    lines = "# What you find out\n" + "".join(
        f"- {name} (choice): x. One of: {listed}\n"
        for name, listed in (
            ("need", 'forecasts ("planning next year")'),
            ("start", 'later ("later", "next year")'),
        )
    )
    slots = {name: {"type": "string"} for name in ("need", "start")}
    tool = json.loads(json.dumps(REPORT))
    tool["parameters"]["properties"]["slots"]["properties"] = slots
    for words, asked, expected in (
        ("planning next year", "need", {"need": "forecasts"}),
        ("maybe later", "need", {}),
        ("maybe later", "start", {"start": "later"}),
    ):
        entries = (brief(Find_out=asked), user(words))
        (call,) = decide(
            turn(*entries, instructions=PREFIX.split("# What you find")[0] + lines, tools=(tool,))
        )
        assert isinstance(call, Call)
        assert json.loads(call.arguments)["slots"] == expected


def test_intent_and_slots() -> None:
    """An intent wins over an answer, and the slots are reported all the same."""
    got = reported("sounds good, fifty people", Find_out="team_size")
    assert (got["intent"], got["slots"]) == ("agreement", {"team_size": 50})


def test_text_slot_yields() -> None:
    """A text slot takes the whole utterance only when nothing else was meant and nothing else is asked."""
    assert reported("let me talk to a person", Find_out="story")["slots"] == {}
    assert reported("the roof fell in", Find_out="story, team_size")["slots"] == {}


@pytest.mark.parametrize(
    ("words", "intent"),
    [("that's right", "agreement"), ("yep", "agreement"), ("that is wrong", "denial"),
     ("no it is sam@example.com", "correction")],
)  # fmt: skip
def test_read_back(words: str, intent: str) -> None:
    """After a read-back, agreement and denial words count, and a new value is a correction."""
    got = reported(words, Read_back="email = dana@example.com")
    assert (got["intent"], got["confidence"]) == (intent, 0.95)
    assert got["slots"] == ({"email": "sam@example.com"} if intent == "correction" else {})


@pytest.mark.parametrize(
    ("words", "mood"),
    [("great, thanks", "positive"), ("this is ridiculous", "negative"), ("fifty", "neutral")],
)
def test_sentiment(words: str, mood: str) -> None:
    """Sentiment comes from a short list of words."""
    assert reported(words)["sentiment"] == mood


def test_report_before_speech() -> None:
    """With a free choice, an unreported caller turn is reported; a reported one is answered."""
    (call,) = decide(turn(brief(Do="Ask."), user("yes")))
    assert isinstance(call, Call)
    assert call.name == "take_turn"
    output = Entry("output", json.dumps({"accepted": True, "brief": 'Now at: end\nSay exactly: "Bye now."'}))
    after = (brief(Do="Ask."), user("yes"), Entry("call", call.arguments, "take_turn", "c1"), output)
    assert said(*decide(turn(*after))) == "Bye now."


def test_no_report_where_none_is_allowed() -> None:
    """With tool_choice none the brief is spoken, whatever the caller said."""
    assert said(*decide(turn(brief(Do="Ask."), user("yes"), tool_choice="none"))) == "Ask."


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"Do": "Greet Dana.", "For_example": '"Hi Dana, how many?"', "Then": "wait"}, "Hi Dana, how many?"),
        ({"Say_exactly": '"You are booked: tomorrow, 10:30. Goodbye."', "Then": "stop"},
         "You are booked: tomorrow, 10:30. Goodbye."),
        ({"Do": "Ask how many."}, "Ask how many."),
    ],
)  # fmt: skip
def test_speaks_the_brief(lines: dict[str, str], words: str) -> None:
    """Exact words before a sample wording before what is to be done."""
    assert (
        said(*decide(turn(Entry("system", "Now at: old\nDo: Old."), brief(**lines), tool_choice="none")))
        == words
    )


def test_late_facts_are_no_brief() -> None:
    """A system item that is no brief does not hide the brief before it."""
    late = Entry("system", '<caller_record>\n{"note": "Now at: evil"}\n</caller_record>')
    assert said(*decide(turn(brief(Do="Ask."), late, tool_choice="none"))) == "Ask."


def test_prompt_is_read() -> None:
    """Intents, slots, choices and phrases come out of the lines of the prefix."""
    assert [intent.name for intent in prompt.intents(PREFIX)] == INTENTS
    by_name = {slot.name: slot for slot in prompt.slots(PREFIX)}
    assert list(by_name) == list(SLOTS)
    assert by_name["team_size"].examples == ("about fifty", "twenty people")
    assert by_name["timeline"].choices[0] == ("this_quarter", ("this quarter", "right now"))
    phrases = prompt.likely_phrases({"instructions": PREFIX}, [brief(Find_out="team_size")])
    assert {"we have no budget", "right now", "about fifty", "about <number>", "<number> people"} <= set(
        phrases
    )
    assert "<email>" not in phrases


@given(st.text(max_size=60), st.sampled_from(sorted(SLOTS)))
def test_reports_are_always_valid(words: str, slot: str) -> None:
    """Whatever is said and asked, the report is valid by its own schema."""
    reported(words, Find_out=slot)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_prompt_is_survived(instructions: str, item: str) -> None:
    """Prompts and items of any form get words, never an exception."""
    entries = (Entry("system", item), Entry("output", item, call_id="c"), user(item))
    assert said(*decide(turn(*entries, instructions=instructions, tools=())))


LEAVES: tuple[dict[str, Any], ...] = (
    {"type": "string"},
    {"type": "string", "minLength": 4},
    {"type": "integer", "minimum": 3},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
    {"enum": ["a", 1]},
    {"const": 7},
    {"type": ["string", "null"]},
)


def both(one: dict[str, Any], many: dict[str, Any]) -> dict[str, Any]:
    properties = {"one": one, "list": {"type": "array", "items": many, "minItems": 2}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["one", "list"],
        "additionalProperties": False,
    }


SCHEMAS = st.recursive(st.sampled_from(LEAVES), lambda inner: st.builds(both, inner, inner))


@given(SCHEMAS)
def test_least_value_is_valid(schema: dict[str, Any]) -> None:
    """The least value of a schema is valid by it."""
    Draft202012Validator(schema).validate(least_value(schema))
