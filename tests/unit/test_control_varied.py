"""Controls for accuracy, confidence and learning: what is planted is what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import binom

from clipaudit.errors import ModelError, NotSupported
from clipaudit.models.control import describe, load_control

LABELS = ("cat", "dog", "fish", "bird", "horse")
PHOTO, DRAWING = ("a photo of a {}.",), ("a drawing of a {}.",)


@dataclass(frozen=True)
class Item:
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    def load(self) -> None:
        raise AssertionError("controls look at no pixel")


def items(n: int, **attributes: str) -> list[Item]:
    return [Item(f"item {i}", {"label": LABELS[i % 5], **attributes}) for i in range(n)]


def right(spec: str, images: list[Item], templates: tuple[str, ...] = PHOTO) -> np.ndarray:
    scores = load_control(spec).score_labels(images, LABELS, templates)
    return scores.values.argmax(axis=1) == np.arange(len(images)) % 5


def test_accuracy_hangs_on_the_template_and_on_the_group() -> None:
    spec, n = "varied?accuracy=0.8&when=drawing&then=0.3", 2000
    photo, drawing = right(spec, items(n)), right(spec, items(n), DRAWING)
    assert binom.ppf(0.001, n, 0.8) <= photo.sum() <= binom.ppf(0.999, n, 0.8)
    assert binom.ppf(0.001, n, 0.3) <= drawing.sum() <= binom.ppf(0.999, n, 0.3)
    assert photo[drawing].all()  # an image keeps its luck
    both = "varied?accuracy=0.8&when=drawing,red&then=0.3"
    assert (right(both, items(n, hue="blue"), DRAWING) == photo).all()
    assert (right(both, items(n, hue="red"), DRAWING) == drawing).all()


def test_confidence_is_as_planted() -> None:
    scores = load_control("varied?accuracy=0.5&confidence=0.6").score_labels(items(50), LABELS, PHOTO)
    assert scores.kind == "probability"
    assert scores.values.sum(axis=1) == pytest.approx(1)
    assert np.sort(scores.values, axis=1)[:, -1] == pytest.approx(0.6)
    assert np.sort(scores.values, axis=1)[:, 0] == pytest.approx(0.1)


def test_reworded_labels_are_known_and_unlabelled_images_are_not() -> None:
    control = load_control("varied")
    assert control.score_labels(items(1), ("big cat", "dog"), PHOTO).values[0].argmax() == 0
    scores = control.score_labels([Item("x")], LABELS, PHOTO)
    assert scores.errors[0] is not None
    assert np.isnan(scores.values).all()
    with pytest.raises(NotSupported, match="no embeddings"):
        control.embed_images(items(1))


@pytest.mark.parametrize("known", [0.0, 0.4, 1.0])
def test_prototypes_know_the_share_of_labels(known: float) -> None:
    control = load_control(f"prototypes?labels={','.join(LABELS)}&known={known}&dim=512")
    scores = control.score_labels(items(5), LABELS, PHOTO).values
    at_centre = np.diag(scores) > 0.99
    assert at_centre.sum() == round(5 * known)
    vectors = control.embed_images(items(10)).vectors
    assert vectors[0] == pytest.approx(vectors[5])  # without spread all images of a label are one
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    loose = load_control(f"prototypes?labels={','.join(LABELS)}&spread=1&dim=512").embed_images(items(10)).vectors
    assert loose[0] @ loose[5] == pytest.approx(0.5, abs=0.12)  # 1 / (1 + spread^2)


def test_they_describe_themselves_and_refuse_nonsense() -> None:
    assert "confidence" in describe("varied")
    assert "known" in describe("prototypes")
    with pytest.raises(ModelError, match="needs labels="):
        load_control("prototypes")
    with pytest.raises(ModelError, match="then"):
        load_control("varied?then=2")
