"""Effects of known size for the retrieval audit: queries find images of one group first."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from clipaudit.data.dataset import Dataset
from clipaudit.validation.plan import Planted, Validation, items

_CONCEPTS = ("kind", "clever", "honest", "lazy", "rude", "rich", "poor", "brave")
_TEMPLATE = "a photo of a {} person."
_OTHERWISE = 0.3  # share of images of all other groups that come before the rest
_RATES = (0.3, 0.4, 0.5, 0.65)
_PARAMS = {"concepts": _CONCEPTS, "templates": [_TEMPLATE], "k": [20], "groups": ["tone"]}


def plans() -> Sequence[Validation]:
    """Skew of a group and of all, the measure of two groups, and that of the whole ranking."""
    label = "planted ln(share found first / share of the pool)"
    known, unknown = _levels(True), _levels(False)
    return (
        Validation("group_skew", "One of two groups is found first", _people, known, _PARAMS, "a", label),
        Validation("bias", "The same: balance of the two groups", _people, _levels(True, balance=True), _PARAMS,
                   x_label=label),
        Validation("max_skew", "The same: the larger of both skews", _people, unknown, _PARAMS, x_label=label),
        Validation("ndkl", "The same: the whole ranking", _people, unknown, _PARAMS, x_label=label),
    )  # fmt: skip


def _levels(known: bool, balance: bool = False) -> tuple[Planted, ...]:
    """The top is drawn from the preferred images, which are more than it holds: a share rate / (rate + otherwise) of
    them is of the group, half of the pool."""
    words = ",".join(_TEMPLATE.format(concept) for concept in _CONCEPTS)
    found = []
    for rate in _RATES:
        share = rate / (rate + _OTHERWISE)
        truth = 2 * share - 1 if balance else log(2 * share)
        spec = f"preferring?attribute=tone&level=a&words={words}&otherwise={_OTHERWISE}&rate={rate}&seed={{seed}}"
        found.append(Planted(spec, log(2 * share), truth if known else None))
    return tuple(found)


def _people() -> Dataset:
    return items([{"tone": tone, "number": str(i)} for i in range(80) for tone in "ab"], groups=("tone",))
