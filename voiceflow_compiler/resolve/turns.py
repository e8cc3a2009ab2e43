"""`turns`: when a caller's turn begins and ends, and which sounds are no turn at all."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from voiceflow_compiler.artifact import Turns
from voiceflow_compiler.resolve.binder import number, one_of, texts, whole

LEAST_SPEECH_MS: Final = 400  # a caller who says more than a murmur means to be heard
# Sounds that say "go on". Words that may answer a question (yes, right, okay) are the designer's to add.
MURMURS: Final = ("uh-huh", "mm-hmm", "mhm", "mm", "hmm", "aha", "ah", "oh", "i see")
VAD: Final[Mapping[str, Literal["server", "semantic"]]] = {"server": "server", "semantic": "semantic"}
EAGERNESS: Final[Mapping[str, Literal["auto", "low", "medium", "high"]]] = {
    "auto": "auto",
    "low": "low",
    "medium": "medium",
    "high": "high",
}


def turns(written: Mapping[str, Any]) -> Turns:
    """The turn settings of a flow; `backchannel: ignore` brings the usual murmurs with it."""
    threshold = number(written, "threshold")
    ignored = written.get("backchannel") == "ignore"
    words = texts(written, "backchannel_words") or MURMURS
    return Turns(
        vad=one_of(written, "vad", VAD) or "server",
        silence_ms=whole(written, "silence_ms", 500),
        threshold=0.6 if threshold is None else float(threshold),
        eagerness=one_of(written, "eagerness", EAGERNESS) or "auto",
        least_speech_ms=whole(written, "least_speech_ms", LEAST_SPEECH_MS if ignored else 0),
        backchannel=tuple(word.lower() for word in words) if ignored else (),
    )
