"""How well a caption reads, with no image at hand: what a choice between two captions can be made by instead."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_EDGE = ""  # before the first word and after the last

Bigram = tuple[str, str]


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation.

    >>> words("A dog's ball - red, round.")
    ['a', "dog's", 'ball', 'red', 'round']
    """
    return [word.casefold() for word in _WORD.findall(text)]


def bigrams(text: str) -> list[Bigram]:
    """Neighbouring words, with the edges of the text.

    >>> bigrams("a dog")
    [('', 'a'), ('a', 'dog'), ('dog', '')]
    """
    chain = [_EDGE, *words(text), _EDGE]
    return list(pairwise(chain))


class Fluency:
    """A word-bigram model of captions that leaves out, for each image, what was written about it.

    Interpolated after Witten and Bell 1991 (method C): p(w | v) = (c(vw) + t(v) p(w)) / (c(v) + t(v)), t(v) being the
    number of different followers of v; p(w) with one count added to each word and to the unknown one.

    captions: image -> what was written about it.
    """

    def __init__(self, captions: Mapping[str, Iterable[str]]) -> None:
        self._own = {
            image: Counter(b for text in set(texts) for b in bigrams(text)) for image, texts in captions.items()
        }
        self._pairs = Counter[Bigram]()
        for own in self._own.values():
            self._pairs.update(own)
        self._before, self._after = Counter[str](), Counter[str]()
        self._followers = Counter(first for first, _ in self._pairs)
        for (first, second), count in self._pairs.items():
            self._before[first] += count
            self._after[second] += count

    def of(self, text: str, image: str) -> float:
        """Mean log-probability of the words of `text` and of its end, as learnt from the other images' captions."""
        own = self._own.get(image, Counter[Bigram]())
        before, after, gone = Counter[str](), Counter[str](), Counter[str]()
        for (first, second), count in own.items():
            before[first] += count
            after[second] += count
            gone[first] += count == self._pairs[first, second]
        total, known = self._after.total() - own.total(), len(self._after) + 1
        chain = bigrams(text)
        logs = 0.0
        for first, second in chain:
            alone = (self._after[second] - after[second] + 1) / (total + known)
            kinds = self._followers[first] - gone[first]
            seen = self._before[first] - before[first]
            joint = self._pairs[first, second] - own[first, second]
            logs += math.log((joint + kinds * alone) / (seen + kinds) if seen else alone)
        return logs / len(chain)
