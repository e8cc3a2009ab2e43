import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generate import flow_data, flows, large_flow, somewhere, written
from voiceflow_compiler import pipeline
from voiceflow_compiler.checks import CHECKS
from voiceflow_compiler.diagnostics import Finding

ON_FILE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def findings_in(text: str, folder: Path) -> tuple[Finding, ...]:
    path = folder / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    return pipeline.check(str(path)).findings


@given(text=flows())
@ON_FILE
def test_generated_flows_are_clean(text: str, tmp_path_factory) -> None:
    """No check accuses a small flow that is right by construction."""
    assert findings_in(text, tmp_path_factory.mktemp("flow")) == ()


def test_large_flows_are_clean(tmp_path: Path) -> None:
    """No check accuses a large flow that is right by construction."""
    assert findings_in(large_flow(300, seed=7), tmp_path) == ()


@given(data=flow_data(), seed=st.integers(0, 2**16))
@ON_FILE
def test_no_flow_makes_a_check_raise(data: dict[str, Any], seed: int, tmp_path_factory) -> None:
    """Whatever is taken out of a flow or led elsewhere, checking ends in findings with a place."""
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 4)):
        _break(data, rng)
    text = written(data)
    for finding in findings_in(text, tmp_path_factory.mktemp("flow")):
        assert 1 <= finding.span.line <= text.count("\n") + 1
        assert finding.message


def _break(data: dict[str, Any], rng: random.Random) -> None:
    """Take one value out of a map or list somewhere, or lead one move to another node."""
    part, key = somewhere(data, rng, deeper=0.85)
    if key in ("go", "then", "next", "filled", "otherwise", "on_success", "on_failure", "start"):
        part[key] = rng.choice(list(data.get("nodes") or ["nowhere"]))
    elif key is not None:
        del part[key]


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[3].glob("flows/*/flow.yaml")), ids=lambda path: path.parent.name
)
def test_the_shipped_flows_are_clean(path: Path) -> None:
    """The flows of this project have no finding."""
    assert pipeline.check(str(path)).findings == ()


def _take(*path: str) -> Callable[[dict[str, Any]], None]:
    """Take what stands at a path out of a flow."""

    def taken(data: dict[str, Any]) -> None:
        *above, last = path
        for key in above:
            data = data[key]
        del data[last]

    return taken


def _put(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    """Put a value at a path of a flow."""

    def put(data: dict[str, Any]) -> None:
        *above, last = path
        for key in above:
            data = data[key]
        data[last] = value

    return put


ISLAND = {"kind": "tell", "say": "Nobody comes here.", "next": "goodbye"}
BAD_GREETING = "Hi {first_name}, I'm the AI of {company}. This call is recorded. A person is here too."
SEEDED = [
    ("VF201", _put(ISLAND, "nodes", "island")),
    ("VF206", _put({"say": "Well.", "stay": True}, "everywhere", "not_now")),
    ("VF302", _put(["yes"], "intents", "not_now", "examples")),
    ("VF304", _take("intents", "not_now", "examples")),
    ("VF401", _put("step_0", "start")),
    ("VF402", _put(BAD_GREETING, "nodes", "greeting", "say")),
    ("VF404", _put("Hello.", "nodes", "greeting", "say")),
    ("VF405", _put("I'm a real person. Goodbye.", "nodes", "goodbye", "say")),
    ("VF501", _take("fallback", "no_input")),
    ("VF501", _take("fallback", "lost_model")),
    ("VF502", _put([{"say": "Sorry?"}], "fallback", "no_input", "steps")),
    ("VF504", _put([{"say": "Sorry?"}, {"say": "Sorry!"}, {"go": "sorry"}], "fallback", "no_input", "steps")),
    ("VF505", _put({"convey": "Apologise.", "go": "sorry"}, "fallback", "lost_model")),
    ("VF601", _put({"go": "sorry"}, "everywhere", "wants_person")),
    ("VF604", _put("to_desk", "handoffs", "desk", "if_unanswered")),
    ("VF605", _put([{"when": "facts.account == 'none' and false", "to": "desk"}], "handoff_triggers")),
    ("VF606", _take("handoffs", "desk", "if_unanswered")),
    ("VF701", _put("It is {look_up.found}. Goodbye.", "nodes", "sorry", "convey")),
    ("VF706", _take("caller_facts", "fields", "account", "otherwise")),
    ("VF707", _put("Your pin is {pin}. Goodbye.", "nodes", "goodbye", "say")),
]


@pytest.mark.parametrize(("code", "seed_fault"), SEEDED, ids=[case[0] for case in SEEDED])
@given(data=flow_data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_seeded_fault_is_found_in_any_flow(
    code: str, seed_fault: Callable[[dict[str, Any]], None], data: dict[str, Any], tmp_path_factory
) -> None:
    """Whatever else a flow holds, the fault put into it is found."""
    data["handoff_triggers"] = []
    seed_fault(data)
    assert code in {each.code for each in findings_in(written(data), tmp_path_factory.mktemp("flow"))}


def test_no_check_takes_another_ones_code() -> None:
    """Codes are VF and three digits, of the families two to eight."""
    assert all(check.code[:2] == "VF" and 200 < int(check.code[2:]) < 900 for check in CHECKS)
