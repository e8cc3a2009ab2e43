"""Telephones on Twilio's media stream that cost next to nothing: silence every 20 ms, a loud frame a second.

What comes is played at the pace it is heard, and a mark goes back when what was queued before it has been
played, or at once when it is cleared: as Twilio documents it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from xml.etree.ElementTree import fromstring

import httpx2
import msgspec

from benchmarks.side_by_side import sound
from runtime.telephony.twilio import SIGNATURE_HEADER, sign
from runtime.websocket import Message, Socket, connect

ACCOUNT: Final = "AC" + "0" * 32
NUMBER: Final = "+15005550001"
FRAME_S: Final = sound.FRAME_MS / 1000
SILENT: Final = sound.piece("audio/pcmu", sound.FRAME_MS, loud=False)
LOUD: Final = sound.piece("audio/pcmu", sound.FRAME_MS, loud=True)
A_SECOND: Final = 50
MOST: Final = 16 * 1024 * 1024
HEARD_S: Final = 0.1  # a shorter silence is a pause of speech
SMALL: Final = 8_192  # a second of speech: what a telephone that reads nothing leaves on its side of the wire


class _Media(msgspec.Struct):
    payload: str


class _Mark(msgspec.Struct):
    name: str = ""


class _Event(msgspec.Struct):
    event: str
    media: _Media | None = None
    mark: _Mark | None = None


_read = msgspec.json.Decoder(_Event).decode


@dataclass(frozen=True, slots=True)
class Bridge:
    """Where a bridge is reached: by its webhook, signed with a token, or its media socket alone."""

    voice_url: str = ""
    media_url: str = ""
    token: str = ""


class Declined(Exception):
    """The webhook was answered without a stream; the message is what it was answered."""


@dataclass(slots=True)
class Phone:
    """One call. Times are monotonic seconds (uvloop's own clock counts milliseconds)."""

    number: int
    socket: Socket = field(default_factory=lambda: Socket(MOST))
    said_ms: float = 0.0
    heard_ms: float = 0.0
    said_loud_at: list[float] = field(default_factory=list)
    loud_at: list[float] = field(default_factory=list)
    began_at: float = 0.0
    first_at: float = 0.0
    played_until: float = 0.0
    cleared_at: float = 0.0
    played_at_clear_ms: float = 0.0
    stale: int = 0
    item_from_at: float = 0.0  # the model's first loud piece came, this long after the first audio
    item_from_ms: float = 0.0
    gone_at: float = 0.0
    silences: list[tuple[float, float]] = field(default_factory=list)  # from when to when nothing was heard
    _sequence: int = 1
    _marks: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    _queued_ms: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether the bridge has ended the stream."""
        return bool(self.gone_at)

    @property
    def call_id(self) -> str:
        return f"CA{self.number:032x}"

    @property
    def stream_id(self) -> str:
        return f"MZ{self.number:032x}"

    async def call(self, bridge: Bridge, http: httpx2.AsyncClient, *, small: bool = False) -> None:
        """Ring, answer, and start the stream. `small`: little waits on this side of the wire."""
        url, parameters = await self._asked(bridge, http) if bridge.voice_url else (bridge.media_url, {})
        headers = {SIGNATURE_HEADER: sign(bridge.token, url)} if bridge.token else {}
        self.socket = await connect(url, headers, most=MOST)
        if small:
            self.socket.room(SMALL)
        self.socket.listen(self._take)
        start: dict[str, Any] = {
            "accountSid": ACCOUNT,
            "streamSid": self.stream_id,
            "callSid": self.call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        }
        self.began_at = monotonic()
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._send({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": self.stream_id})

    async def _asked(self, bridge: Bridge, http: httpx2.AsyncClient) -> tuple[str, dict[str, str]]:
        form = {
            "CallSid": self.call_id,
            "AccountSid": ACCOUNT,
            "From": f"+1500555{self.number:04d}",
            "To": NUMBER,
            "Direction": "inbound",
            "CallStatus": "ringing",
        }
        signature = {SIGNATURE_HEADER: sign(bridge.token, bridge.voice_url, form.items())}
        answer = await http.post(bridge.voice_url, data=form, headers=signature)
        stream = fromstring(answer.text).find("Connect/Stream")
        if stream is None:
            raise Declined(answer.text)
        given = {one.attrib["name"]: one.attrib["value"] for one in stream.iter("Parameter")}
        return stream.attrib["url"], given

    def speak(self, tick: int) -> None:
        """The next 20 ms."""
        loud = (tick + self.number) % A_SECOND == 0
        if loud:
            self.said_loud_at.append(monotonic())
        self._sequence += 1
        chunk = self._sequence - 1
        self.socket.send(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{chunk}","timestamp":"{chunk * 20}","payload":"{LOUD if loud else SILENT}"}},'
            f'"streamSid":"{self.stream_id}"}}'
        )
        self.said_ms += sound.FRAME_MS

    def longest_silence(self, since: float, until: float) -> float:
        """Seconds of the longest silence in this time."""
        last = [(self.played_until or self.began_at, until)]
        return max(0.0, *(min(end, until) - max(start, since) for start, end in self.silences + last))

    def read(self, *, reading: bool) -> None:
        """Take what the bridge sends, or leave it on the wire."""
        self.socket.read(reading=reading)

    def hang_up(self) -> None:
        """The caller is gone."""
        for timer in self._marks.values():
            timer.cancel()
        self._send({"event": "stop", "sequenceNumber": str(self._sequence + 1), "streamSid": self.stream_id})
        self.socket.close()

    def _take(self, message: Message | None) -> None:
        if message is None:
            self.gone_at = monotonic()
            return
        event = _read(message)
        if event.media is not None:
            self._play(event.media.payload)
        elif event.mark is not None:
            self._mark(event.mark.name)
        elif event.event == "clear":
            self._clear()

    def _play(self, payload: str) -> None:
        now = monotonic()
        ms = sound.milliseconds(payload, "audio/pcmu")
        self.first_at = self.first_at or now
        if now > self.played_until + HEARD_S:
            self.silences.append((self.played_until or self.began_at, now))
        self.stale += bool(self.cleared_at)
        self.heard_ms += ms
        self._queued_ms += ms
        self.played_until = max(self.played_until, now) + ms / 1000
        if sound.is_loud(payload, "audio/pcmu"):
            sound.note(self.loud_at, now)
            if not self.item_from_at:
                self.item_from_at, self.item_from_ms = now, self._queued_ms - ms

    def _mark(self, name: str) -> None:
        left = max(0.0, self.played_until - monotonic())
        self._marks[name] = asyncio.get_running_loop().call_later(left, self._marked, name)

    def _marked(self, name: str) -> None:
        self._marks.pop(name, None)
        self._send({"event": "mark", "streamSid": self.stream_id, "mark": {"name": name}})

    def _clear(self) -> None:
        now = monotonic()
        if not self.cleared_at:
            left = max(0.0, self.played_until - now) * 1000
            self.cleared_at, self.played_at_clear_ms = now, self._queued_ms - left
        self.played_until = now
        marks, self._marks = self._marks, {}
        for name, timer in marks.items():
            timer.cancel()
            self._marked(name)

    def _send(self, event: dict[str, Any]) -> None:
        self.socket.send(msgspec.json.encode(event).decode())


class Callers:
    """Everybody on the telephone, each speaking at a moment of their own within the 20 ms."""

    PHASES: Final = 20

    def __init__(self) -> None:
        self.phones: list[Phone] = []
        self._phases: list[list[Phone]] = [[] for _ in range(self.PHASES)]
        self._loop = asyncio.get_running_loop()
        self._began = monotonic()
        self._step = 0
        self.late_s = 0.0  # the most that this side itself was late
        self._timer: asyncio.TimerHandle | None = None

    def add(self, phone: Phone) -> None:
        """From now on this one speaks."""
        self.phones.append(phone)
        self._phases[phone.number % self.PHASES].append(phone)

    def remove(self, phone: Phone) -> None:
        """From now on this one is silent."""
        self.phones.remove(phone)
        self._phases[phone.number % self.PHASES].remove(phone)

    def run(self) -> None:
        """Say what is due, then wait for the next millisecond."""
        now = monotonic()
        self.late_s = max(self.late_s, now - self._due())
        while self._due() <= now:
            tick, phase = divmod(self._step, self.PHASES)
            for phone in self._phases[phase]:
                phone.speak(tick)
            self._step += 1
        self._timer = self._loop.call_later(max(0.0, self._due() - monotonic()), self.run)

    def stop(self) -> None:
        """Nobody speaks any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> float:
        return self._began + self._step * FRAME_S / self.PHASES
