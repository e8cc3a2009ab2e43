"""What a disclosure tells, in the languages whose words are known here."""

import re
from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base.texts import plain
from voiceflow_compiler.flow import Flow, Node

# language -> words that tell a caller this is an AI; that it is no human; that the call is recorded
_AI: Final = {
    "en": r"\b(ai|a i|artificial intelligence"
    r"|(virtual|automated|digital|computer) (voice )?(assistant|agent|system)"
    r"|automated|robot|bot|chatbot|computer|machine)\b",
    "de": r"\b(ki|künstliche intelligenz|(virtuelle|automatische|digitale)[rn]? assistent\w*|sprachcomputer"
    r"|roboter|bot|computer)\b|\bki-",
    "fr": r"\b(ia|intelligence artificielle|assistante? (vocale?|virtuel|virtuelle)|robot|automatique)\b",
    "es": r"\b(ia|inteligencia artificial|asistente (virtual|automático|automática)|robot|automatizad[oa])\b",
    "it": r"\b(ia|intelligenza artificiale|assistente (virtuale|automatic[oa])|robot)\b",
    "nl": r"\b(ai|kunstmatige intelligentie|(virtuele|digitale) assistent|robot)\b",
    "pt": r"\b(ia|inteligência artificial|assistente (virtual|automático)|robô)\b",
}
_NOT_HUMAN: Final = {
    "en": r"\b(not (a |an )?(real |live )?(human|person|human being)|no human|non human)\b",
    "de": r"\b(kein mensch|nicht menschlich|keine (echte )?person)\b",
    "fr": r"\bpas (une? )?(humaine?|personne|être humain)\b",
}
_RECORDED: Final = {
    "en": r"\b(record(ed|ing|ings|s)?|taped)\b",
    "de": r"aufgezeichnet|aufzeichn|aufgenommen|mitgeschnitten",
    "fr": r"enregistr",
    "es": r"grabad|grabar|grabación|graba\b",
    "it": r"registrat|registrazione",
    "nl": r"opgenomen|opname",
    "pt": r"gravad|gravação",
}
_TRANSCRIBED: Final = {
    "en": r"\b(transcri\w+|record\w*|monitored|processed)\b",
    "es": r"transcri|grabad|grabar|grabación",
}
_PERSON: Final = {
    "en": r"\b(person|people|human|humans|someone|somebody|colleagues?|representatives?|operators?"
    r"|advis[eo]rs?|specialists?|staff|team|front desk|reception|receptionist"
    r"|(?<!ai )(?<!virtual )(?<!voice )agents?)\b",
    "de": r"\b(mensch\w*|person|mitarbeiter\w*|kolleg\w*|jemand\w*)\b",
    "fr": r"\b(personne|humaine?|quelqu|conseill\w+|collègue)\b",
    "es": r"\b(persona|alguien|agente humano|recepción|compañer[oa]|asesor\w*|representante)\b",
    "it": r"\b(persona|qualcuno|operator\w*|collega|umano)\b",
    "nl": r"\b(mens|persoon|medewerker|iemand|collega)\b",
    "pt": r"\b(pessoa|alguém|atendente|humano|colega)\b",
}

PERSON, AI, NOT_HUMAN, RECORDED, TRANSCRIBED = _PERSON, _AI, _NOT_HUMAN, _RECORDED, _TRANSCRIBED


def language(flow: Flow) -> str:
    """The language of a flow, as the first part of its locale."""
    return flow.locale.lower().split("-")[0]


def tells(words: dict[str, str], flow: Flow, text: str) -> bool:
    """Whether a text has such words in the flow's language; yes where no words are known."""
    pattern = words.get(language(flow))
    bare = plain(text).replace(plain(flow.company), " ")
    return pattern is None or re.search(pattern, bare) is not None


def disclosures(flow: Flow) -> Iterator[tuple[Node, str]]:
    """Every disclosure, or first of a chain of them, with all that is heard of the chain."""
    later = {node.next for node in flow.nodes.values() if node.kind == "disclosure"}
    for node in flow.nodes.values():
        if node.kind == "disclosure" and node.line is not None and node.name not in later:
            yield node, " ".join(_heard(flow, node))


def _heard(flow: Flow, first: Node) -> Iterator[str]:
    seen: set[str] = set()
    node: Node | None = first
    while node is not None and node.kind == "disclosure" and node.name not in seen:
        seen.add(node.name)
        yield node.line.text.replace("{purpose}", flow.purpose) if node.line else ""
        node = flow.nodes.get(node.next or "")
