"""The control `leaning`: texts lie closer to each other by what is planted, and images know nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from clipaudit.models.control import load_control
from clipaudit.validation.plan import PlantedItem


@pytest.mark.parametrize("effect", [0.0, 0.1, -0.2])
def test_leans_by_its_effect_towards_some_words_only(effect: float) -> None:
    leaning, towards, others = ([f"a {word} number {i}" for i in range(60)] for word in ("nurse", "woman", "man"))
    model = load_control(f"leaning?words=nurse&towards=woman&effect={effect}")
    a, b, c = (np.asarray(model.embed_texts(texts).vectors) for texts in (leaning, towards, others))
    for first, second, expected in ((a, b, effect), (a, c, 0.0), (b, c, 0.0)):
        cosines = first @ second.T
        assert cosines.mean() == pytest.approx(expected, abs=0.004)  # sd 1/sqrt(512) of 3,600 that share 60 + 60 texts
        assert cosines.std() < 0.06
    images = model.embed_images([PlantedItem(str(i), {}) for i in range(60)]).vectors
    assert (np.asarray(images) @ b.T).mean() == pytest.approx(0, abs=0.004)
    assert np.linalg.norm(np.concatenate([a, b, c]), axis=1) == pytest.approx(1)
