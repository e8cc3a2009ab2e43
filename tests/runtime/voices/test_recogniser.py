"""The recogniser's process: one for all voices, replaced when it dies, ended with whoever asked."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from runtime import audio
from runtime.voices import grammar, open_voice
from runtime.voices.recogniser import MOST_GRAMMARS, Apart, Asked, Recogniser, spoken_part

PATIENCE_S = 60
SCRIPT = """
import os
from runtime.voices import open_voice
print(open_voice("spoken").hear(open_voice("spoken", "caller").speak("yes"), ["yes"]), flush=True)
os._exit(1)
"""


def speech(words: str) -> bytes:
    return open_voice("spoken", "caller").speak(words)


def test_one_process_hears_for_all_and_a_dead_one_is_replaced() -> None:
    """Threads that ask at once are answered each with what it said, by one process; after kill -9 another one
    answers the same.
    """
    apart = Apart()
    said = ["yes", "no thanks", "yes", "this year"]
    try:
        with ThreadPoolExecutor(4) as threads:
            heard = list(threads.map(lambda words: apart.hear(speech(words), said), said))
        assert heard == said
        first = apart._running()
        first.kill()
        first.wait(PATIENCE_S)
        assert apart.hear(speech("this year"), said) == "this year"
        assert apart._running().pid != first.pid
    finally:
        apart.close()


def test_it_ends_with_whoever_asked() -> None:
    """A process that ends without a goodbye leaves no recogniser behind: nobody holds its errors open."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ran.stdout == "yes\n"


def test_quiet_around_speech_is_not_decoded() -> None:
    """Most of the silence before and after goes, and the words are heard as before; all silence is left."""
    long = audio.silence(3000) + speech("no thanks") + audio.silence(3000)
    cut = spoken_part(long)
    assert audio.duration_ms(cut) < audio.duration_ms(long) - 5000
    assert Recogniser().hear(Asked(long, ("yes", "no thanks"))) == "no thanks"
    assert spoken_part(audio.silence(500)) == audio.silence(500)


def test_many_places_of_a_call_are_kept_apart() -> None:
    """More sets of phrases than are kept do not mix: each turn is heard by its own."""
    one = Recogniser()
    for number in range(MOST_GRAMMARS + 2):
        one._grammar((" ".join(grammar.spell(number)), "yes"))
    assert one.hear(Asked(speech("this year"), ("this year", "yes"))) == "this year"
    assert one.hear(Asked(speech("this year"), ("zero", "yes"))) != "this year"
