"""What carrying a call takes: its session, its record, its sound, and what all calls of a process share."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from runtime import context
from runtime.alerts import Alerts
from runtime.alerts.lines import Lines
from runtime.call import Outside
from runtime.handoff import FOLDER, Board, CallDesk, Ringer, Spool
from runtime.numbers import pseudonym
from runtime.ports import Packages, Undoing, Watch
from runtime.record import Header, finish
from runtime.recording import spool as sounds
from runtime.server.deploy import line_format
from runtime.server.language import by_record
from runtime.server.leasing import Leasing
from runtime.server.live import Held, LiveCall, Unrecorded, Watched
from runtime.session.openai import OpenAISession
from runtime.settings import Settings
from runtime.telephony.base import Codec
from runtime.writing import DISK, Disk

BURY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Carrying:
    """What the calls of a process share."""

    settings: Settings
    alert: Alerts
    watch: Watch | None
    packages: Packages | None
    board: Board | None
    spool: Spool | None
    undoing: Undoing | None
    disk: Disk = DISK

    def record(self, call_id: str, part: int) -> Path:
        """Where a call's record lies; one that goes on has a part for each stream it went on with."""
        name = f"{call_id}.jsonl" if part <= 1 else f"{call_id}.{part}.jsonl"
        return self.settings.records / "calls" / name

    def next_part(self, call_id: str, part: int) -> Path:
        """Where the record of a call that goes on lies. Should whoever carried it before be dead, what they
        left gets its end, once they have had the time to write it themselves.
        """
        loop = asyncio.get_running_loop()
        loop.call_later(BURY_S, loop.run_in_executor, None, self._finish_before, call_id, part)
        return self.record(call_id, part)

    def _finish_before(self, call_id: str, part: int) -> None:
        for earlier in range(1, part):
            finish(self.record(call_id, earlier), "worker_lost")

    def open(self, live: LiveCall) -> Held:
        """Connect to the model, and ask for the facts of a call that begins."""
        deployment, number = live.deployment, live.call.caller_number
        session = OpenAISession(deployment.session)
        session.connect()
        facts = deployment.facts if live.resumed is None else None
        return Held(
            session=session,
            look_up=context.begin(facts, number) if facts and number else None,
            sound=self._spool(live) if self.settings.keep_sound else None,
        )

    async def in_language(self, live: LiveCall, held: Held) -> Held:
        """What the call holds once its locale is settled: another one needs another session."""
        known = live.resumed.state.get("facts") if live.resumed is not None else None
        before = live.deployment
        assert live.language is not None
        live.language = await by_record(live.language, held.look_up, known)
        if live.deployment is not before:
            await held.session.close()
            live.held = held = replace(held, session=OpenAISession(live.deployment.session))
            held.session.connect()
        return held

    def outside(
        self, live: LiveCall, held: Held, codec: Codec, leasing: Leasing | None, ringer: Ringer
    ) -> Outside:
        """Everything a call touches."""
        deployment, hold = live.deployment, live.hold
        keep = None
        if leasing is not None and hold is not None:
            keep = lambda at_ms, state: leasing.keep(hold, at_ms, state)  # noqa: E731
        return Outside(
            artifact=deployment.artifact,
            line=live.line,
            codec=codec,
            session=held.session,
            facts=held.look_up or deployment.facts,
            actions=deployment.actions,
            desk=CallDesk(
                live.call.call_id,
                self.settings.records / FOLDER,
                deployment.destinations,
                ringer,
                self.packages,
                self.board,
                self.spool,
                f"{self.settings.public_url}/desk/handoffs" if self.board else "",
            ),
            voice=deployment.voice,
            scripts=deployment.scripts,
            record=self._record_of(live),
            recording=held.sound or Unrecorded(),
            answerer=live.answerer,
            resumed=live.resumed,
            keep=keep,
            leave=live.leave,
            budget=self.settings.limits.call_mb * 1024 * 1024,
            undoing=self.undoing,
        )

    def _record_of(self, live: LiveCall) -> Watched:
        language, call_id = live.language, live.call.call_id
        assert language is not None
        artifact = language.deployment.artifact
        header = Header(
            call_id=call_id,
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            artifact_hash=artifact.content_hash,
            flow=artifact.flow,
            flow_version=artifact.flow_version,
            locale=language.tag,
        )
        whose = pseudonym(live.call.caller_number, self.settings.privacy_key)
        lines = Lines(partial(self.alert, source=whose), self.alert.metrics, call_id, artifact.content_hash)
        record = Watched(live.record, header, self.watch, lines, self.disk)
        if live.consent:
            record.note(0, "consent", id=live.consent)
        language.tell(record)
        return record

    async def let_go(self, live: LiveCall) -> None:
        """Let go of everything a call held."""
        if live.expiry:
            live.expiry.cancel()
        live.line.close()
        held, live.held = live.held, None
        live.language = live.hold = None
        if held is None:
            return
        if held.look_up:
            held.look_up.task.cancel()
            await asyncio.gather(held.look_up.task, return_exceptions=True)
        await held.session.close()
        if held.sound and live.task:
            await self._keep_sound(live, held.sound)

    def _spool(self, live: LiveCall) -> sounds.Spool:
        return sounds.Spool(live.record.with_suffix(".wav"), line_format(self.settings))

    async def bury(self, path: Path, reason: str) -> None:
        """Give what a dead process left of a call its end: its record, and its sound."""
        await asyncio.to_thread(finish, path, reason)
        try:
            await asyncio.to_thread(sounds.finish, path.with_suffix(".wav"), line_format(self.settings))
        except OSError as error:
            self.alert(
                "sound.failed", call_id=path.name.partition(".")[0], detail=type(error).__name__.lower()
            )

    async def _keep_sound(self, live: LiveCall, sound: sounds.Spool) -> None:
        try:
            await asyncio.to_thread(sound.finish)
        except OSError as error:
            self.alert("sound.failed", call_id=live.call.call_id, detail=type(error).__name__.lower())
