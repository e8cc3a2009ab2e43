"""The other calls of a bed: live while one is broken, on a flow and with a model of their own that are well.
Each of their frames comes on time by the bed's clock, both ways, and each call ends as designed.
"""

from __future__ import annotations

import asyncio
import base64
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, count
from typing import Any, Final, cast

from runtime import audio, server
from runtime.server.deploy import Deployment
from runtime.session.door import Door
from runtime.session.stand_in import StandIn
from runtime.simulate.callers import Caller
from runtime.simulate.line import Deed, Moment
from runtime.simulate.phone import Ended, Subscription, place
from runtime.simulate.profile import Line, Profile
from runtime.voices import Voice

NAME: Final = "beside"
CALLED: Final = "+12025550101"
DISCLOSURE: Final = "I am an AI assistant. This call is recorded."
QUESTION: Final = "Which day suits you?"
GOODBYE: Final = "Noted. Goodbye."
FLOW: Final = f"""
language: 1
flow: {NAME}
version: "1"
company: Harbour House
purpose: note a day
control: strict
slots:
  day: {{type: integer, meaning: the day of the month, minimum: 1, maximum: 31, confirm: never,
    examples: [four]}}
start: hello
nodes:
  hello: {{kind: disclosure, say: "{DISCLOSURE}", next: ask}}
  ask: {{kind: ask, convey: Ask which day., sample: {QUESTION}, collect: [day], filled: done}}
  done: {{kind: end, say: "{GOODBYE}", outcome: noted}}
  nobody: {{kind: end, say: "We will call you back.", outcome: lost}}
everywhere:
  objection: {{go: nobody}}
  confusion: {{stay: true, say: "I note a day.", at_most: 2, then: nobody}}
fallback:
  no_match: [{{say: "Sorry, which day?"}}, {{go: nobody}}]
  no_input: [{{say: "Are you there?"}}, {{go: nobody}}]
  lost_model: {{hold: Please wait., say: "We will call you back.", go: nobody}}
"""
ADDED_MS: Final = 10.0  # of the slowest frame but one in a hundred
AGAIN_S: Final = 0.02


@dataclass
class _Timed:
    """A caller who notes when each frame left."""

    caller: Caller
    left: list[float] = field(default_factory=list)

    def tick(self, moment: Moment) -> Deed:
        self.left.append(asyncio.get_running_loop().time())
        return self.caller.tick(moment)


@dataclass
class Beside:
    """So many calls at any time, each followed by the next one. `delays_ms`: of every frame, both ways."""

    subscription: Subscription
    model: StandIn
    voice: Voice
    delays_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    live: int = 0
    _over: bool = False
    _lines: list[asyncio.Task[None]] = field(default_factory=list)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _numbers: count[int] = field(default_factory=count)
    _heard: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))  # the model's side
    _ready: dict[int, float] = field(default_factory=dict)
    _said: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    async def begin(self, lines: int) -> None:
        """Let them call; returns once all of them are on the line."""
        self.model.watch = self._watch
        self._lines = [asyncio.create_task(self._line()) for _ in range(lines)]
        while self.live < lines:  # noqa: ASYNC110 - the bed's clock moves while all wait
            await asyncio.sleep(AGAIN_S)

    async def end(self) -> None:
        """Let those that are live come to their end. Raises AssertionError for what should not be."""
        self._over = True
        await asyncio.gather(*self._lines)
        assert not self.wrong, self.wrong
        if self._lines:
            assert late_ms(self.delays_ms) <= ADDED_MS, f"{late_ms(self.delays_ms):.0f} ms"

    async def _line(self) -> None:
        while not self._over:
            await self._call()

    async def _call(self) -> None:
        someone = Profile(
            name="beside", says=(Line(say="four"),) * 3, number=f"+1202557{next(self._numbers):04}"
        )
        timed = _Timed(Caller(someone, self.voice.speak))
        async with self._one:  # so that the model's next connection is this call's
            connection = self.model.connections + 1
            call = asyncio.create_task(
                place(
                    self.subscription,
                    timed,
                    caller_number=someone.number,
                    person="accepts",
                    speak=self.voice.speak,
                )
            )
            while self.model.connections < connection and not call.done():  # noqa: ASYNC110 - the bed's clock
                await asyncio.sleep(AGAIN_S)
        self.live += 1
        ended = await call
        self.live -= 1
        self.ended.append(ended)
        self._judge(ended, connection, timed.left)

    def _judge(self, ended: Ended, connection: int, left: list[float]) -> None:
        heard = bytes(ended.tape.heard)
        times = [heard.count(self._sound(words)) for words in (DISCLOSURE, QUESTION, GOODBYE)]
        if (ended.how, times) != ("assistant_hung_up", [1, 1, 1]):
            self.wrong.append(f"a call beside it: {ended.how}, {times}")
        came = self._heard[connection]
        if len(came) < len(left) * 0.9:
            self.wrong.append(f"a call beside it: {len(came)} of {len(left)} frames reached the model")
        ready = self._ready.get(connection, 0.0)  # what is said before is kept until then
        self.delays_ms += [1000 * (to - at) for at, to in zip(left, came, strict=False) if at >= ready]
        sent = [(one.clock_s, one.size) for one in ended.passed if one.what == "media"]
        self.delays_ms += answers(self._said[connection], sent, len(self.voice.speak(DISCLOSURE)))

    def _sound(self, words: str) -> bytes:
        return self.voice.speak(words).strip(audio.MULAW_SILENCE)

    def _watch(self, number: int, way: str, event: Mapping[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        if event.get("type") == "input_audio_buffer.append":
            self._heard[number].append(now)
        elif event.get("type") == "session.updated":
            self._ready[number] = now
        elif event.get("type") == "response.output_audio.delta":
            self._said[number].append((now, len(base64.b64decode(event["delta"]))))


def answers(said: list[tuple[float, int]], sent: list[tuple[float, int]], before: int) -> list[float]:
    """How long each message of the model's speech was on its way; milliseconds. `said`: what left the model,
    `sent`: what reached the telephone, each with its time and size, `before`: how much of that came first.
    """
    ends = list(accumulate(size for _, size in said))
    delays, at, part = [], -before, 0
    for clock_s, size in sent:
        at += size
        while part < len(ends) and ends[part] < at:
            part += 1
        if at > 0 and part < len(ends):
            delays.append(1000 * (clock_s - said[part][0]))
    return delays


def late_ms(delays_ms: list[float]) -> float:
    """The delay that one frame in a hundred exceeds."""
    return sorted(delays_ms)[int(len(delays_ms) * 0.99)]


def well(running: server.Running, model: StandIn) -> None:
    """Give the calls beside a model of their own."""
    deployments = cast("dict[str, Deployment]", running.calls.deployments)
    one = deployments[NAME]
    deployments[NAME] = replace(one, session=replace(one.session, base_url=model.base_url, door=Door()))
