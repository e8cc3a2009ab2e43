"""What was said in a stretch of speech, by PocketSphinx in a process of its own.

The decoder keeps Python's lock while it decodes, a quarter of a second for a turn, and takes 50 MB and a
quarter of a second to load. One process for all calls of a server keeps their sound flowing meanwhile, and is
loaded once. It ends with whoever started it, since it reads their pipe.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any, Final

import msgspec

from runtime import audio
from runtime.voices import VoiceMissing, grammar
from runtime.voices.noise import with_noise

RATE_HZ: Final = 16_000
# Per 10 ms of the turn, in log units: how much better free phonemes may explain a sound than the best
# phrase does. The first for a phrase as it stands, the second for one with a number or the like in it.
REJECT_BELOW, REJECT_OPEN_BELOW = -5.5e-4, -3.5e-4
FRAME_MS: Final = 10  # the decoder's
QUIET_RMS: Final = 250
KEPT_QUIET_MS: Final = 240  # around speech: the decoder levels itself on some quiet
MOST_GRAMMARS: Final = 64
TRIES: Final = 2
LENGTH: Final = 4


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """One question: the turn as mu-law, and what is likely to be said in it."""

    mulaw: bytes
    phrases: tuple[str, ...]


class Recogniser:
    """PocketSphinx with the grammars it was asked for."""

    def __init__(self) -> None:
        import pocketsphinx

        model = pocketsphinx.get_model_path()
        self._decoder: Any = pocketsphinx.Decoder(
            hmm=f"{model}/en-us/en-us",
            dict=f"{model}/en-us/cmudict-en-us.dict",
            lm=None,
            loglevel="FATAL",
            # Narrow beams lose the end of a phrase, and the lattice then offers another phrase's beginning.
            beam=1e-80,
            wbeam=1e-60,
            pbeam=1e-80,
            bestpath=False,
        )
        self._decoder.add_allphone_file("phones", f"{model}/en-us/en-us-phone.lm.bin")
        self._grammars: dict[tuple[str, ...], tuple[str, list[str]]] = {}

    def hear(self, asked: Asked) -> str | None:
        """The phrase that was said; None for anything else."""
        search, usable = self._grammar(asked.phrases)
        if not usable:
            return None
        pcm = with_noise(audio.mulaw_to_pcm16(spoken_part(asked.mulaw)))
        pcm = audio.resample(pcm, audio.SAMPLE_RATE_HZ, RATE_HZ)
        heard, score = self._decode(pcm, search)
        phrase = grammar.matched(heard, usable) if heard else None
        if phrase is None:
            return None
        _, free = self._decode(pcm, "phones")
        least = REJECT_OPEN_BELOW if grammar.is_open(phrase) else REJECT_BELOW
        frames = max(1, audio.duration_ms(asked.mulaw) // FRAME_MS)
        return heard if (score - free) / frames >= least else None

    def _grammar(self, phrases: tuple[str, ...]) -> tuple[str, list[str]]:
        """The search for these phrases, and those of them whose every word is known."""
        if phrases not in self._grammars:
            if len(self._grammars) == MOST_GRAMMARS:
                name, _ = self._grammars.pop(next(iter(self._grammars)))
            else:
                name = f"turn{len(self._grammars)}"
            usable, _ = grammar.usable(phrases, lambda word: self._decoder.lookup_word(word) is not None)
            if usable:
                self._decoder.add_jsgf_string(name, grammar.jsgf(usable))
            self._grammars[phrases] = name, usable
        return self._grammars[phrases]

    def _decode(self, pcm: bytes, search: str) -> tuple[str | None, float]:
        self._decoder.activate_search(search)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, False, True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        return (best.hypstr, best.best_score) if best else (None, 0.0)


def spoken_part(mulaw: bytes) -> bytes:
    """A turn without most of the quiet before and after its speech, which costs as much to decode."""
    frames = list(audio.split_frames(mulaw))
    loud = [place for place, frame in enumerate(frames) if audio.mulaw_rms(frame) > QUIET_RMS]
    if not loud:
        return mulaw
    kept = KEPT_QUIET_MS // audio.FRAME_MS
    return b"".join(frames[max(0, loud[0] - kept) : loud[-1] + 1 + kept])


class Apart:
    """The recogniser's process: started at the first question, asked by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def hear(self, mulaw: bytes, phrases: Sequence[str]) -> str | None:
        """The phrase that was said, or None. Blocks. Raises VoiceMissing when the process cannot be had."""
        question = msgspec.msgpack.encode(Asked(mulaw, tuple(phrases)))
        with self._lock:
            for _ in range(TRIES):
                process = self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    _put(process.stdin, question)
                    return msgspec.msgpack.decode(_take(process.stdout), type=str | None)
                except (EOFError, BrokenPipeError):  # somebody ended it: another one answers
                    self._close()
        raise VoiceMissing("the recogniser of speech does not run; why is said above")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "runtime.voices.recogniser"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for whoever started us
            )
        return self._process

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it keeps nothing
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                pass  # what it had not read is of no use to anybody


APART: Final = Apart()
"""The one of this process."""
atexit.register(APART.close)


def _put(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(LENGTH, "big") + message)
    pipe.flush()


def _take(pipe: IO[bytes]) -> bytes:
    """One message. Raises EOFError at the end."""
    length = pipe.read(LENGTH)
    message = pipe.read(int.from_bytes(length, "big")) if len(length) == LENGTH else b""
    if not message:
        raise EOFError
    return message


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until nobody asks any more."""
    recogniser = Recogniser()
    asked = msgspec.msgpack.Decoder(Asked)
    try:
        while True:
            _put(answers, msgspec.msgpack.encode(recogniser.hear(asked.decode(_take(questions)))))
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
