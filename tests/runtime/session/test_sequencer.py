"""The one owner of response.create, under every order of requests, answers, refusals and stops."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.session.sequencer import ASKED_TOO_OFTEN, Sequencer


class Server(RuleBasedStateMachine):
    """A server that answers, refuses, begins responses of its own, and a call that orders and stops."""

    def __init__(self):
        super().__init__()
        self.sequencer = Sequencer()
        self.ordered = 0
        self.left = set()  # requests not yet ended
        self.asked = {}  # request id -> request, asked and not ended
        self.foreign: Any = None
        self.responses = 0

    def end(self, request):
        self.left.remove(request.request_id)
        self.asked.pop(request.request_id, None)

    @rule(purpose=st.sampled_from(["speak", "answer", "report", "classify"]))
    def order(self, purpose):
        self.ordered += 1
        self.left.add(f"r{self.ordered}")
        speech = f"s{self.ordered}" if purpose in ("speak", "answer") else None
        self.sequencer.order(purpose, speech, f"t{self.ordered}")

    @rule()
    def flush(self):
        for request in self.sequencer.next():
            assert request.request_id not in self.asked
            if not request.beside:
                assert self.foreign is None
                assert all(other.beside for other in self.asked.values())
            self.asked[request.request_id] = request

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), named=st.booleans(), created=st.booleans())
    def answer(self, data, named, created):
        request = self.asked[data.draw(st.sampled_from(sorted(self.asked)))]
        self.responses += 1
        response_id = request.response_id or f"resp_{self.responses}"
        metadata = {"request": request.request_id}
        if created and request.response_id is None:
            assert self.sequencer.created(response_id, metadata) is request
        named = named or request.response_id is None
        assert self.sequencer.done(response_id, metadata if named else None) is request
        self.end(request)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), again=st.booleans())
    def refuse(self, data, again):
        request = self.asked[data.draw(st.sampled_from(sorted(self.asked)))]
        given_up = self.sequencer.refused(request.request_id, again=again)
        if given_up is not None:
            assert not again or request.cancelled or request.refusals >= ASKED_TOO_OFTEN
            self.end(request)
        else:
            del self.asked[request.request_id]

    @precondition(lambda self: self.foreign is None)
    @rule()
    def begin_unasked(self):
        self.responses += 1
        self.foreign = f"resp_{self.responses}"
        assert self.sequencer.created(self.foreign, {}) is None

    @precondition(lambda self: self.foreign is not None)
    @rule()
    def end_unasked(self):
        assert self.sequencer.done(self.foreign, None) is None
        self.foreign = None

    @rule()
    def nonsense(self):
        assert self.sequencer.done("resp_unknown", {"request": "r0"}) is None
        assert self.sequencer.refused("r0", again=True) is None

    @rule()
    def stop(self):
        dropped, active = self.sequencer.stop()
        for request in dropped:
            assert request.speech_id is not None
            self.end(request)
        if active is not None:
            assert active.cancelled
            assert active.request_id in self.asked

    @rule()
    def lose(self):
        lost = [request.request_id for request in self.sequencer.lose()]
        assert sorted(lost) == sorted(self.left)
        assert len(lost) == len(set(lost))
        self.left.clear()
        self.asked.clear()
        self.foreign = None

    @invariant()
    def it_is_busy_while_something_is_owed(self):
        assert self.sequencer.busy == bool(self.asked or self.foreign)


TestServer = Server.TestCase
