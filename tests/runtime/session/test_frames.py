"""The ledger on a line that takes whole frames only."""

from base64 import b64decode, b64encode

from hypothesis import given
from hypothesis import strategies as st

from runtime.session.ledger import Finished, Ledger, Send

FRAME = 960


def frames(ledger: Ledger, at_ms: float = 0) -> list[Send]:
    return [one for one in ledger.take(at_ms) if isinstance(one, Send)]


@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=8))
def test_audio_of_any_cut_goes_out_in_whole_frames(pieces: list[bytes]) -> None:
    """However the model cuts its audio, every frame but the last is whole, and nothing is lost or moved."""
    ledger = Ledger(48, FRAME)
    ledger.open("s1", protected=False, scripted=False)
    sent: list[Send] = []
    for piece in pieces:
        ledger.add("s1", b64encode(piece).decode(), "i1")
        sent += frames(ledger)
    ledger.close("s1")
    sent += frames(ledger)
    content = [b64decode(one.payload) for one in sent]
    assert b"".join(content) == b"".join(pieces)
    assert all(len(one) == FRAME for one in content[:-1])
    assert 0 < len(content[-1]) <= FRAME
    assert sent[-1].mark


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=4))
def test_the_last_mark_ends_the_speech(pieces: list[bytes]) -> None:
    """Not every frame is marked, but when the last mark comes back the whole speech was heard."""
    ledger = Ledger(48, FRAME)
    ledger.open("s1", protected=False, scripted=True, text="words")
    for piece in pieces:
        ledger.add("s1", b64encode(piece).decode())
    ledger.close("s1")
    sent = frames(ledger)
    ledger.mark_returned(sent[-1].mark, 10_000)
    (ended,) = [one for one in ledger.take(10_000) if isinstance(one, Finished)]
    assert ended.heard_ms == sum(map(len, pieces)) // 48


def test_a_new_item_takes_the_rest_of_the_old_one_out() -> None:
    """The end of one item is not mixed into a frame of the next."""
    ledger = Ledger(48, FRAME)
    ledger.open("s1", protected=False, scripted=False)
    ledger.add("s1", b64encode(b"a" * 1000).decode(), "i1")
    ledger.add("s1", b64encode(b"b" * 1000).decode(), "i2")
    ledger.close("s1")
    assert [b64decode(one.payload)[:1] for one in frames(ledger)] == [b"a", b"a", b"b", b"b"]


def test_marks_are_fewer_than_frames() -> None:
    """Every third frame is marked, and the last one that waits."""
    ledger = Ledger(48, FRAME)
    ledger.open("s1", protected=False, scripted=False)
    ledger.add("s1", b64encode(b"\0" * FRAME * 7).decode(), "i1")
    marked = [bool(one.mark) for one in frames(ledger)]
    assert marked == [False, False, True, False, False, True, True]
