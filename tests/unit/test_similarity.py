"""Class against looks: measures against slow definitions, a colour-only and a class model, nulls and bad input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from captioned import Captioned
from clipaudit_audits.meaning.similarity import Similarity, SimilarityParams
from clipaudit_audits.meaning.similarity_estimates import results
from clipaudit_audits.meaning.similarity_looks import colours, looks, textures
from clipaudit_audits.meaning.similarity_triplets import anchors
from PIL import Image
from scipy.stats import binom

from clipaudit.contract import PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.control import load_control
from clipaudit.models.control_chance import direction
from clipaudit.models.protocol import Embedded, Model
from clipaudit.results import Estimate, GalleryFigure, Status

AUDIT = Similarity()
METRICS = {metric.name: metric for metric in AUDIT.spec.metrics}
HUES = {"red": (210, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 210)}


@dataclass(frozen=True)
class Plate:
    """A plate of one colour with a pattern of its own, of a class that neither says."""

    id: str
    attributes: dict[str, str]
    colour: tuple[int, int, int]
    stripes: bool

    @property
    def digest(self) -> str:
        return self.id

    def load(self) -> Image.Image:
        pixels = np.full((32, 32, 3), self.colour, dtype=np.uint8)
        if self.stripes:
            pixels[:, ::2] = np.minimum(pixels[:, ::2].astype(int) + 15, 255)
        return Image.fromarray(pixels)


def plates() -> Dataset:
    """Eight classes of three colours each, half of them striped: colour and texture say nothing about the class."""
    dataset = DataRegistry({}).open("objects")
    images = [
        Plate(f"{label} {hue}", {"label": f"class {label}"}, value, (i + j) % 2 == 0)
        for i, label in enumerate("abcdefgh") for j, (hue, value) in enumerate(HUES.items())
    ]  # fmt: skip
    return replace(dataset, images=images, columns=("label",))


class ByLooks:
    """Embeds an image by one of its looks and nothing else."""

    def __init__(self, cue: str) -> None:
        self.info, self.capabilities, self._cue = load_control("null").info, load_control("null").capabilities, cue

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        vectors = np.array([looks(image.load())[self._cue] for image in images])  # type: ignore[index]
        return Embedded(vectors, (None,) * len(images))


def _found(dataset: Dataset, model: Model, **params: object) -> dict[str, Estimate]:
    cell = AUDIT.plan(PlanContext(SimilarityParams(**params), 0, dataset))[0]  # type: ignore[arg-type]
    estimates = AUDIT.score(cell, AUDIT.run(cell, model))
    return {" ".join((e.metric, *e.subgroup.values())): e for e in estimates}


# --- looks ---


def test_colours_by_hand() -> None:
    pixels = np.zeros((2, 2, 3), dtype=np.int64)
    pixels[0, 0] = (255, 0, 0)
    seen = np.array([[True, True], [True, False]])
    found = colours(pixels, seen)
    assert found[0] == pytest.approx(np.sqrt(2 / 3))  # black
    assert found[3 * 16] == pytest.approx(np.sqrt(1 / 3))  # red: the last of four steps, the others the first
    assert found @ found == pytest.approx(1)


def test_textures_are_those_of_the_slow_definition() -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (11, 9))
    pixels = np.repeat(grey[..., None], 3, axis=2)
    grey = pixels @ np.array([299, 587, 114]) // 1000
    seen = rng.random((11, 9)) < 0.9
    counts = np.zeros(20)
    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    for part, reach in enumerate((1, 2)):
        for y in range(reach, 11 - reach):
            for x in range(reach, 9 - reach):
                near = [(y + dy * reach, x + dx * reach) for dy, dx in ring]
                if seen[y, x] and all(seen[place] for place in near):
                    bits = [grey[place] >= grey[y, x] for place in near]
                    changes = sum(a != b for a, b in zip(bits, bits[1:] + bits[:1], strict=True))
                    counts[10 * part + (sum(bits) if changes <= 2 else 9)] += 1
    assert textures(pixels, seen) == pytest.approx(np.sqrt(counts / counts.sum()))


def test_of_a_cut_out_the_ground_is_not_looked_at() -> None:
    image = Image.new("RGBA", (40, 40), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (10, 10, 30, 30))
    assert looks(image)["colour"] == pytest.approx(looks(Image.new("RGB", (40, 40), (255, 0, 0)))["colour"])
    assert looks(Image.new("RGB", (2, 2)))["texture"].tolist() == [0.0] * 20  # too small for any pattern


# --- triplets ---


def test_triplets_are_those_of_the_slow_definition() -> None:
    rng = np.random.default_rng(1)
    labels = [f"c{i % 5}" for i in range(17)] + ["alone"]
    model, cue = ((v @ v.T) for v in rng.normal(size=(2, 18, 6)))
    for i, found in enumerate(anchors(model, cue, labels)):
        same = [j for j in range(18) if j != i and labels[j] == labels[i]]
        other = [j for j in range(18) if labels[j] != labels[i]]
        look = max(other, key=lambda j: cue[i, j])
        match = min(same, key=lambda j: cue[i, j]) if same else None
        asked = match is not None and cue[i, look] > cue[i, match]
        assert (found.match, found.look) == ((match, look) if asked else (None, None))
        assert found.nearest == max((j for j in range(18) if j != i), key=lambda j: model[i, j])
        assert found.nearest_by_cue == max((j for j in range(18) if j != i), key=lambda j: cue[i, j])
        stranger = max(other, key=lambda j: model[i, j])
        assert found.alike == pytest.approx(sum(cue[i, j] < cue[i, stranger] for j in other) / (len(other) - 1))
        assert found.chance == pytest.approx(len(same) / 17)


# --- planted effects ---


def test_a_model_of_colours_chooses_the_look_alike() -> None:
    found = _found(plates(), ByLooks("colour"))  # type: ignore[arg-type]
    assert found["class_wins colour"].value == 0.0
    assert found["class_wins colour"].status is Status.EFFECT
    assert found["neighbour_class the model"].value == found["neighbour_class colour"].value
    # of 21 strangers, seven have the colour and tie: above the 14 others, and in the middle of the six
    assert found["neighbour_alike colour"].value == pytest.approx((14 + 0.5 * 6) / 20)


def test_a_model_of_classes_chooses_the_class() -> None:
    labels = ",".join(f"class {letter}" for letter in "abcdefgh")
    found = _found(plates(), load_control(f"prototypes?labels={labels}&spread=0.1"))
    for cue in ("colour", "texture"):
        assert found[f"class_wins {cue}"].value == 1.0
        assert found[f"class_wins {cue}"].status is Status.EFFECT
    assert found["neighbour_class the model"].value == 1.0
    assert (found["neighbour_class colour"].value or 0) < 0.3


def test_a_model_of_nothing_is_half_and_half() -> None:
    found = _found(plates(), load_control("null"))
    estimate = found["class_wins colour"]
    assert estimate.status is Status.NO_EFFECT
    assert estimate.interval is not None
    assert (estimate.interval.low or 0) < 0.5 < (estimate.interval.high or 1)
    near = found["neighbour_class the model"]
    assert near.null is not None
    assert near.null.mean == pytest.approx(2 / 23, abs=0.01)
    assert near.null.low <= (near.value or 0) <= near.null.high


def test_nothing_raises_no_more_alarms_than_it_says() -> None:
    labels = [f"c{i // 3}" for i in range(60)]
    alarms, alike = 0, 0
    for seed in range(80):
        model, cue = (
            v @ v.T for v in (np.array([direction(16, seed, kind, str(i)) for i in range(60)]) for kind in ("m", "c"))
        )
        rows = [
            {"cue": "colour", "label": labels[i], "match": a.match, "to_match": a.match is not None and model[i, a.match],
             "to_look": a.look is not None and model[i, a.look], "alike": a.alike, "chance": 0.0}
            for i, a in enumerate(anchors(model, cue, labels))
        ]  # fmt: skip
        for e in results(rows, METRICS, seed):
            hit = e.test is not None and e.test.p <= 0.05
            alarms += hit and e.metric == "class_wins"
            alike += hit and e.metric == "neighbour_alike"
    low, high = binom.interval(0.998, 80, 0.05)
    assert low <= alarms <= high
    assert low <= alike <= high


def test_the_gallery_shows_the_image_its_class_and_the_look_alike() -> None:
    cell = AUDIT.plan(PlanContext(SimilarityParams(cues=("colour",)), 0, plates()))[0]
    rows = AUDIT.run(cell, ByLooks("colour"))  # type: ignore[arg-type]
    gallery = AUDIT.figures(cell, rows, AUDIT.score(cell, rows))[-1]
    assert isinstance(gallery, GalleryFigure)
    for entry in gallery.entries:
        (image, match, look), score = entry.items, entry.score
        assert image.split()[0] == match.split()[0] != look.split()[0]
        assert image.split()[1] == look.split()[1]  # of the same colour
        assert score is not None
        assert score < 0


# --- bad input ---


def test_an_image_that_cannot_be_read_is_left_out_of_all_triplets() -> None:
    dataset = plates()
    broken = Captioned("broken", {"label": "class a"}, NamedItem("broken", {}))
    cell = AUDIT.plan(PlanContext(SimilarityParams(), 0, replace(dataset, images=[*dataset.images, broken])))[0]
    rows = AUDIT.run(cell, load_control("null")).to_pylist()
    assert [row["error"] is not None for row in rows if row["image"] == "broken"] == [True, True]
    assert not any("broken" in (row["match"], row["look"], row["nearest"]) for row in rows)


def test_what_cannot_be_asked_is_said() -> None:
    dataset = plates()
    with pytest.raises(DataError, match="a class with two images"):
        _found(replace(dataset, images=dataset.images[::3]), load_control("null"))
    with pytest.raises(DataError, match="no column 'label'"):
        _found(replace(dataset, columns=()), load_control("null"))
    names = [NamedItem(image.id, image.attributes) for image in dataset.images]
    with pytest.raises(DataError, match="needs the images"):
        _found(replace(dataset, images=names), load_control("null"))
