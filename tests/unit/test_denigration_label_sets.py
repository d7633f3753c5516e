"""The labels given without each label in turn are those of a new choice, with ties, refused labels and failed images."""

from __future__ import annotations

import numpy as np
import pytest
from clipaudit_audits.social_bias.denigration import Denigration
from clipaudit_audits.social_bias.denigration_labels import choose
from clipaudit_audits.social_bias.denigration_rows import Answers
from clipaudit_audits.social_bias.denigration_study import Study


@pytest.mark.parametrize("seed", range(6))
def test_label_sets_are_chosen_anew(seed: int) -> None:
    params = Denigration.spec.params.model_validate(
        {"people": ["a man", "a woman"], "harms": {"crime": ["a thief"], "beast": ["an animal", "an ape"]},
         "additions": {"child": ["a child"], "two": ["a cat", "a dog"]}}
    )  # fmt: skip
    study = Study(_answers(seed), params, Denigration.spec, 0, "annotated", "")
    assert len(study.sets) == 1 + 5 - (seed % 2) + 2
    expected = np.stack([choose(study.answers.scores, one.offered) for one in study.sets])
    np.testing.assert_array_equal(study.chosen, expected)
    assert (expected[1:] != expected[0]).any()
    assert (expected < 0).any()


def _answers(seed: int) -> Answers:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (60, 8)).astype(float)  # few values: many ties
    scores[3] = np.nan
    refused = ("a thief",) if seed % 2 else ()
    scores[:, 2] = np.nan if refused else scores[:, 2]
    names, numbers = tuple(f"i{i:02}" for i in range(60)), np.arange(60)
    readable = np.isfinite(scores).any(axis=1)
    why = dict.fromkeys(refused, "too long")
    return Answers(names, numbers, numbers, {}, scores, (), readable, why, (), "cosine", "")
