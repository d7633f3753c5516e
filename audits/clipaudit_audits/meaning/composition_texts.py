"""How well a caption reads, with no image at hand: what a choice between two captions can be made by instead."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

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


class _Counts(NamedTuple):
    """Words before others, words after others, and followers that words have."""

    before: Counter[str]
    after: Counter[str]
    followers: Counter[str]


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
        self._left: dict[str, _Counts] = {}
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
        own, left = self._own.get(image, Counter[Bigram]()), self._left_out(image)
        total, known = self._after.total() - left.after.total(), len(self._after) + 1
        chain = bigrams(text)
        logs = 0.0
        for first, second in chain:
            alone = (self._after[second] - left.after[second] + 1) / (total + known)
            kinds = self._followers[first] - left.followers[first]
            seen = self._before[first] - left.before[first]
            joint = self._pairs[first, second] - own[first, second]
            logs += math.log((joint + kinds * alone) / (seen + kinds) if seen else alone)
        return logs / len(chain)

    def _left_out(self, image: str) -> _Counts:
        """What goes with the captions of `image`."""
        if image not in self._left:
            found = _Counts(Counter(), Counter(), Counter())
            for (first, second), count in self._own.get(image, {}).items():
                found.before[first] += count
                found.after[second] += count
                found.followers[first] += count == self._pairs[first, second]
            self._left[image] = found
        return self._left[image]
