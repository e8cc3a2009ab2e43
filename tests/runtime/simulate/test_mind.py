from hypothesis import given
from hypothesis import strategies as st

from runtime.simulate.mind import REPEATS, Mind, answer, interruption
from runtime.simulate.profile import Line, Profile


def mind(*lines: Line) -> Mind:
    return Mind(Profile(name="Ada", says=lines))


def test_lines_are_said_in_order() -> None:
    """Without nodes the lines come one after the other."""
    one, two = Line(say="one"), Line(say="two")
    after, first = answer(mind(one, two), None)
    assert (first, answer(after, None)[1]) == (one, two)


def test_a_line_waits_for_its_node() -> None:
    """A line kept for a node is not said at another."""
    line = Line(at="team", say="fifty")
    assert answer(mind(line), "need")[1] is None
    assert answer(mind(line), "team")[1] is line


def test_a_line_is_passed_over_once_a_later_one_fits() -> None:
    """A line for a node the call never reached is left out."""
    skipped, fitting = Line(at="price", say="ok"), Line(at="team", say="fifty")
    after, line = answer(mind(skipped, fitting), "team")
    assert line is fitting
    assert answer(after, "price")[1] is None


def test_a_caller_who_was_not_understood_says_it_again() -> None:
    """At the same node without a new line, the last one is repeated, but not for ever."""
    now, line = answer(mind(Line(at="team", say="fifty")), "team")
    said = []
    for _ in range(REPEATS + 2):
        now, again = answer(now, "team")
        said.append(again)
    assert said == [line] * REPEATS + [None] * 2


def test_silence_is_for_good() -> None:
    """After a silent line nothing is said any more."""
    now, line = answer(mind(Line(silence=True), Line(say="never")), None)
    assert line is not None
    assert answer(now, None)[1] is None


def test_only_the_next_line_interrupts() -> None:
    """The next line is an interruption when it is of that kind and at its node."""
    line = Line(at="greeting", say="hello", interrupt_after_ms=100)
    assert interruption(mind(line), "greeting") is line
    assert interruption(mind(line), "team") is None
    assert interruption(mind(Line(say="first"), line), "greeting") is None


lines = st.builds(
    Line, say=st.sampled_from(["a", "b"]), at=st.sampled_from([None, "x", "y"]), interrupt_after_ms=st.none()
)


@given(st.lists(lines, min_size=1, max_size=6), st.lists(st.sampled_from(["x", "y"]), max_size=40))
def test_a_caller_falls_silent_in_the_end(says: list[Line], nodes: list[str]) -> None:
    """Wherever the call goes, a caller says each line once and repeats it at most REPEATS times."""
    now, count = mind(*says), 0
    for node in nodes:
        now, line = answer(now, node)
        count += line is not None
    assert count <= len(says) * (1 + REPEATS)
