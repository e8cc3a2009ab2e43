from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.compiler.checks.examples import patched
from tests.generate import flows, large_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import (
    Graph,
    answer_at,
    build,
    can_reach,
    cycles,
    handoff_nodes,
    implied,
    ladder_at,
    reach,
    stops,
)

ON_FILE = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def flow_of(text: str, folder: Path) -> Flow:
    path = folder / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    flow = pipeline.load(str(path)).flow
    assert flow is not None
    return flow


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return build(flow_of(patched(""), tmp_path))


def edges(graph: Graph, node: str, *, inherited: bool = False) -> set[tuple[str, str, str]]:
    return {
        (edge.kind, edge.label, edge.target) for edge in graph.edges_from[node] if edge.inherited == inherited
    }


def test_every_kind_of_node_has_the_edges_it_writes(graph: Graph) -> None:
    """Disclosures, asks, actions and handoffs lead where they say; an end leads nowhere."""
    assert edges(graph, "greeting") == {("next", "then", "team")}
    assert edges(graph, "team") == {("filled", "answered", "offer")}
    assert edges(graph, "offer") == {("intent", "agreement", "email")}
    assert edges(graph, "book") == {("success", "done", "goodbye"), ("failure", "failed", "to_sales")}
    assert edges(graph, "to_sales") == {("unanswered", "nobody answers", "goodbye")}
    assert edges(graph, "goodbye") == edges(graph, "goodbye", inherited=True) == set()


def test_a_listening_node_inherits_what_holds_everywhere(graph: Graph) -> None:
    """Answers of everywhere, ladders, triggers, a lost model and limits are edges of every listening node."""
    assert edges(graph, "team", inherited=True) == {
        ("everywhere", "too_expensive", "sorry"),
        ("everywhere", "wants_person", "to_sales"),
        ("ladder", "not understood", "to_sales"),
        ("ladder", "silence", "goodbye"),
        ("trigger", "the caller is unhappy", "to_sales"),
        ("lost_model", "lost model", "to_sales"),
        ("limit", "limits", "to_sales"),
    }
    assert edges(graph, "book", inherited=True) == {
        ("lost_model", "lost model", "to_sales"),
        ("limit", "limits", "to_sales"),
    }


def test_a_nodes_own_answer_hides_the_one_that_holds_everywhere(tmp_path: Path) -> None:
    """By intent, and by family too: a node's family comes before an intent that holds everywhere."""
    for own in ("too_expensive", "objection"):
        flow = flow_of(
            patched(
                f"nodes:\n  offer:\n    kind: ask\n    convey: Offer it.\n    on:\n"
                f"      agreement: {{go: email}}\n      {own}: {{go: goodbye}}\n"
            ),
            tmp_path,
        )
        here = build(flow).edges_from["offer"]
        assert [edge.target for edge in here if edge.family == "objection"] == ["goodbye"]
        answer = answer_at(flow, flow.nodes["offer"], "too_expensive")
        assert answer is not None
        assert answer.go == "goodbye"


def test_an_own_ladder_hides_the_flows(tmp_path: Path) -> None:
    """A node with a no_match ladder of its own keeps the flow's no_input ladder."""
    flow = flow_of(
        patched(
            "nodes:\n  offer:\n    kind: ask\n    convey: Offer it.\n    on: {agreement: {go: email}}\n"
            "    fallback: {no_match: [{say: Sorry?}, {go: sorry}]}\n"
        ),
        tmp_path,
    )
    ladders = {
        (edge.label, edge.target, edge.inherited)
        for edge in build(flow).edges_from["offer"]
        if edge.kind == "ladder"
    }
    assert ladders == {("not understood", "sorry", False), ("silence", "goodbye", True)}
    assert ladder_at(flow, flow.nodes["offer"], "no_input") is flow.fallback.no_input


def test_a_trigger_leads_to_an_implicit_node_where_its_handoff_has_none(tmp_path: Path) -> None:
    """The node is called handoff:NAME, and leads on as its handoff says."""
    flow = flow_of(
        patched(
            "handoffs:\n  boss: {mode: cold, say: One moment., if_unanswered: goodbye}\n"
            "handoff_triggers:\n  - {when: turn.negative_in_a_row >= 3, to: boss}\n"
        ),
        tmp_path,
    )
    graph = build(flow)
    assert handoff_nodes(flow) == {"sales": "to_sales", "boss": "handoff:boss"}
    assert graph.route("handoff:boss") == ("greeting", "team", "handoff:boss")
    assert edges(graph, "handoff:boss") == {("unanswered", "nobody answers", "goodbye")}


def test_agreement_answers_values_and_keys_are_progress(tmp_path: Path) -> None:
    """An objection, a ladder or a trigger is not."""
    flow = flow_of(
        patched(
            "nodes:\n  offer:\n    kind: ask\n    convey: Offer it.\n"
            '    on: {agreement: {go: email}}\n    keys: {"1": {go: goodbye}}\n'
        ),
        tmp_path,
    )
    graph = build(flow)
    assert {edge.label for edge in graph.edges if edge.progress} == {"agreement", "key 1", "answered"}


def test_a_slot_is_known_after_filled_only(graph: Graph) -> None:
    """What an ask collects is known where `filled` leads, and not where an objection leads."""
    assert not graph.is_known("slots.team_size", "team")
    assert graph.is_known("slots.team_size", "offer")
    assert graph.is_known("slots.team_size", "book")
    assert not graph.is_known("slots.team_size", "sorry")
    assert not graph.is_known("slots.team_size", "goodbye")
    assert stops(graph.way_without("slots.team_size", "goodbye")) == ("greeting", "team", "goodbye")


def test_a_result_is_known_after_success_only(tmp_path: Path) -> None:
    """Where on_success alone leads, the results are there; where on_failure leads too, they may not be."""
    flow = flow_of(
        patched(
            "nodes:\n  book:\n    kind: act\n    action: book_demo\n    while_waiting: One moment.\n"
            "    on_success: told\n    on_failure: to_sales\n"
            "  told: {kind: tell, say: Done., next: goodbye}\n"
        ),
        tmp_path,
    )
    graph = build(flow)
    assert graph.is_known("results.book_demo", "told")
    assert not graph.is_known("results.book_demo", "to_sales")


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        (["==", ["name", "slots", "a"], ["value", 1]], {"slots.a"}),
        (["!=", ["name", "slots", "a"], ["value", 1]], {"slots.a"}),
        (["in", ["name", "slots", "a"], ["list", ["value", 1]]], {"slots.a"}),
        (["not", ["==", ["name", "slots", "a"], ["value", 1]]], set()),
        (
            ["and", ["name", "slots", "a"], ["==", ["name", "slots", "b"], ["value", 1]]],
            {"slots.a", "slots.b"},
        ),
        (["or", ["name", "slots", "a"], ["==", ["name", "slots", "b"], ["value", 1]]], set()),
        (
            ["or", ["name", "slots", "a"], ["and", ["name", "slots", "a"], ["name", "slots", "b"]]],
            {"slots.a"},
        ),
        (["<", ["name", "turn", "number"], ["value", 1]], set()),
        (None, set()),
    ],
)
def test_a_condition_that_holds_tells_what_is_known(expr: list[object] | None, names: set[str]) -> None:
    """A comparison with an unknown value is false, so a true one makes its names known."""
    assert implied(expr) == names


def test_one_cycle_is_shown_for_each_knot(tmp_path: Path) -> None:
    """Two rounds that share a node are one knot, and the cycle shown is a real one."""
    nodes = "\n".join(f"  n{at}: {{kind: tell, say: Hm., next: n{(at + 1) % 3}}}" for at in range(3))
    flow = flow_of(patched(f"nodes:\n{nodes}\n"), tmp_path)
    found = cycles(build(flow), via=lambda edge: edge.kind == "next")
    assert [stops(cycle) for cycle in found] == [("n0", "n1", "n2", "n0")]


@given(text=flows())
@ON_FILE
def test_what_is_not_surely_known_has_a_way_that_shows_it(text: str, tmp_path_factory) -> None:
    """For every node and name: known, or there is a way from the start on which it does not become known."""
    graph = build(flow_of(text, tmp_path_factory.mktemp("flow")))
    for node in graph.reached:
        for name, bit in graph.bits.items():
            way = graph.way_without(name, node)
            assert all(not edge.gains & bit for edge in way)
            shown = node == graph.start or bool(way)
            assert shown != graph.is_known(name, node)


@given(text=flows())
@ON_FILE
def test_ways_are_made_of_edges(text: str, tmp_path_factory) -> None:
    """A route begins at the start, ends at the node, and each step is an edge; nothing else is reached."""
    graph = build(flow_of(text, tmp_path_factory.mktemp("flow")))
    for node in graph.nodes:
        route = graph.route(node)
        assert bool(route) == (node in reach(graph, [graph.start]))
        assert not route or (route[0], route[-1]) == (graph.start, node)
        for edge in graph.way(node):
            assert edge in graph.edges_from[edge.source]
    backward = can_reach(graph, ["goodbye"], via=lambda edge: True)
    assert backward == {node for node in graph.nodes if "goodbye" in reach(graph, [node])}


def test_a_large_flow_is_built_whole(tmp_path: Path) -> None:
    """The generator gives as many nodes as asked for, all reachable, and about four written edges a node."""
    flow = flow_of(large_flow(500, seed=3), tmp_path)
    graph = build(flow)
    assert len(flow.nodes) == len(graph.reached) == 500
    assert sum(not edge.inherited for edge in graph.edges) >= 1800


def test_equal_seeds_give_equal_flows() -> None:
    """A measured flow can be made again."""
    assert large_flow(60, seed=5) == large_flow(60, seed=5)
    assert large_flow(60, seed=5) != large_flow(60, seed=6)
