"""Changed texts: the changes themselves, and planted weaknesses that the audit tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import linear_victim as linear
import numpy as np
import pytest
from clipaudit_audits.robustness.text_attacks import KINDS, TextAttacks
from clipaudit_audits.robustness.text_attacks_edits import LOOKALIKES, edits

from clipaudit.contract import Need, PlanContext
from clipaudit.engine.plan import validate_params
from clipaudit.errors import DataError, UsageError
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Scores
from clipaudit.results import Estimate, Status

AUDIT, TEMPLATE = TextAttacks(), "a photo of a {}."
BACK = {other: letter for letter, other in LOOKALIKES.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", ["cup", "polar bear", "Ox", "é"])
def test_changes_are_distinct_repeatable_and_never_nothing(kind: Any, label: str) -> None:
    found = edits(kind, TEMPLATE, label, 8, 1, seed=3)
    assert found == edits(kind, TEMPLATE, label, 8, 1, seed=3)
    assert len(set(found)) == len(found) <= 8
    assert f"a photo of a {label}." not in found


def test_each_kind_changes_what_it_says() -> None:
    plain = "a photo of a polar bear."
    for text in edits("swap", TEMPLATE, "polar bear", 8, 1, seed=0):
        assert sorted(text) == sorted(plain)
        assert sum(a != b for a, b in zip(text, plain, strict=True)) == 2
    for text in edits("homoglyph", TEMPLATE, "polar bear", 8, 2, seed=0):
        assert sum(a != b for a, b in zip(text, plain, strict=True)) == 2
        assert "".join(BACK.get(letter, letter) for letter in text) == plain
    for text in edits("order", TEMPLATE, "polar bear", 8, 1, seed=0):
        assert sorted(text.rstrip(".").split()) == sorted(plain.rstrip(".").split())
        assert text.endswith(".")
    assert {text.lower() for text in edits("capitals", TEMPLATE, "polar bear", 8, 1, seed=0)} == {plain}


def test_look_alikes_are_other_letters() -> None:
    assert all(letter != other and len(other) == 1 and not other.isascii() for letter, other in LOOKALIKES.items())


class Reader:
    """Scores an image by the words of the text that it knows: `folds` says which changes it sees through."""

    capabilities = frozenset({Need.SCORES})

    def __init__(self, folds: bool) -> None:
        self.folds = folds

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        values = np.array([[self._score(image.attributes["label"], text) for text in labels] for image in images])
        return Scores(values, "cosine", (None,) * len(images))

    def _score(self, label: str, text: str) -> float:
        read = "".join(BACK.get(letter, letter) for letter in text.lower()) if self.folds else text.lower()
        words = read.rstrip(".").split()
        return 0.5 if label in words else 0.3 if any(name in words for name in linear.CLASSES) else 0.1


def judged(reader: Reader, **params: Any) -> dict[tuple[str, str], Estimate]:
    (cell,) = AUDIT.plan(PlanContext(validate_params(AUDIT, params), 0, linear.dataset(40)))
    found = AUDIT.score(cell, AUDIT.run(cell, reader))
    return {(e.metric, e.subgroup.get("change", "")): e for e in found}


def test_a_planted_weakness_is_found_and_nothing_else() -> None:
    found = judged(Reader(folds=True))
    swapped = found["attack_success", "letters swapped"]
    assert swapped.value == 1.0
    assert swapped.status is Status.EFFECT
    for other in ("letters disguised", "words in another order"):
        assert found["attack_success", other].value == 0
        assert found["attack_success", other].status is Status.NO_EFFECT
        assert found["attack_success", other].minimum_detectable is not None
    assert found["attack_success", "neutral rewording"].value == 0
    assert found["attack_success", "capital letters"].role == "control"
    assert found["clean_accuracy", ""].value == 1
    assert found["robust_accuracy", ""].value == 0
    assert "fails on" in swapped.notes[0]


def test_disguised_letters_deceive_who_does_not_know_them() -> None:
    found = judged(Reader(folds=False))
    assert found["attack_success", "letters disguised"].value == 1.0
    assert found["mean_success", "letters disguised"].value == 1.0
    assert found["attack_success", "words in another order"].value == 0


def test_bad_input_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match="where the label goes"):
        validate_params(AUDIT, {"template": "a photo"})
    alone = linear.dataset(4)
    with pytest.raises(DataError, match="at least two classes"):
        AUDIT.plan(PlanContext(validate_params(AUDIT, {"classes": 2}), 0, alone.head(1)))
