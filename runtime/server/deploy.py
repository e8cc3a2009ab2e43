"""A flow ready to take calls: its exact words rendered, its facts, actions and people opened by the
settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from runtime.actions import Actions, open_actions
from runtime.audio import Format
from runtime.context import Source, open_source
from runtime.handoff import Destination, open_destinations
from runtime.ports import Alert, Ledger, OutsideFailure, untold
from runtime.session.model import SessionSettings, TurnDetection
from runtime.session.openai_speech import SpeechSettings, speech
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from runtime.speech import ScriptAudio, prepare
from runtime.telephony import PROVIDERS
from voiceflow_compiler.artifact import Artifact, encode
from voiceflow_compiler.overlay import in_locale, nearest_locale

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Deployment:
    """One flow with everything its calls share."""

    artifact: Artifact
    scripts: Mapping[str, bytes]
    voice: ScriptAudio
    session: SessionSettings
    facts: Source | None
    actions: Actions
    destinations: Mapping[str, Destination]
    locales: Mapping[str, Deployment] = field(default_factory=dict)  # the same in each locale, its own too

    def in_locale(self, wished: str | None) -> Deployment | None:
        """The same flow in the locale a wish such as `es` means; None where it has none."""
        return self.locales.get((nearest_locale(self.locales, wished) if wished else None) or "")

    async def close(self) -> None:
        """Let go of every connection."""
        await self.actions.close()
        if self.facts:
            await self.facts.close()
        for destination in self.destinations.values():
            await destination.close()


async def deploy(
    artifact: Artifact, settings: Settings, tell: Tell, ledger: Ledger | None = None, alert: Alert = untold
) -> Deployment:
    """Make a flow ready; what its actions do is kept in `ledger`.

    Raises SettingsError, with every problem, when it cannot be.
    """
    problems: list[str] = []
    facts = _collect(problems, lambda: _facts(artifact, settings))
    actions = _collect(
        problems,
        lambda: open_actions(
            artifact.actions, settings, flow=artifact.flow, ledger=ledger, tell=tell, alert=alert
        ),
    )
    destinations = _collect(problems, lambda: open_destinations(artifact.handoffs, settings))
    if problems or actions is None or destinations is None:
        raise SettingsError(problems)
    for name, destination in destinations.items():
        if not destination.numbers:
            tell(f"{artifact.flow}: handoffs.{name} has no number: its callers hear that nobody is there.")
    voice, scripts = await _said(artifact, settings)
    await asyncio.to_thread(_keep, artifact, settings.records / "artifacts")
    whole = Deployment(artifact, scripts, voice, _session(artifact, settings), facts, actions, destinations)
    if artifact.locales:
        # one map, which all of them share: each knows that it is one of several, and which the others are
        locales: dict[str, Deployment] = {}
        whole = replace(whole, locales=locales)
        locales |= {tag: await _localized(whole, tag, settings) for tag in artifact.locales}
        locales[artifact.locale] = whole
    return whole


async def _localized(whole: Deployment, tag: str, settings: Settings) -> Deployment:
    """A flow made ready in one of its locales: other words, another voice, another language to hear."""
    artifact = in_locale(whole.artifact, tag)
    voice, scripts = await _said(artifact, settings)
    return replace(
        whole, artifact=artifact, scripts=scripts, voice=voice, session=_session(artifact, settings)
    )


async def _said(artifact: Artifact, settings: Settings) -> tuple[ScriptAudio, Mapping[str, bytes]]:
    """The exact words of a flow, spoken beforehand. Raises SettingsError."""
    voice = _voice(artifact, settings)
    try:
        return voice, await prepare(artifact.scripts, voice)
    except OutsideFailure as failure:
        line = (
            f"the exact words of flow {artifact.flow} cannot be spoken ({failure.reason}): they are asked of"
            f" {settings.model.base_url}; see model.base_url, model.api_key and model.speech."
        )
        raise SettingsError([line]) from None


def _keep(artifact: Artifact, folder: Path) -> None:
    """Keep the flow as it is served now, by its hash: whoever replays a call needs this one and no other."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{artifact.content_hash}.json").write_bytes(encode(artifact))
    except OSError as error:
        raise SettingsError(
            [f"records: {folder} cannot be written to ({error.strerror}): set VFC_RECORDS."]
        ) from None


Part = TypeVar("Part")


def _collect(problems: list[str], open_part: Callable[[], Part]) -> Part | None:
    try:
        return open_part()
    except SettingsError as error:
        problems += error.problems
        return None


def _facts(artifact: Artifact, settings: Settings) -> Source | None:
    return open_source(artifact.fact_source, settings) if artifact.fact_source else None


def _voice(artifact: Artifact, settings: Settings) -> ScriptAudio:
    model = settings.model
    name = model.voice or artifact.voice
    spoken = SpeechSettings(model.base_url, model.api_key, model.speech, name, artifact.speed)
    identity = f"{model.base_url}\0{model.speech}\0{name}\0{artifact.speed}"
    return ScriptAudio(speech(spoken), settings.records / "scripts", identity, line_format(settings))


def line_format(settings: Settings) -> Format:
    """What our lines carry: the format the settings name, else the provider's own first one."""
    telephony = settings.telephony
    formats = PROVIDERS[telephony.provider].FORMATS
    return next((one for one in formats if one.name == telephony.audio), formats[0])


def _session(artifact: Artifact, settings: Settings) -> SessionSettings:
    model = settings.model
    return SessionSettings(
        base_url=model.base_url,
        api_key=model.api_key,
        model=model.name,
        voice=model.voice or artifact.voice,
        speed=artifact.speed,
        tools=[{"type": "function", **msgspec.to_builtins(tool)} for tool in artifact.tools],
        language=artifact.locale.partition("-")[0],
        audio_format=line_format(settings).name,
        turns=TurnDetection(
            kind=artifact.turns.vad,
            eagerness=artifact.turns.eagerness,
            threshold=artifact.turns.threshold,
            silence_duration_ms=artifact.turns.silence_ms,
        ),
        transcription_model=model.transcription,
    )
