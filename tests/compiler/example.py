"""One flow built by hand, with a case of everything lowering decides, for the tests of this folder."""

from voiceflow_compiler.artifact import Family
from voiceflow_compiler.flow import (
    Action,
    Answer,
    Case,
    Condition,
    Fact,
    Fallback,
    Flow,
    Handoff,
    Intent,
    Ladder,
    Limits,
    Line,
    Node,
    Rung,
    Slot,
    Trigger,
)


def say(text: str) -> Line:
    return Line(("say",), say=text)


def convey(text: str, sample: str | None = None) -> Line:
    return Line(("convey",), convey=text, sample=sample)


def go(key: str, node: str, line: Line | None = None) -> Answer:
    return Answer(key, ("on", key), line=line, go=node)


def stay(key: str, line: Line, at_most: int | None = 2, then: str | None = None) -> Answer:
    return Answer(key, ("on", key), line=line, stay=True, at_most=at_most, then=then)


def keyed(*answers: Answer) -> dict[str, Answer]:
    return {answer.key: answer for answer in answers}


def ladder(*rungs: tuple[Line | None, str | None], after_ms: int = 6000) -> Ladder:
    return Ladder(("fallback",), tuple(Rung(("fallback",), line, to) for line, to in rungs), after_ms)


def when(text: str, expr: list[object]) -> Condition:
    return Condition(("if",), text, expr)


def intent(name: str, family: Family, means: str, *examples: str, built_in: bool = False) -> Intent:
    return Intent(name, ("intents", name), family, means, examples, built_in)


def named(*parts):
    return {part.name: part for part in parts}


BUILT_IN = (
    intent("answer", "answer", "gives something the brief is trying to find out", built_in=True),
    intent("correction", "correction", "changes something said earlier", "no, I meant", built_in=True),
    intent("denial", "objection", "says no to a yes-or-no question", "no", "no thanks", built_in=True),
    intent("are_you_human", "identity", "asks whether this is a machine", "are you a robot", built_in=True),
    intent("digression", "digression", "talks about something this call is not for", built_in=True),
    intent("unclear", "unclear", "cannot be understood, or fits nothing above", built_in=True),
)

NODES = (
    Node(
        "greeting",
        ("nodes", "greeting"),
        "disclosure",
        line=say("Hi, I'm an AI assistant from {company}, here to {purpose}.\nYou can ask for a person."),
        next="team",
    ),
    Node(
        "team",
        ("nodes", "team"),
        "ask",
        line=convey(
            "Greet {first_name} and ask how many people would use it.", 'Hi {first_name}, how "many"?'
        ),
        collect=("team_size",),
        filled="email",
        on=keyed(
            stay("agreement", convey("Ask for a rough number.")),
            go("objection", "price"),
        ),
        keys=keyed(go("0", "person")),
        fallback=Fallback(
            ("nodes", "team", "fallback"),
            no_input=ladder((say("Hello?"), None), (None, "bye"), after_ms=4000),
        ),
    ),
    Node(
        "price",
        ("nodes", "price"),
        "ask",
        line=say("Plans start at forty dollars. Shall we go on?"),
        on=keyed(go("agreement", "email"), go("denial", "bye")),
        control="guided",
    ),
    Node(
        "email",
        ("nodes", "email"),
        "ask",
        line=convey("Ask for the email."),
        collect=("email",),
        filled="route",
    ),
    Node(
        "route",
        ("nodes", "route"),
        "decide",
        cases=(
            Case(
                ("nodes", "route", "cases", 0),
                when("slots.team_size >= 50", [">=", ["name", "slots", "team_size"], ["value", 50]]),
                "person",
            ),
        ),
        otherwise="book",
    ),
    Node(
        "book",
        ("nodes", "book"),
        "act",
        action="book_demo",
        while_waiting=say("One moment."),
        on_success="bye_booked",
        on_failure="person",
    ),
    Node("person", ("nodes", "person"), "handoff", to="sales"),
    Node(
        "bye_booked",
        ("nodes", "bye_booked"),
        "end",
        line=say("Booked for {book_demo.time}."),
        outcome="booked",
    ),
    Node("bye", ("nodes", "bye"), "end", line=convey("Thank them and say goodbye."), outcome="not_booked"),
)

EXAMPLE = Flow(
    name="example",
    version="2026.11",
    title="An example",
    locale="en-US",
    company="Northwind {Analytics}",
    purpose="see whether {company} fits your team",
    style="Warm and brief.",
    voice="marin",
    speed=1.0,
    currency="USD",
    control="guided",
    confidence=0.5,
    unsure_below=0.8,
    start="greeting",
    nodes=named(*NODES),
    intents=named(
        intent("agreement", "agreement", "accepts or confirms", "yes", "sure, go ahead"),
        intent("too_expensive", "objection", 'price worry, "too much"', 'that\'s "too" much', "no {budget}"),
        intent("what_is_this", "confusion", "does not follow.", "who is this?"),
        intent("wants_person", "escalation", "wants a human", "agent"),
        *BUILT_IN,
    ),
    slots=named(
        Slot(
            "team_size",
            ("slots", "team_size"),
            "integer",
            "people who would use the product",
            minimum=1.0,
            maximum=100000.0,
            examples=("about fifty",),
        ),
        Slot(
            "timeline",
            ("slots", "timeline"),
            "choice",
            "when they want to start",
            choices=("this_year", "later"),
            phrases={"this_year": ("this year", "right now"), "later": ("later",)},
        ),
        Slot("budget", ("slots", "budget"), "money", "what they would spend"),
        Slot("email", ("slots", "email"), "email", "", confirm="always", personal=True),
        Slot("pin", ("slots", "pin"), "digits", "their pin", by_keypad=True, max_length=4),
        Slot("password", ("slots", "password"), "text", "their password", secret=True),
    ),
    facts=named(
        Fact("first_name", ("caller_facts", "fields", "first_name"), "text", "there", personal=True),
        Fact("open_tickets", ("caller_facts", "fields", "open_tickets"), "integer", 0),
        Fact("risk_note", ("caller_facts", "fields", "risk_note"), "text", "none", secret=True),
    ),
    fact_source="crm",
    everywhere=keyed(
        go("escalation", "person"),
        stay("what_is_this", convey("Say it again in simpler words."), then="person"),
        go("too_expensive", "price"),
    ),
    fallback=Fallback(
        ("fallback",),
        no_match=ladder((convey("Ask in other words."), None), (None, "person")),
        no_input=ladder((say("Are you still there?"), None), (say("Goodbye for now."), "bye")),
        lost_model=Rung(("fallback", "lost_model"), say("I am having trouble. One moment."), "person"),
    ),
    actions=named(
        Action(
            "book_demo",
            ("actions", "book_demo"),
            "Books a demo.",
            takes={"email": when("slots.email", ["name", "slots", "email"])},
            returns={"time": "text"},
            changes_something=True,
            promises=("you're booked",),
        ),
        Action(
            "look_up_price",
            ("actions", "look_up_price"),
            "Looks up the price for a team.",
            takes={
                "people": when("slots.team_size", ["name", "slots", "team_size"]),
                "pin": when("slots.pin", ["name", "slots", "pin"]),
                "plan": when("'basic'", ["value", "basic"]),
            },
            returns={"price": "money"},
            on_request=True,
        ),
    ),
    handoffs=named(
        Handoff(
            "sales",
            ("handoffs", "sales"),
            "warm",
            say("I am connecting you with a colleague now."),
            ("reason", "slots"),
            if_unanswered="bye",
        ),
        Handoff(
            "success",
            ("handoffs", "success"),
            "cold",
            convey("Say that {first_name} gets their success manager."),
            if_unanswered="bye",
            unanswered_line=say("Nobody is free."),
        ),
    ),
    triggers=(
        Trigger(
            ("handoff_triggers", 0),
            when(
                "intent.family == 'escalation'", ["==", ["name", "intent", "family"], ["value", "escalation"]]
            ),
            "sales",
            "",
        ),
        Trigger(
            ("handoff_triggers", 1),
            when("facts.open_tickets >= 3", [">=", ["name", "facts", "open_tickets"], ["value", 3]]),
            "success",
            "several open tickets",
        ),
    ),
    limits=Limits(("limits",), minutes=7.5),
    knowledge=(
        "{company} was founded in 2010.",
        "{{ 7 * 7 }} and {% raw %} mean nothing here {caller_record}.",
    ),
)
