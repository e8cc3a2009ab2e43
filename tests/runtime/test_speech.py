"""Script audio: rendered once, kept by content, told as a failure when it cannot be had."""

import asyncio

import pytest

from runtime.audio import PCM24, mulaw_to_pcm16, resample
from runtime.ports import OutsideFailure
from runtime.speech import ScriptAudio, prepare
from runtime.voices.tones import Tones


class Speaker:
    """Speaks tones at 24 kHz and counts how often it was asked."""

    def __init__(self, failure: str = "") -> None:
        self.asked: list[str] = []
        self.failure = failure

    async def __call__(self, text: str) -> bytes:
        self.asked.append(text)
        if self.failure:
            raise OutsideFailure(self.failure)
        return resample(mulaw_to_pcm16(Tones().speak(text)), 8_000, 24_000)


async def test_words_are_rendered_once(tmp_path):
    """The same words come from the folder the second time, as the same bytes, and they can be understood."""
    speaker = Speaker()
    first = await ScriptAudio(speaker, tmp_path, "marin 1.0").render("Good morning.")
    second = await ScriptAudio(speaker, tmp_path, "marin 1.0").render("Good morning.")
    assert first == second
    assert speaker.asked == ["Good morning."]
    assert Tones().hear(first, []) == "Good morning."


async def test_a_line_of_pcm_keeps_what_was_spoken(tmp_path):
    """On a line of 24 kHz the words are kept as they were spoken, apart from the same words as mu-law."""
    speaker = Speaker()
    wide = await ScriptAudio(speaker, tmp_path, "marin 1.0", PCM24).render("Good morning.")
    narrow = await ScriptAudio(speaker, tmp_path, "marin 1.0").render("Good morning.")
    assert wide == await Speaker()("Good morning.")
    assert abs(len(wide) / 48 - len(narrow) / 8) < 1  # milliseconds of each
    assert len(list(tmp_path.iterdir())) == 2


async def test_another_voice_is_other_audio(tmp_path):
    """Voice and speed are part of what the audio is kept by."""
    speaker = Speaker()
    await ScriptAudio(speaker, tmp_path, "marin 1.0").render("Hello.")
    await ScriptAudio(speaker, tmp_path, "cedar 1.0").render("Hello.")
    assert speaker.asked == ["Hello.", "Hello."]


async def test_all_scripts_are_prepared_by_name(tmp_path):
    """Every script of an artifact is rendered, each under its name."""
    audio = await prepare({"a": "One.", "b": "Two."}, ScriptAudio(Speaker(), tmp_path, "v"))
    assert {name: Tones().hear(each, []) for name, each in audio.items()} == {"a": "One.", "b": "Two."}


async def test_a_voice_that_fails_is_an_outside_failure(tmp_path):
    """What cannot be rendered and is not kept fails with its reason, and nothing is kept."""
    with pytest.raises(OutsideFailure, match="unreachable"):
        await ScriptAudio(Speaker("unreachable"), tmp_path, "v").render("Hello.")
    assert list(tmp_path.iterdir()) == []


async def test_empty_audio_is_a_failure(tmp_path):
    """A voice that answers without sound has not spoken."""

    async def mute(text):
        return b""

    with pytest.raises(OutsideFailure, match="no_audio"):
        await ScriptAudio(mute, tmp_path, "v").render("Hello.")


async def test_rendering_at_once_leaves_one_whole_file(tmp_path):
    """Two callers at the same moment get the same audio, and one file stays."""
    voice = ScriptAudio(Speaker(), tmp_path, "v")
    first, second = await asyncio.gather(voice.render("Hello."), voice.render("Hello."))
    assert first == second
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_folder_that_cannot_be_written_does_not_lose_the_words(tmp_path):
    """Without a place to keep it, the audio is still given."""
    (tmp_path / "taken").write_text("")
    voice = ScriptAudio(Speaker(), tmp_path / "taken" / "deeper", "v")
    assert Tones().hear(await voice.render("Hello."), []) == "Hello."
