"""Captions with their words in another order (Yuksekgonul et al. 2023, section 2.2).

The published sets move nouns and adjectives as a tagger finds them; here those words move that are in no closed class
of English (articles, pronouns, prepositions, ...), which needs no tagger: verbs and adverbs move with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from clipaudit_audits.meaning.composition_texts import words

Kind = Literal["content words", "all words", "trigrams", "within trigrams"]
KINDS: tuple[Kind, ...] = ("content words", "all words", "trigrams", "within trigrams")
_TRIES = 20

_CLOSED_CLASSES = """
a about above across after against all along also am among an and another any are around as at away back be because
been before behind being below beneath beside besides between beyond both but by can could did do does doing down
during each either every few for from had has have having he her hers him his how i if in inside into is it its
itself just like many may me might more most must my near neither next no nor not of off on one only onto or other
our out outside over own past same several shall she should so some such than that the their them themselves then
there these they this those three through to together toward towards two under underneath until up upon us very was
we were what when where which while who whom whose will with within without would you your
"""
_CLOSED = frozenset(words(_CLOSED_CLASSES))


def shuffled(text: str, kind: Kind, seed: int) -> str | None:
    """`text` with its words, or some of them, in another order; punctuation stays with its word, the last mark at the
    end. None where no other order was found: too few words to move, or words that are all alike.

    >>> shuffled("two dogs", "all words", 0), shuffled("a dog", "content words", 0)
    ('dogs two', None)
    """
    bare = text.rstrip(" .!?")
    end, parts = text[len(bare) :].strip(), bare.split()
    rng = np.random.default_rng(seed)
    before = [part.casefold() for part in parts]
    for _ in range(_TRIES):
        found = _ORDERS[kind](parts, rng)
        if [part.casefold() for part in found] != before:
            return " ".join(found) + end
    return None


Order = Callable[[Sequence[str], np.random.Generator], list[str]]


def _all(parts: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [parts[i] for i in rng.permutation(len(parts))]


def _content(parts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Words of an open class change places among themselves."""
    places = [i for i, part in enumerate(parts) if not set(words(part)) <= _CLOSED]
    found = list(parts)
    for place, source in zip(places, rng.permutation(places), strict=True):
        found[place] = parts[source]
    return found


def _trigrams(parts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Groups of three words change places."""
    groups = _groups(parts)
    return [part for i in rng.permutation(len(groups)) for part in groups[i]]


def _within(parts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Words change places within their group of three."""
    return [group[i] for group in _groups(parts) for i in rng.permutation(len(group))]


def _groups(parts: Sequence[str]) -> list[Sequence[str]]:
    return [parts[i : i + 3] for i in range(0, len(parts), 3)]


_ORDERS: Mapping[Kind, Order] = {
    "content words": _content, "all words": _all, "trigrams": _trigrams, "within trigrams": _within
}  # fmt: skip
