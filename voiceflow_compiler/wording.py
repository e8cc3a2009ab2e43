"""The words an assistant has without a designer's: answers to what may be said anywhere, and doubts."""

from typing import Final

from msgspec.structs import replace

from voiceflow_compiler import artifact
from voiceflow_compiler.artifact import Answer

BUILT_IN: Final = {
    "are_you_human": Answer(
        line=artifact.Line(
            convey="Say plainly that you are an AI assistant, not a person. Then come back to the question.",
            sample="I'm an AI assistant, not a person. So, back to my question.",
        ),
        at_most=3,
    ),
    "digression": Answer(
        line=artifact.Line(
            convey="If what you may tell covers it, answer in one sentence; if not, say kindly that this "
            "call cannot help with it. Then come back to the question.",
            sample="I'm sorry, I can't help with that on this call. Let's come back to my question.",
        ),
        at_most=2,
    ),
    "correction": Answer(
        line=artifact.Line(
            convey="Acknowledge the change in a few words.", sample="Thanks, I have changed that."
        ),
        at_most=5,
    ),
}
WITH_PEOPLE: Final = artifact.Line(
    convey="Say plainly that you are an AI assistant, not a person, and that they can ask for a person at "
    "any time. Then come back to the question.",
    sample="I'm an AI assistant, not a person. You can ask for a person at any time.",
)
NOBODY_FREE: Final = artifact.Line(
    convey="Say kindly that nobody is free to take the call right now.",
    sample="I'm sorry, nobody is free to take the call right now.",
)
STILL_RINGING: Final = (
    "I'm still trying to reach someone for you. Thank you for waiting.",
    "Say in a few words that you are still trying to reach a person and thank them for waiting.",
)
# What is said where the answer of an action was lost and the flow has no words for it: exact in English, so
# that a lost model takes nothing away.
CHECKING: Final = "I'm checking whether that went through."
BE_CHECKING: Final = "Say in a few words that you are checking whether that went through."
NOT_KNOWN: Final = "I'm sorry, I can't tell yet whether that went through."
SAY_NOT_KNOWN: Final = "Say with regret that you cannot tell yet whether that went through."

# The same by language, and by the English one.
_IN_OTHER_LANGUAGES: Final[dict[str, dict[str, str]]] = {
    "es": {
        "I'm an AI assistant, not a person. So, back to my question.": "Soy un asistente de inteligencia "
        "artificial, no una persona. Volvamos a mi pregunta.",
        "I'm an AI assistant, not a person. You can ask for a person at any time.": "Soy un asistente de "
        "inteligencia artificial, no una persona. Puede pedir hablar con una persona cuando quiera.",
        "I'm sorry, I can't help with that on this call. Let's come back to my question.": "Lo siento, con "
        "eso no puedo ayudarle en esta llamada. Volvamos a mi pregunta.",
        "Thanks, I have changed that.": "Gracias, ya lo cambié.",
        "I'm sorry, nobody is free to take the call right now.": "Lo siento, no hay nadie libre en este "
        "momento.",
        CHECKING: "Estoy revisando si quedó registrado.",
        NOT_KNOWN: "Lo siento, todavía no puedo saber si quedó registrado.",
    }
}


def in_language(locale: str, words: str) -> str | None:
    """Words of ours in the language of a locale; None where they are not known in it."""
    if locale.startswith("en"):
        return words
    return _IN_OTHER_LANGUAGES.get(locale.partition("-")[0], {}).get(words)


def spoken_in(locale: str, line: artifact.Line) -> artifact.Line:
    """A line of ours, with a sample wording where one is known: another language's would mislead."""
    return replace(line, sample=in_language(locale, line.sample or ""))
