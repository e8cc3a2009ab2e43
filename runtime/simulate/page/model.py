"""Which model hears and speaks in a role-play: the stand-in on this machine, or the real one on request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from runtime import settings
from runtime.session.stand_in import StandIn
from runtime.session.stand_in.server import DEFAULT_MODEL
from runtime.settings.keys import SettingsError
from runtime.simulate.page.ears import Speaking
from runtime.voices import VoiceMissing


class StandInMissing(Exception):
    """The stand-in cannot speak here; the message says what to install."""


@asynccontextmanager
async def speaking(environment: Mapping[str, str], *, live: bool) -> AsyncIterator[Speaking]:
    """The model while this lasts: with `live` the one of the settings (`[model]`, OPENAI_API_KEY). Raises
    StandInMissing, and ValueError with a line for each thing wrong with the settings.
    """
    if live:
        yield _real(environment)
        return
    try:
        stand_in = StandIn(voice="spoken")
    except VoiceMissing as error:
        raise StandInMissing(str(error)) from None
    async with stand_in:
        yield Speaking(stand_in.base_url, "stand-in", DEFAULT_MODEL, "", "stand-in", "stand-in")


def _real(environment: Mapping[str, str]) -> Speaking:
    try:
        chosen = settings.load(None, environment, {"telephony.insecure": True}).model
    except SettingsError as error:
        raise ValueError("\n".join(error.problems)) from None
    return Speaking(
        chosen.base_url, chosen.api_key, chosen.name, chosen.voice or "", chosen.speech, chosen.transcription
    )
