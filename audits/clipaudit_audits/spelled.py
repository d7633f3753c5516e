"""The same label set as others may have written it: for recorded outputs, whose texts are looked up letter by letter.

    for spelling in spellings(["a thief", "an Indian man"], ["a photo of {}."]): ...
    found = score_spelled(model, images, spellings(...))

Tried are: with and without the article ("thief", as a bare label or after "a photo of a"), in lower case, with and
without the full stop, and names that the caller adds. All labels of a spelling are written in one way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Model, Scores

_ARTICLE = re.compile(r"^(?:an?|the)\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True)
class Spelling:
    """texts: (m,) labels, in the order of the label set. templates: what they are filled into."""

    texts: tuple[str, ...]
    templates: tuple[str, ...]


@dataclass(frozen=True)
class Spelled:
    """Scores, and the spelling under which they are recorded."""

    scores: Scores
    spelling: Spelling


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", by its first letter; a phrase that has an article stays as it is.

    >>> with_article("Indian man"), with_article("thief"), with_article("the pope")
    ('an Indian man', 'a thief', 'the pope')
    """
    if _ARTICLE.match(phrase):
        return phrase
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def bare(text: str) -> str:
    """Without its article.

    >>> bare("an animal"), bare("person"), bare("a")
    ('animal', 'person', 'a')
    """
    return _ARTICLE.sub("", text)


def spellings(texts: Sequence[str], templates: Sequence[str], also: Iterable[Sequence[str]] = ()) -> Iterator[Spelling]:
    """Each spelling once, the given one first; of several templates all together, then each alone.

    also: other names of the same labels, each list in their order.
    """
    forms = [tuple(texts), *(tuple(names) for names in also)]
    together = [tuple(templates), *((template,) for template in templates)]
    tried: dict[Spelling, None] = {}
    for sentences in together:
        for form in forms:
            for cased in (form, tuple(text.lower() for text in form)):
                short = tuple(bare(text) for text in cased)
                articled = tuple(template.replace("{}", "a {}") for template in sentences)
                whole = tuple(with_article(text) for text in short)
                for words, around in ((cased, sentences), (whole, sentences), (short, articled)):
                    for written in _written(around):
                        tried.setdefault(Spelling(words, written))
    yield from tried


def _written(templates: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """With, without and with another full stop and first letter."""
    plain = tuple(template.rstrip(". ") or template for template in templates)
    for form in (templates, plain, tuple(f"{template}." for template in plain)):
        yield form
        yield tuple(template[:1].swapcase() + template[1:] for template in form)


def score_spelled(model: Model, images: Sequence[ImageRef], tried: Iterable[Spelling]) -> Spelled:
    """Scores by the first spelling that is recorded; of decisions, by the one that leaves fewest images undecided.

    Raises the model's DataError about the first spelling where none is recorded.
    """
    first: DataError | None = None
    best: tuple[int, Spelled] | None = None
    for spelling in tried:
        try:
            scores = model.score_labels(images, spelling.texts, spelling.templates)
        except DataError as error:
            first = first or error
            continue
        found = Spelled(scores, spelling)
        left = int((np.asarray(scores.values) == 0).all(axis=1).sum()) if scores.kind == "decision" else 0
        if best is None or left < best[0]:
            best = left, found
        if not left:
            break
    if best is None:
        raise first or DataError("no spelling of the labels to try")
    return best[1]
