"""How alike the example sentences of two intents are, measured without a model and without a network.

The measure, from 0 (nothing in common) to 1 (the same sentence):

1. *Letters*: the cosine of the sentences' character trigrams, each weighed by how rare it is among all
   examples of the flow (inverse document frequency), so that "I'd like to" counts for little.
2. *Words*: the share of common words, small words such as "the" and "please" left out and endings taken off.
3. *Likeness* is the mean of both. A sentence with no words left is compared by its letters alone.

The same words in another order are alike ("a person please", "please, a person"); the opposite is not told
from the same ("do not book", "book"), and two ways to say one thing in other words are not seen as alike.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log, sqrt
from typing import Final

# Two examples at least this alike are told: found by hand on the shipped flows and on pairs people mix up.
ALIKE: Final = 0.62

_SMALL: Final = frozenset(
    (
        "a", "an", "the", "to", "of", "for", "and", "or", "so", "that", "this", "it", "is", "be",
        "am", "are", "i", "im", "id", "you", "your", "my", "me", "we", "us", "our", "please",
        "just", "well", "okay", "ok", "uh", "um", "can", "could", "would", "like", "do", "does",
        "with", "on", "in", "at",
    )
)  # fmt: skip
_ENDINGS: Final = ("ing", "ed", "es", "s")


@dataclass(frozen=True, slots=True)
class Alike:
    """Two examples of different intents, their places in the lists, and how alike they are (0 to 1)."""

    first: str
    second: str
    at: tuple[int, int]
    sentences: tuple[str, str]
    likeness: float


class Measure:
    """Compares sentences; what is rare is judged by the sentences it was made with."""

    def __init__(self, sentences: Iterable[str]) -> None:
        grams = [set(_trigrams(plain)) for plain in sorted({_plain(each) for each in sentences})]
        counts = Counter(gram for each in grams for gram in each)
        self._rare = {gram: 1.0 + log((1 + len(grams)) / (1 + count)) for gram, count in counts.items()}
        self._other = 1.0 + log(1 + len(grams))
        self._vectors: dict[str, tuple[dict[str, float], float, frozenset[str]]] = {}

    def likeness(self, first: str, second: str) -> float:
        """How alike two sentences are, from 0 to 1; the same both ways round."""
        if _plain(first) == _plain(second):
            return 1.0
        one, one_length, one_words = self._vector(first)
        two, two_length, two_words = self._vector(second)
        if not one_length or not two_length:
            return 0.0
        if len(two) < len(one):
            one, two = two, one
        letters = sum(weight * two.get(gram, 0.0) for gram, weight in sorted(one.items())) / (
            one_length * two_length
        )
        if not one_words or not two_words:
            return letters
        words = len(one_words & two_words) / len(one_words | two_words)
        return (letters + words) / 2

    def _vector(self, sentence: str) -> tuple[dict[str, float], float, frozenset[str]]:
        plain = _plain(sentence)
        if plain not in self._vectors:
            counts = Counter(_trigrams(plain))
            weights = {gram: count * self._rare.get(gram, self._other) for gram, count in counts.items()}
            length = sqrt(sum(weight * weight for _, weight in sorted(weights.items())))
            self._vectors[plain] = weights, length, _words(plain)
        return self._vectors[plain]


def too_alike(examples: Mapping[str, Sequence[str]], *, at_least: float = ALIKE) -> Iterator[Alike]:
    """The most alike examples of every two intents, where they are at least so alike but not equal.

    Only sentences that share a word or are very short are compared, so that a large flow takes no long time.
    """
    measure = Measure(sentence for sentences in examples.values() for sentence in sentences)
    best: dict[tuple[str, str], Alike] = {}
    for (first, at, one), (second, other_at, two) in _pairs(examples):
        likeness = measure.likeness(one, two)
        if likeness < at_least or _plain(one) == _plain(two):
            continue
        found = Alike(first, second, (at, other_at), (one, two), likeness)
        if (first, second) not in best or best[first, second].likeness < likeness:
            best[first, second] = found
    yield from best.values()


_Example = tuple[str, int, str]


def _pairs(examples: Mapping[str, Sequence[str]]) -> Iterator[tuple[_Example, _Example]]:
    """Examples of different intents that share a word, each two once, in the order of the intents."""
    all_of = [(name, at, text) for name, texts in examples.items() for at, text in enumerate(texts)]
    sharing: dict[str, list[int]] = {}
    for number, (_, _, text) in enumerate(all_of):
        for word in _words(_plain(text)) or {""}:
            sharing.setdefault(word, []).append(number)
    pairs = {pair for numbers in sharing.values() for pair in combinations(numbers, 2)}
    for one, two in sorted(pairs):
        if all_of[one][0] != all_of[two][0]:
            yield all_of[one], all_of[two]


@cache
def _plain(sentence: str) -> str:
    """Lower case, apostrophes dropped, words with one space between."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"['’]", "", sentence.casefold())))


@cache
def _words(plain: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in plain.split() if word not in _SMALL)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _trigrams(plain: str) -> list[str]:
    padded = f"  {plain} "
    return [padded[at : at + 3] for at in range(len(padded) - 2)] if plain else []
