"""Random callers of many kinds, in another language."""

from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.run import wishes_of
from runtime.simulate.crowd.spread import crowd
from tests.flows.shipped import artifact


def test_callers_in_spanish_find_the_same_design() -> None:
    """Two hundred random callers of the Spanish clinic break no law, and some of them book a visit."""
    had = list(crowd(artifact("appointment_scheduling", "es-US"), wishes_of(list(KINDS), 200, 7), 1, "local"))
    assert [finding for one in had for finding in one.findings] == []
    assert any(one.outcome == "visit_booked" for one in had)
