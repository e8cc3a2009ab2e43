"""What calls cost: the chain, the bill, and how `vfc cost` tells what it rests on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from tests.generate import large_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.cli import app
from voiceflow_compiler.cost import Estimate, assumed, estimate, sizes
from voiceflow_compiler.cost.bill import MODES, Bill, Sizes, expected, of_call
from voiceflow_compiler.cost.calls import Call
from voiceflow_compiler.cost.chain import Chain, Step, ahead, chain, visits

ROOT = Path(__file__).parents[2]
LEAD = ROOT / "flows/lead_qualification"
EXPECTED = ROOT / "tests/cases/cost"
RUN = CliRunner()


def compiled(path: Path = LEAD / "flow.yaml") -> Artifact:
    """The artifact of a flow without errors."""
    artifact = pipeline.compile(str(path)).artifact
    assert artifact is not None
    return artifact


def estimated(*overrides: str, model: str | None = None) -> Estimate:
    """The estimate of a shipped flow."""
    artifact = compiled()
    return estimate(artifact, assumed.prices(None, model), assumed.assumptions(overrides, artifact.nodes))


def drawn(calls: Chain, rng: Random) -> Iterator[tuple[str, Step]]:
    """One call, drawn at random."""
    yield "", calls.opening
    state = calls.opening.target
    while state is not None:
        found = calls.steps[state]
        step = rng.choices(found, [each.chance for each in found])[0]
        yield state[0], step
        state = step.target


@pytest.mark.golden
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_an_estimate_is_exactly_the_file_kept(form: str) -> None:
    """The estimate of a shipped flow in every form, with all it rests on."""
    shown = RUN.invoke(app, ["cost", str(LEAD), "--format", form])
    assert shown.exit_code == 0
    kept = EXPECTED / f"lead.{({'text': 'txt', 'json': 'json', 'markdown': 'md'})[form]}"
    if os.environ.get("UPDATE_GOLDEN"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(shown.stdout, encoding="utf-8")
    assert shown.stdout == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", MODES)
def test_the_expected_bill_is_the_mean_of_drawn_calls(mode) -> None:
    """Twenty thousand calls drawn from the chain and billed one by one cost what the chain says, to 3 %."""
    artifact = compiled()
    taken = assumed.assumptions((), artifact.nodes)
    calls, sized, prices = chain(artifact, taken), sizes(artifact, taken, mode), assumed.prices(None, None)
    rng = Random(7)
    count = 20_000
    mean = sum(of_call(tuple(drawn(calls, rng)), sized).price(prices) for _ in range(count)) / count
    assert mean == pytest.approx(expected(calls, sized).price(prices), rel=0.03)


def test_a_bill_by_hand() -> None:
    """Two turns of a made-up call, every token counted by hand: what was read before is cached."""
    opening = Step(("a", 0), "start", 1.0, entered="a", script=10)
    turn = Step(
        ("a", 0), "again", 0.5, 1, heard=30, report=60, said=100, transcript=25, responses=2, brief="a"
    )
    call: Call = (("", opening), ("a", turn), ("a", turn), ("a", Step(None, "hang up", 0.5)))
    stable = of_call(call, Sizes("stable", {"a": 1000}, {"a": 40}, 20))
    each_turn = 60 + 40  # the report and the brief
    assert stable.text_in == 1000 + 10 + 2 * each_turn
    assert stable.text_cached == 4 * 1000 + 2 * 10 + 2 * (10 + each_turn)
    assert stable.text_out == 2 * (60 + 25)
    assert stable.audio_in == 2 * 30
    assert stable.audio_cached == 30 + 2 * (30 + 100) + 30
    assert stable.audio_out == 200


def test_other_instructions_read_all_anew() -> None:
    """A change of node in focused mode bills the whole conversation uncached, once."""
    opening = Step(("a", 0), "start", 1.0, entered="a", script=10)
    turn = Step(
        ("b", 0), "go", 1.0, 1, heard=30, report=60, said=100, transcript=25, responses=2, entered="b"
    )
    call: Call = (("", opening), ("a", turn), ("b", Step(None, "hang up", 1.0)))
    bill = of_call(call, Sizes("focused", {"a": 500, "b": 300}, {}, 20))
    assert bill == Bill(
        text_in=500 + 10 + 300 + 60 + 20 + 10,  # the ten words said first are read anew
        text_cached=500 + 10,
        text_out=85,
        audio_in=60,
        audio_cached=0,
        audio_out=100,
    )


def test_visits_and_ahead_agree_with_a_chain_solved_by_hand() -> None:
    """From a, half go round again and half on to b: a is met twice and b once, three steps in all."""
    a, b = ("a", 0), ("b", 0)
    calls = Chain(
        Step(a, "start", 1.0),
        {a: (Step(a, "again", 0.5), Step(b, "on", 0.5)), b: (Step(None, "over", 1.0),)},
    )
    assert visits(calls) == pytest.approx({a: 2, b: 1})
    assert ahead(calls, {a: 1, b: 1}) == pytest.approx({a: 3, b: 1})


def test_a_bound_is_reached_as_often_as_when_counted(tmp_path: Path) -> None:
    """A stay bounded at two: callers counted one by one reach its end as often, after as many turns."""
    text = (LEAD / "flow.yaml").read_text(encoding="utf-8")
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    only = [f"at.offer_demo.{name}=0" for name in ("denial", "too_expensive", "silence", "unclear")]
    artifact = compiled(path)
    others = [
        name for name in artifact.nodes["offer_demo"].answers if name not in ("agreement", "what_do_you_mean")
    ]
    only += [f"at.offer_demo.{name}=0" for name in (*others, "hang up", "key 1", "key 2")]
    taken = assumed.assumptions([*only, "at.offer_demo.what_do_you_mean=45"], artifact.nodes)
    steps = {step.label: step for step in chain(artifact, taken).steps["offer_demo", 0]}
    leaving = steps["agreement"].chance + steps["what_do_you_mean again"].chance
    reached = steps["what_do_you_mean again"].chance / leaving
    rng = Random(3)
    ended, turns, count = 0, 0, 40_000
    for _ in range(count):
        asked = 0
        while asked <= 2 and rng.random() < 0.5:
            asked += 1
        ended += asked > 2
        turns += asked + (asked <= 2)
    assert reached == pytest.approx(ended / count, abs=0.01)
    assert 1 / leaving == pytest.approx(turns / count, rel=0.02)


def test_chances_add_up_and_every_call_ends(tmp_path: Path) -> None:
    """At every state of a large flow the chances are one, and endings and hang-ups are all calls."""
    path = tmp_path / "flow.yaml"
    path.write_text(large_flow(300, seed=5), encoding="utf-8")
    artifact = compiled(path)
    calls = chain(artifact, assumed.assumptions((), artifact.nodes))
    often = visits(calls)
    assert all(sum(step.chance for step in found) == pytest.approx(1) for found in calls.steps.values())
    over = sum(
        often[state] * step.chance
        for state, found in calls.steps.items()
        for step in found
        if step.target is None
    )
    assert over == pytest.approx(1)


def test_focused_costs_more_where_calls_go_on() -> None:
    """Instructions per node read the conversation anew: dearer for the expected and the longest call."""
    found = estimated()
    for row in (found.rows[0], found.rows[2]):
        stable, focused = (row.bills[mode].price(found.prices) for mode in MODES)
        assert focused > stable > 0


def test_the_longest_call_keeps_to_the_limits() -> None:
    """No more turns than the flow allows, and more than expected."""
    found = estimated()
    assert found.rows[0].turns < found.rows[2].turns <= found.artifact.limits.turns


def test_a_way_longer_than_the_limit_is_cut_there(tmp_path: Path) -> None:
    """In a flow of three hundred questions the longest call is as long as the limit, not as the flow."""
    path = tmp_path / "flow.yaml"
    path.write_text(large_flow(300, seed=5), encoding="utf-8")
    artifact = compiled(path)
    found = estimate(artifact, assumed.prices(None, None), assumed.assumptions((), artifact.nodes))
    assert found.rows[2].turns == artifact.limits.turns


def test_assumptions_are_overridden_and_shown() -> None:
    """Longer callers cost more, a certain way takes all calls, and both are marked as the reader's own."""
    base, slow = estimated(), estimated("speech.caller_seconds=9")
    assert slow.rows[0].bills["stable"].price(slow.prices) > base.rows[0].bills["stable"].price(base.prices)
    sure = estimated("at.known_caller.case 1=1", "at.known_caller.case 2=0", "at.known_caller.otherwise=0")
    shares = {row.name.split()[0]: row.share for row in sure.endings}
    assert (shares["to_success"] or 0) > 0.3
    shown = RUN.invoke(app, ["cost", str(LEAD), "--assume", "speech.caller_seconds=9"])
    assert "caller_seconds 9 (yours)" in shown.stdout


def test_a_cheaper_model_is_cheaper() -> None:
    """The price list names its models; the small one costs less."""
    large, small = estimated(), estimated(model="gpt-realtime-2.1-mini")
    one, other = (each.rows[0].bills["stable"].price(each.prices) for each in (large, small))
    assert other < one / 2


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "gpt-9"],
        ["--assume", "speech.caller_second=3"],
        ["--assume", "speech.caller_seconds=much"],
        ["--assume", "speech.words_per_second=0"],
        ["--assume", "at.nowhere.agreement=1"],
        ["--prices", "absent.json"],
        ["--prices", str(LEAD / "flow.yaml")],
    ],
)
def test_what_cannot_be_used_is_one_line(words: list[str]) -> None:
    """A model without a price, a number that is none, a broken list: exit code 2 and one line."""
    ran = RUN.invoke(app, ["cost", str(LEAD), *words])
    assert ran.exit_code == 2
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""


def test_a_price_list_of_ones_own(tmp_path: Path) -> None:
    """Another list is used whole: its currency, its date and its prices."""
    price = {"text": {"in": 1, "cached": 1, "out": 1}, "audio": {"in": 1, "cached": 1, "out": 1}}
    listed = {"as_of": "today", "source": "a letter", "currency": "EUR", "per_tokens": 1000, "default": "m"}
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(listed | {"models": {"m": price}}), encoding="utf-8")
    told = json.loads(RUN.invoke(app, ["cost", str(LEAD), "--prices", str(path), "--format", "json"]).stdout)
    assert (told["prices"]["currency"], told["prices"]["text_in"]) == ("EUR", 1000)
    tokens = sum(told["calls"][0]["stable"]["tokens"].values())
    assert told["calls"][0]["stable"]["price"] == pytest.approx(tokens / 1000, rel=1e-3)


def test_a_build_fails_when_calls_cost_too_much() -> None:
    """`--at-most` is a gate: one line and exit code 1 above it."""
    assert RUN.invoke(app, ["cost", str(LEAD), "--at-most", "5"]).exit_code == 0
    ran = RUN.invoke(app, ["cost", str(LEAD), "--at-most", "0.01"])
    assert (ran.exit_code, len(ran.stderr.splitlines())) == (1, 1)


def test_weights_that_never_let_a_call_end_are_told() -> None:
    """Where a caller can only ask again, there is no expected call."""
    a = ("a", 0)
    with pytest.raises(ValueError, match="never end"):
        visits(Chain(Step(a, "start", 1.0), {a: (Step(a, "again", 1.0),)}))


def test_exact_words_are_not_billed_as_speech() -> None:
    """What is written with `say` is played without the model: it leaves text behind, and no audio."""
    artifact = compiled()
    taken = assumed.assumptions((), artifact.nodes)
    calls = chain(artifact, taken)
    played = next(step for step in calls.steps["book", 0] if step.label == "done")
    assert artifact.nodes["goodbye_booked"].line is not None
    assert (played.said, played.responses) == (0, 0)
    assert played.script > 0
