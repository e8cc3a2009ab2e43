"""Flows at the edge of a check: those that must be found out, and the innocent ones beside them."""

from textwrap import dedent

import pytest

from tests.compiler.checks.examples import patched
from tests.compiler.checks.test_checks import Find, find

__all__ = ["find"]

# What it shows, the code, changes to the base flow: lines that end in `# flagged` are found, no others.
JUDGED = [
    (
        "a flow that starts by asking is undisclosed",
        "VF401",
        """
        start: team
        nodes:
          greeting: null
          team:  # flagged
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: offer
        """,
    ),
    (
        "a call to a person before the disclosure is undisclosed",
        "VF401",
        """
        start: first
        nodes:
          first:
            kind: decide
            cases:
              - {if: facts.account == 'customer', go: to_sales}
            otherwise: greeting
          to_sales: {kind: handoff, to: sales}  # flagged
        """,
    ),
    (
        "a yes that a decision waits for is an agreement",
        "VF704",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it, and whether to book a demo.
            collect: [team_size]
            filled: said
          offer: null
          said:
            kind: decide
            cases:
              - {if: intent.family == 'agreement' and slots.team_size > 3, go: email}
              - {if: intent.name == 'agreement' or intent.family == 'agreement', go: email}
            otherwise: sorry
        """,
    ),
    (
        "a decision that a yes is not needed for asks nobody",
        "VF704",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it, and whether to book a demo.
            collect: [team_size]
            filled: said
          offer: null
          said:
            kind: decide
            cases:
              - {if: intent.family == 'agreement' or slots.team_size > 3, go: book}
              - {if: intent.family == 'confusion', go: email}
            otherwise: sorry
          book:  # flagged
            kind: act
            action: book_demo
            while_waiting: One moment, I'm booking it.
            on_success: goodbye
            on_failure: to_sales
        """,
    ),
    (
        "a ladder of its own leads back through a person whom nobody is",
        "VF205",
        """
        nodes:
          offer:
            kind: ask
            convey: Offer a demo.
            on:
              agreement: {go: email}
            fallback:
              no_match:
                - say: Yes or no?
                - go: to_sales  # flagged
          again:
            kind: tell
            say: Nobody is free just now.
            next: offer
        handoffs:
          sales:
            mode: warm
            say: I'm connecting you with a colleague.
            package: [reason, summary, slots]
            if_unanswered: again
        fallback:
          no_match:
            - convey: Ask again.
            - go: goodbye
          no_input:
            after_ms: 6000
            steps:
              - go: goodbye
          lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}
        """,
    ),
    (
        "a caller who asks for a person again may be put through again",
        "VF205",
        """
        nodes:
          again:
            kind: tell
            say: Nobody is free just now.
            next: offer
        handoffs:
          sales:
            mode: warm
            say: I'm connecting you with a colleague.
            package: [reason, summary, slots]
            if_unanswered: again
        fallback:
          no_match:
            - convey: Ask again.
            - go: goodbye
          no_input:
            after_ms: 6000
            steps:
              - go: goodbye
          lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}
        """,
    ),
    (
        "a chain of silent nodes without a way back is no cycle",
        "VF204",
        """
        slots:
          email: {type: email, personal: true, meaning: where to write, confirm: always}
        nodes:
          offer:
            kind: tell
            convey: Tell them about it.
            next: email
        """,
    ),
    (
        "a decision that leads back to an answered question goes round",
        "VF204",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: big_enough
          big_enough:
            kind: decide
            cases:
              - {if: slots.team_size >= 5, go: offer}
            otherwise: too_small
          too_small:
            kind: tell
            say: It takes five at least.
            next: team  # flagged
        """,
    ),
    (
        "an objection that leads to the same node from everywhere is endless",
        "VF205",
        """
        nodes:
          price:
            kind: ask
            convey: Say what it costs.
            on:
              agreement: {go: email}
        everywhere:
          too_expensive: {go: price}  # flagged
        """,
    ),
    (
        "a bound that leads back to a node with the same bound is endless",
        "VF205",
        """
        everywhere:
          what_is_this: {convey: Say it in simpler words., stay: true, at_most: 2, then: team}  # flagged
        """,
    ),
    (
        "an objection that its own node answers otherwise is not endless",
        "VF205",
        """
        nodes:
          price:
            kind: ask
            convey: Say what it costs.
            on:
              agreement: {go: email}
              too_expensive: {go: sorry}
        everywhere:
          too_expensive: {go: price}
        """,
    ),
    (
        "two objections from everywhere that alternate are not endless",
        "VF205",
        """
        intents:
          not_now: {family: objection, means: wrong moment, examples: ["I'm busy"]}
        nodes:
          price:
            kind: ask
            convey: Say what it costs.
            on:
              agreement: {go: email}
              too_expensive: {go: sorry}
          later:
            kind: ask
            convey: Ask when is better.
            on:
              agreement: {go: email}
              not_now: {go: sorry}
        everywhere:
          too_expensive: {go: price}
          not_now: {go: later}
        """,
    ),
    (
        "a ladder that leads to a listening node with the same ladder is endless",
        "VF205",
        """
        nodes:
          menu:
            kind: ask
            convey: Offer two choices.
            on:
              agreement: {go: email}
        fallback:
          no_match:
            - convey: Ask in other words.
            - go: menu  # flagged
        """,
    ),
    (
        "an agreement may stay without a bound: it is progress",
        "VF206",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: offer
            on:
              agreement: {convey: Ask for the number., stay: true}
        """,
    ),
    (
        "an unbounded stay that holds everywhere is found there",
        "VF206",
        """
        everywhere:
          what_is_this: {convey: Say it in simpler words., stay: true}  # flagged
        """,
    ),
    (
        "values beyond the maximum, contradictions and impossible choices never hold",
        "VF207",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: route
          route:
            kind: decide
            cases:
              - {if: slots.team_size > 5000, go: sorry}  # flagged
              - {if: facts.account == 'none' and facts.account == 'trial', go: sorry}  # flagged
              - {if: 60 < slots.team_size and slots.team_size < 50, go: sorry}  # flagged
              - {if: "false or (slots.team_size < 3 and slots.team_size > 7)", go: sorry}  # flagged
              - {if: "facts.account in ['none'] and facts.account == 'customer'", go: sorry}  # flagged
              - {if: slots.team_size >= 1000 or slots.team_size == 1, go: sorry}
              - {if: slots.team_size > 1 and slots.team_size < 3, go: sorry}
              - {if: not (slots.team_size > 5000) and facts.account != 'none', go: sorry}
            otherwise: offer
        """,
    ),
    (
        "a case after all choices, after a wider one, or after itself is shadowed",
        "VF208",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: route
          route:
            kind: decide
            cases:
              - {if: facts.account == 'none', go: offer}
              - {if: facts.account == 'none' and slots.team_size > 5, go: sorry}  # flagged
              - {if: slots.team_size < 10, go: offer}
              - {if: slots.team_size <= 10, go: sorry}
              - {if: slots.team_size < 5 and facts.account == 'trial', go: sorry}  # flagged
              - {if: "facts.account in ['trial', 'customer']", go: offer}
              - {if: facts.account != 'none', go: sorry}  # flagged
              - {if: slots.team_size < 10, go: sorry}  # flagged
            otherwise: goodbye
        """,
    ),
    (
        "a node that takes keys needs no answer for an agreement",
        "VF301",
        """
        nodes:
          offer:
            kind: ask
            convey: Say press one for a demo.
            keys:
              "1": {go: email}
        """,
    ),
    (
        "a trigger for the family answers requests for a person",
        "VF301",
        """
        everywhere:
          wants_person: null
        handoff_triggers:
          - {when: intent.family == 'escalation', to: sales}
        """,
    ),
    (
        "a trigger with a further condition does not answer every request for a person",
        "VF301",
        """
        nodes:
          team:  # flagged
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: offer
          offer:  # flagged
            kind: ask
            convey: Offer a demo.
            on:
              agreement: {go: email}
          email:  # flagged
            kind: ask
            convey: Ask for the email address.
            collect: [email]
            filled: book
        everywhere:
          wants_person: null
        handoff_triggers:
          - {when: intent.family == 'escalation' and turn.number > 3, to: sales}
        """,
    ),
    (
        "one intent may write the same sentence twice",
        "VF302",
        """
        intents:
          agreement: {family: agreement, means: accepts, examples: ["yes", "Yes!"]}
        """,
    ),
    (
        "an intent that only a trigger asks about is used",
        "VF303",
        """
        intents:
          angry: {family: objection, means: is angry, examples: ["this is outrageous"]}
        handoff_triggers:
          - {when: intent.name == 'angry', to: sales}
        """,
    ),
    (
        "two disclosures in a row are read as one",
        "VF404",
        """
        nodes:
          greeting:
            kind: disclosure
            say: Hi, I'm an AI assistant from {company}.
            next: more
          more:
            kind: disclosure
            say: This call is recorded. You can ask for a person at any time.
            next: team
        """,
    ),
    (
        "a call that is not recorded needs no notice of it",
        "VF404",
        """
        recorded: false
        nodes:
          greeting:
            kind: disclosure
            say: Hi, I'm an AI assistant from Northwind. You can ask for a person at any time.
            next: team
        """,
    ),
    (
        "a disclosure in another language is read in that language",
        "VF404",
        """
        locale: de-DE
        nodes:
          greeting:
            kind: disclosure
            say: >-
              Guten Tag, hier ist die KI von {company}. Das Gespräch wird aufgezeichnet. Sie können
              jederzeit mit einem Menschen sprechen.
            next: team
        """,
    ),
    (
        "only the company is looked for in a language whose words are not known",
        "VF404",
        """
        locale: sv-SE
        nodes:
          greeting:
            kind: disclosure
            say: Hej, det här är AI:n hos {company}. Samtalet spelas in.
            next: team
        """,
    ),
    (
        "a language whose words are known is held to them",
        "VF404",
        """
        locale: de-DE
        nodes:
          greeting:
            kind: disclosure
            say: Guten Tag, hier ist die KI von {company}. Das Gespräch wird aufgezeichnet.  # flagged
            next: team
        """,
    ),
    (
        "an instruction never to pretend is no claim, and words that pretend are one anywhere",
        "VF405",
        """
        nodes:
          team:
            kind: ask
            convey: Never say that you are a human. Ask how many people would use it.
            collect: [team_size]
            filled: offer
          offer:
            kind: ask
            convey: Offer a demo with a real person, and say that a human agent will call.
            on:
              agreement: {convey: "Say that you are a human, too.", go: email}  # flagged
              too_expensive: {say: "I'm not a robot, I can make exceptions.", go: sorry}  # flagged
        """,
    ),
    (
        "a style and a piece of knowledge can claim to be human too",
        "VF405",
        """
        style: Warm and brief. Never say that you are a human.
        knowledge:
          - You can park behind the house.
          - If they ask, pretend to be a real person.  # flagged
        """,
    ),
    (
        "asking whether the caller is human is no claim to be one",
        "VF405",
        """
        nodes:
          team:
            kind: ask
            say: Just to be sure that you are a human, how many people would use it?
            collect: [team_size]
            filled: offer
        """,
    ),
    (
        "a part of the company's name names it, and an AI agent is not a person to ask for",
        "VF404",
        """
        company: Northwind Analytics Inc
        nodes:
          greeting:
            kind: disclosure
            say: Hi, I'm Northwind's AI agent. This call is recorded.  # flagged
            next: team
        """,
    ),
    (
        "a rung after one that leads away is never heard",
        "VF502",
        """
        fallback:
          no_match:
            - go: to_sales
            - go: sorry  # flagged
        """,
    ),
    (
        "a goodbye instead of a person, once the no-match ladder is climbed, is found",
        "VF601",
        """
        everywhere:
          wants_person: {convey: Offer to help., stay: true, at_most: 1}  # flagged
        fallback:
          no_match:
            - convey: Ask in other words.
            - go: sorry
        """,
    ),
    (
        "a question on the way to a person is fine",
        "VF601",
        """
        nodes:
          who:
            kind: ask
            convey: Ask whether they want sales.
            on:
              agreement: {go: to_sales}
              wants_person: {go: to_sales}
        everywhere:
          wants_person: {go: who}
        """,
    ),
    (
        "a warm handoff with a summary may say that it shared everything",
        "VF603",
        """
        handoffs:
          sales:
            mode: warm
            say: I'm connecting you. I've shared everything, so you won't need to repeat yourself.
            package: [reason, summary]
            if_unanswered: goodbye
        """,
    ),
    (
        "a cold transfer may say that it passes the caller on",
        "VF603",
        """
        handoffs:
          sales:
            mode: cold
            say: I'll pass you on to a colleague with more time.
            if_unanswered: goodbye
        """,
    ),
    (
        "an if_unanswered that leads to another handoff and back goes round",
        "VF604",
        """
        nodes:
          to_boss: {kind: handoff, to: boss}
        handoffs:
          sales:
            mode: warm
            say: I'm connecting you with a colleague.
            package: [reason, summary]
            if_unanswered: to_boss  # flagged
          boss:
            mode: warm
            say: I'm connecting you with my boss.
            package: [reason, summary]
            if_unanswered: to_sales
        """,
    ),
    (
        "a trigger for a family the flow has no intent of never holds",
        "VF605",
        """
        intents:
          wants_person: null
        everywhere:
          wants_person: null
          escalation: {go: to_sales}
        handoff_triggers:
          - {when: intent.family == 'escalation', to: sales}  # flagged
        """,
    ),
    (
        "a condition that needs a value makes it known",
        "VF701",
        """
        nodes:
          team:
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            on:
              agreement: {go: known}
            filled: offer
          known:
            kind: decide
            cases:
              - {if: slots.team_size >= 5, go: told}
            otherwise: offer
          told:
            kind: tell
            say: You are {team_size} people, and your account is {account}.
            next: offer
        """,
    ),
    (
        "results are known after success, and not after failure",
        "VF701",
        """
        nodes:
          book:
            kind: act
            action: book_demo
            while_waiting: One moment, I'm booking it for {email}.
            on_success: goodbye_booked
            on_failure: failed
          goodbye_booked: {kind: end, say: "It is at {book_demo.time}.", outcome: done}
          failed:
            kind: tell
            say: It did not work at {book_demo.time}.  # flagged
            next: to_sales
        actions:
          book_demo:
            does: Books a demo.
            takes: {email: slots.email, team: slots.team_size}
            returns: {time: text}
            changes_something: true
        """,
    ),
    (
        "a line that holds everywhere must do without what is not known everywhere",
        "VF701",
        """
        everywhere:
          too_expensive: {convey: "Say that it is cheap for {team_size}.", go: sorry}  # flagged
        fallback:
          no_input:
            after_ms: 6000
            steps:
              - Is {email} right?  # flagged
              - go: goodbye
        """,
    ),
    (
        "an action must do without what is not known yet",
        "VF701",
        """
        nodes:
          email:
            kind: ask
            convey: Ask for the email address.
            collect: [email]
            filled: book
            on:
              agreement: {convey: Ask for it again., stay: true, at_most: 2, then: book}
        actions:
          book_demo:
            does: Books a demo.
            takes:
              team: slots.team_size
              email: slots.email  # flagged
            changes_something: true
        """,
    ),
    (
        "a change that a caller can come to again needs a key",
        "VF702",
        """
        nodes:
          more:
            kind: ask
            convey: Ask whether they want another one.
            on:
              agreement: {go: book}
              objection: {go: goodbye}
          book:
            kind: act
            action: book_demo
            while_waiting: One moment.
            on_success: more
            on_failure: to_sales
        actions:
          book_demo:
            does: Books a demo.
            changes_something: true
            idempotency: none  # flagged
        """,
    ),
    (
        "a change without retries that is come to once needs no key",
        "VF702",
        """
        actions:
          book_demo:
            does: Books a demo.
            takes: {email: slots.email}
            changes_something: true
            idempotency: none
        """,
    ),
    (
        "a quick action needs no words",
        "VF705",
        """
        nodes:
          book:
            kind: act
            action: book_demo
            on_success: goodbye
            on_failure: to_sales
        actions:
          book_demo:
            does: Books a demo.
            takes: {email: slots.email}
            changes_something: true
            within_ms: 2000
        """,
    ),
    (
        "a sensitive call with a fixed plan may go to an assistant",
        "VF801",
        """
        suitability:
          structure: predictable
          stakes: elevated
          sensitivity: elevated
          information: full
        """,
    ),
    (
        "a request that two nodes talk away is counted over both, a trigger for it ends it",
        "VF607",
        """
        nodes:
          team:  # flagged
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: offer
          offer:  # flagged
            kind: ask
            convey: Offer a demo.
            on:
              agreement: {go: email}
          email:
            kind: ask
            convey: Ask for the email address.
            collect: [email]
            filled: book
            on:
              wants_person: {go: to_sales}
          sure:  # flagged
            kind: ask
            convey: Ask whether they are sure.
            on:
              agreement: {go: to_sales}
              wants_person: {convey: Ask once more., stay: true, at_most: 1}
        everywhere:
          wants_person: {convey: Offer to help first., stay: true, at_most: 1, then: sure}
        """,
    ),
    (
        "a trigger for every request makes a person near",
        "VF607",
        """
        everywhere:
          wants_person: {convey: Offer to help first., stay: true, at_most: 5, then: to_sales}
        handoff_triggers:
          - {when: intent.name == 'wants_person' or turn.number > 30, to: sales}
        """,
    ),
    (
        "a trigger with a further condition makes no person near",
        "VF607",
        """
        nodes:
          team:  # flagged
            kind: ask
            convey: Ask how many people would use it.
            collect: [team_size]
            filled: offer
          offer:  # flagged
            kind: ask
            convey: Offer a demo.
            on:
              agreement: {go: email}
          email:  # flagged
            kind: ask
            convey: Ask for the email address.
            collect: [email]
            filled: book
        everywhere:
          wants_person: {convey: Offer to help first., stay: true, at_most: 5, then: to_sales}
        handoff_triggers:
          - {when: intent.family == 'escalation' and turn.number > 5, to: sales}
        """,
    ),
    (
        "who is put through on the way, after a question, or only perhaps, was promised nothing false",
        "VF608",
        """
        nodes:
          offer:
            kind: ask
            say: Would you like me to put you through to a colleague? If so, I'll connect you with one.
            on:
              agreement: {go: email}
              denial: {say: I'll put you through. Is it about the price?, go: who}
              too_expensive: {say: I'm transferring you now., go: calling}
          who:
            kind: ask
            convey: Ask whether it is about the price.
            on:
              agreement: {go: to_sales}
          calling:
            kind: tell
            say: I'm connecting you with a colleague.
            next: to_sales
        """,
    ),
    (
        "who is put through to a goodbye, a dead rung, or the end of an answer, was",
        "VF608",
        """
        nodes:
          offer:
            kind: ask
            convey: Offer a demo.
            on:
              agreement: {go: email}
              what_is_this: {say: I'll put you through to someone., go: farewell}  # flagged
            keys:
              "9": {say: Let me transfer you to a colleague., go: farewell}  # flagged
          farewell:
            kind: tell
            convey: Wish them a good day.  # flagged
            sample: I'm transferring you now.
            next: sorry
        everywhere:
          too_expensive: {say: We'll connect you with a colleague., go: sorry}  # flagged
        """,
    ),
    (
        "what the records or an action say may be told, and a question claims nothing",
        "VF709",
        """
        nodes:
          offer:
            kind: ask
            say: I see that your demo is booked for {account}. Shall I say that you're booked?
            on:
              agreement: {go: email}
        """,
    ),
    (
        "an action's own promise before it is done is a claim, after it is none",
        "VF709",
        """
        nodes:
          email:
            kind: ask
            convey: Ask for the email address.
            collect: [email]
            filled: book
            on:
              agreement: {say: Your seat is safe. And your address?, stay: true, at_most: 2}  # flagged
          goodbye: {kind: end, convey: Say goodbye., outcome: done}
          booked: {kind: end, say: Your seat is safe. Goodbye., outcome: done}
          book:
            kind: act
            action: book_demo
            while_waiting: One moment, I'm booking it.
            on_success: booked
            on_failure: to_sales
        actions:
          book_demo:
            does: Books a demo.
            takes: {email: slots.email}
            changes_something: true
            promises: [your seat is safe]
        """,
    ),
    (
        "a note in brackets to the model is none of another tool's placeholders",
        "VF824",
        """
        nodes:
          offer:
            kind: ask
            convey: Offer a demo [this week or the next], for 20 $ or less.
            on:
              agreement: {go: email}
        """,
    ),
    (
        "a prohibition beside what to do, or with it in one sentence, is fine",
        "VF822",
        """
        nodes:
          offer:
            kind: ask
            convey: Never mind the weather. Don't hurry them; offer a demo.
            on:
              agreement: {go: email}
        """,
    ),
]


@pytest.mark.parametrize(("code", "changes"), [case[1:] for case in JUDGED], ids=[case[0] for case in JUDGED])
def test_a_check_judges_well(code: str, changes: str, find: Find) -> None:
    """What a check finds at its edges is what is marked, and innocent flows have no finding at all."""
    whole = patched(dedent(changes).lstrip("\n"))
    findings = find(whole)
    marked = [at for at, line in enumerate(whole.splitlines(), start=1) if line.endswith("# flagged")]
    assert [finding.span.line for finding in findings if finding.code == code] == marked
    assert marked or findings == ()


FOLDED = """
nodes:
  greeting:
    kind: disclosure
    say: >-
      Hi, I'm the AI of {company}. Ask
      for a person, {account}. This call is recorded.
    next: team
"""


@pytest.mark.parametrize(
    ("code", "changes", "name"),
    [
        ("VF701", "nodes:\n  offer: {kind: tell, say: 'We''ll write to {email}.', next: email}\n", "{email}"),
        ("VF402", FOLDED, "{account}"),
    ],
)
def test_a_placeholder_is_found_at_its_own_column(code: str, changes: str, name: str, find: Find) -> None:
    """Quotes and folded lines do not shift the place."""
    whole = patched(changes)
    (finding,) = [finding for finding in find(whole) if finding.code == code]
    line = whole.splitlines()[finding.span.line - 1]
    assert line[finding.span.column - 1 : finding.span.end_column - 1] == name


def test_a_finding_shows_the_callers_way(find: Find) -> None:
    """The route is a way on which the value is not collected; each step past the disclosure has a place."""
    changes = "nodes:\n  goodbye: {kind: end, say: 'We write to {email}. Goodbye.', outcome: done}\n"
    (finding,) = find(patched(changes))
    assert finding.route == ("greeting", "team", "goodbye")
    first = "{kind: decide, cases: [{if: turn.number > 1, go: team}], otherwise: greeting}"
    (finding,) = find(patched(f"start: first\nnodes:\n  first: {first}\n"))
    assert finding.route == ("first", "team")
    assert [each.text for each in finding.related] == ["first -> team (turn.number > 1)"]
