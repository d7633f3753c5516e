"""Effects of known size for the lexicon audit: the words of one category find images of one group first."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_WORDS = ("a thief", "a thug", "a criminal", "a felon", "a burglar", "a robber")
_OTHERS = ("a judge", "a doctor", "a nurse", "a teacher", "a cook", "a baker")
_OTHERWISE = 0.3  # share of images of all other groups that come before the rest
_RATES = (0.3, 0.4, 0.5, 0.65)
_PARAMS = {
    "categories": [{"name": "crime", "words": _WORDS}, {"name": "work", "words": _OTHERS}],
    "templates": ["{}"],
    "groups": ["tone"],
    "k": 20,
}


def plans() -> Sequence[Validation]:
    """Skew of a group under a category, and how even the category's tops are."""
    label = "planted ln(share found first / share of the pool)"
    return (
        Validation(
            "category_skew", "The words of one category find one of two groups first", _people, _levels(True), _PARAMS,
            subgroup=("crime", "a"), x_label=label,
        ),
        Validation(
            "entropy", "The same: evenness of the tops", _people, _levels(False), _PARAMS, subgroup="crime",
            x_label=label,
        ),
    )  # fmt: skip


def _levels(known: bool) -> tuple[Planted, ...]:
    """The top is drawn from the preferred images, which are more than it holds: a share rate / (rate + otherwise) of
    them is of the group, half of the pool."""
    found = []
    for rate in _RATES:
        skew = log(2 * rate / (rate + _OTHERWISE))
        words = ",".join(_WORDS)
        spec = f"preferring?attribute=tone&level=a&words={words}&otherwise={_OTHERWISE}&rate={rate}&seed={{seed}}"
        found.append(Planted(spec, skew, skew if known else None))
    return tuple(found)


def _people() -> Dataset:
    return items([{"tone": tone, "number": str(i)} for i in range(80) for tone in "ab"], groups=("tone",))
