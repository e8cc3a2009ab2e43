"""What of a flow was reached, and calls that reach it all."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from runtime.simulate.cover.classes import classes
from runtime.simulate.cover.goals import SEARCHED, goals
from runtime.simulate.cover.report import as_text, cover, per_line
from runtime.simulate.cover.seen import Track
from runtime.simulate.cover.suite import BOUNDED, Suite, generate
from runtime.simulate.scenario.form import read_scenarios
from runtime.simulate.scenario.generated import scenarios
from runtime.simulate.scenario.run import run
from runtime.simulate.scenario.write import many_as_yaml
from tests.flows.shipped import FLOWS, artifact
from tests.generate import Flow, small_flow, written
from tests.suites import random_flows, row
from voiceflow_compiler.pipeline import compile as compile_flow
from voiceflow_compiler.source import Budget, Read, nowhere, parse

SMALL = "appointment_scheduling"
each_flow = pytest.mark.parametrize("flow", FLOWS)


@cache
def suite(flow: str) -> Suite:
    return generate(artifact(flow), pairs=False)


@each_flow
def test_a_suite_reaches_every_edge_and_intent(flow: str) -> None:
    """The generated calls of a shipped flow reach every edge and every answered intent that can be."""
    covered = cover(artifact(flow), dict.fromkeys(suite(flow).reached, 1), suite(flow).impossible)
    assert covered.percent("edge") == covered.percent("intent") == covered.percent("node") == 100.0


@each_flow
def test_what_cannot_be_reached_is_explained(flow: str) -> None:
    """A goal that no call reaches is named with its reason, and there are few."""
    assert all(suite(flow).impossible.values())
    assert len(suite(flow).impossible) < len(goals(artifact(flow))) * 0.08


@each_flow
def test_the_count_of_calls_is_near_its_bound(flow: str) -> None:
    """A suite has no fewer calls than its lower bound, and at most a tenth more."""
    assert suite(flow).at_least <= len(suite(flow).calls) <= 1.1 * suite(flow).at_least


def test_every_call_of_a_suite_ends() -> None:
    """Each generated call is followed to its end."""
    assert all(call.steps[-1][-1].after.phase == "ended" for call in suite(SMALL).calls)


def test_a_suite_written_and_read_again_holds() -> None:
    """Generated scenarios are YAML the reader takes, hold on the same flow, and reach the same."""
    text = many_as_yaml(scenarios(artifact(SMALL), suite(SMALL)), "made by a test")
    read = Read("suite.yaml", root=nowhere("suite.yaml"))
    parse(text, read, Budget())
    assert read.findings == []
    reached = set()
    for scenario, _ in read_scenarios(read.data):
        verdict = run(artifact(SMALL), scenario, None)
        assert [(each.path, each.found) for each in verdict.failures] == []
        reached |= set(Track(artifact(SMALL)).follow(verdict.moments))
    kept = {goal for goal in suite(SMALL).reached if goal[0] not in SEARCHED}
    assert kept <= reached


def test_pairs_of_edges_are_reached_too() -> None:
    """With pairs on, edges are tried in every order that the walk found possible."""
    with_pairs = generate(artifact(SMALL))
    found = [goal for goal in with_pairs.reached if goal[0] == "pair"]
    assert len(found) > 200
    assert not [goal for goal in with_pairs.missed if goal[0] == "edge"]


def test_bounds_of_a_number_are_classes() -> None:
    """A number is tried at its bounds, beyond them, and around what conditions compare it to."""
    names = [each.name for each in classes(artifact("lead_qualification"), "team_size")]
    assert {"below 1", "the smallest, 1", "just below 50", "50", "just above 50"} <= set(names)


def test_a_line_that_was_never_reached_is_marked() -> None:
    """The per-line report marks what is written at a line and was never reached."""
    whole = cover(artifact(SMALL), {("node", "greeting"): 3})
    places: dict[tuple[str | int, ...], int] = {("nodes", "greeting"): 2}
    text = per_line(whole, "nodes:\n  greeting:\n  reason:\n", lambda path: places.get(path[:2], 3))
    assert text.splitlines()[2].strip().startswith("#####")
    assert "never:" in as_text(whole)


def test_random_flows_are_covered() -> None:
    """In random flows every edge and intent is reached or no caller can reach it, and hardly a call more is
    made than must be."""
    _covered(range(25))


@pytest.mark.long
def test_two_hundred_random_flows_are_covered() -> None:
    """The same holds for two hundred flows."""
    _covered(range(200))


def _covered(seeds: range) -> None:
    made = [row(f"random {seed}", flow) for seed, flow in random_flows(seeds)]
    assert [one.name for one in made if one.missed] == []
    assert sum(one.calls for one in made) <= 1.1 * sum(one.at_least for one in made)


def test_what_bounds_put_out_of_reach_is_told(tmp_path: Path) -> None:
    """An answer that may be given four times, in a flow whose callers may fail three times, is never past
    its bound; the set says so."""
    told = suite_of(tmp_path, bounded(no_progress=3))
    assert told.impossible[THEN] == BOUNDED
    assert told.missed == ()
    assert THEN in suite_of(tmp_path, bounded(no_progress=6)).reached


THEN = ("edge", "step", "on what_is_this then", "to_desk")


def bounded(no_progress: int) -> Flow:
    """A flow of one question, whose explanation may be had three times before a person is brought."""
    flow: Flow = yaml.safe_load(small_flow(1))
    explain = {"convey": "Explain it.", "stay": True, "at_most": 3, "then": "to_desk"}
    flow["nodes"] = {
        "greeting": {**flow["nodes"]["greeting"], "next": "step"},
        "step": {
            "kind": "ask",
            "convey": "Ask whether it is fine.",
            "on": {"agreement": {"go": "goodbye"}, "what_is_this": explain},
        },
    } | {name: flow["nodes"][name] for name in ("to_desk", "goodbye", "sorry")}
    flow["start"] = "greeting"
    flow["handoff_triggers"] = []
    flow["limits"] = {"turns": 20, "minutes": 5, "no_progress": no_progress, "visits": 3}
    return flow


def suite_of(folder: Path, flow: Flow) -> Suite:
    path = folder / "flow.yaml"
    path.write_text(written(flow), encoding="utf-8")
    compiled = compile_flow(str(path)).artifact
    assert compiled is not None
    return generate(compiled, pairs=False)
