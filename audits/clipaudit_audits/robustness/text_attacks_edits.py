"""Small changes of a query that a reader hardly notices, or that keep its meaning. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from clipaudit.stimuli.recipe import seed_from
from clipaudit.zeroshot import fill

Kind = Literal["swap", "homoglyph", "order", "rewording", "capitals"]

#: Latin letters and what looks like them in other scripts (Unicode confusables).
LOOKALIKES = dict(zip("aceijopsxyhkmtb", "асеіјорѕхуһкмтЬ", strict=True))

#: Rewordings that change nothing that is meant: what any change of the text does.
NEUTRAL = (
    "a picture of a {}.", "an image of a {}.", "this is a {}.", "a photograph of a {}.", "the photo shows a {}.",
    "there is a {} in this photo.", "a photo showing a {}.", "here is a {}.",
)  # fmt: skip


def edits(kind: Kind, template: str, label: str, most: int, letters: int, seed: int) -> list[str]:
    """At most `most` distinct changed prompts, none equal to the prompt itself; drawn with `seed` and the label.

    letters: how many letters of the label are changed (swap, homoglyph). Fewer come back where there are no more:
    a label of one letter cannot be swapped.
    """
    plain = fill(template, label)
    rng = np.random.default_rng(seed_from(kind, seed, label))
    found: dict[str, None] = {}
    for text in _DRAWS[kind](template, label, letters, rng):
        if text != plain:
            found[text] = None
        if len(found) == most:
            break
    return list(found)


TRIES = 40


def swapped(word: str, letters: int, rng: np.random.Generator) -> str:
    """`letters` neighbouring pairs of letters change places."""
    for _ in range(letters):
        pairs = [i for i in range(len(word) - 1) if word[i].isalpha() and word[i + 1].isalpha()]
        if not pairs:
            break
        i = int(rng.choice(pairs))
        word = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return word


def disguised(word: str, letters: int, rng: np.random.Generator) -> str:
    """`letters` letters become look-alikes of another script."""
    for _ in range(letters):
        places = [i for i, letter in enumerate(word) if letter in LOOKALIKES]
        if not places:
            break
        i = int(rng.choice(places))
        word = word[:i] + LOOKALIKES[word[i]] + word[i + 1 :]
    return word


def shuffled(prompt: str, rng: np.random.Generator) -> str:
    """The words in another order; a full stop stays at the end."""
    words = prompt.rstrip(".").split()
    return " ".join(words[i] for i in rng.permutation(len(words))) + "." * prompt.endswith(".")


def _swaps(template: str, label: str, letters: int, rng: np.random.Generator) -> Iterator[str]:
    return (fill(template, swapped(label, letters, rng)) for _ in range(TRIES))


def _disguises(template: str, label: str, letters: int, rng: np.random.Generator) -> Iterator[str]:
    return (fill(template, disguised(label, letters, rng)) for _ in range(TRIES))


def _orders(template: str, label: str, _letters: int, rng: np.random.Generator) -> Iterator[str]:
    return (shuffled(fill(template, label), rng) for _ in range(TRIES))


def _rewordings(_template: str, label: str, _letters: int, _rng: np.random.Generator) -> Iterator[str]:
    return (fill(other, label) for other in NEUTRAL)


def _capitals(template: str, label: str, _letters: int, _rng: np.random.Generator) -> Iterator[str]:
    return iter((fill(template, label.upper()), fill(template, label.title()), fill(template, label).upper()))


_DRAWS: dict[Kind, Callable[[str, str, int, np.random.Generator], Iterator[str]]] = {
    "swap": _swaps,
    "homoglyph": _disguises,
    "order": _orders,
    "rewording": _rewordings,
    "capitals": _capitals,
}
