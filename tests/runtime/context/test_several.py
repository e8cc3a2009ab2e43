"""Facts from several sources: in order, at once, and a failing one costs only its own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.context.base import Part, merge, merged
from runtime.ports import OutsideFailure
from tests.runtime.context.places import DANA, opened, problem, reason
from tests.runtime.office import Answer, listening

CSV = "phone,first_name,account_status\n+12025550101,Dana,customer\n"


def toml(url: str, merge_rule: str = "fill", part_ms: int = 5000) -> str:
    """A web CRM first, a file second."""
    return f"""[facts.crm]
source = "several"
of = ["web", "file"]
merge = "{merge_rule}"
part_ms = {part_ms}
[facts.web]
source = "http"
url = "{url}/x"
[facts.file]
source = "csv_file"
path = "crm.csv"
"""


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("fill", {"first_name": "Daniela", "tickets": 3, "account_status": "customer"}),
        ("first", {"first_name": "Daniela", "tickets": 3}),
    ],
)
async def test_a_merge_rule_says_whose_fact_it_is(
    tmp_path: Path, rule: str, facts: dict[str, object]
) -> None:
    """fill: each fact from the first source that has it; first: all from the first that knows the caller."""
    (tmp_path / "crm.csv").write_text(CSV)
    async with listening(Answer(200, b'{"first_name": "Daniela", "tickets": 3}')) as office:
        source = opened(tmp_path, toml(office.url, rule))
        assert await source.look_up(DANA) == facts
        await source.close()


@pytest.mark.faults
@pytest.mark.parametrize("bad", [Answer(500, b""), Answer(0, b"", hang=True), Answer(404, b"")])
async def test_a_source_that_fails_or_is_slow_costs_only_its_own_facts(tmp_path: Path, bad: Answer) -> None:
    """The others' facts are told, within the time each source has."""
    (tmp_path / "crm.csv").write_text(CSV)
    async with listening(bad) as office:
        source = opened(tmp_path, toml(office.url, part_ms=300))
        assert await source.look_up(DANA) == {"first_name": "Dana", "account_status": "customer"}
        await source.close()


async def test_nobody_answering_is_a_failure_and_nobody_knowing_is_not(tmp_path: Path) -> None:
    """All sources failing is a reason; all not knowing the caller is an unknown caller."""
    (tmp_path / "crm.csv").write_text(CSV)
    async with listening(Answer(404, b""), Answer(500, b"")) as office:
        source = opened(tmp_path, toml(office.url))
        assert await source.look_up("+12025550199") is None
        (tmp_path / "crm.csv").unlink()
        assert await reason(source) == "broken"
        await source.close()


def test_a_source_within_itself_is_told(tmp_path: Path) -> None:
    """Sources that name one another in a circle are refused before the first call."""
    circle = '[facts.crm]\nsource = "several"\nof = ["crm"]\n'
    assert "is one of its own sources" in problem(tmp_path, circle)


PARTS = st.lists(
    st.builds(
        Part,
        st.uuids().map(str),
        st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3),
        st.sampled_from(["", "", "timeout"]),
    ).map(lambda part: Part(part.name, None, part.failure) if part.failure else part),
    min_size=1,
    max_size=4,
)


@given(PARTS, st.sampled_from(["fill", "first"]))
def test_every_merged_fact_is_the_first_source_s_that_has_it(parts: list[Part], rule: str) -> None:
    """Whatever the sources tell: a merged fact is one source's, and under fill none is lost."""
    try:
        facts = merged(parts, rule)
    except OutsideFailure:
        assert all(part.failure for part in parts)
        return
    told = {part.name: part.facts or {} for part in parts}
    origin = merge(parts, rule)
    assert all(told[source][name] == (facts or {})[name] for name, source in origin.items())
    if rule == "fill":
        assert set(facts or {}) == {name for part in parts for name in part.facts or {}}
    else:
        assert len(set(origin.values())) <= 1
