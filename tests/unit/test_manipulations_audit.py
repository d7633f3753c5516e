"""Manipulations: models that look at colour only or at layout only, areas by hand, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from clipaudit_audits.meaning.manipulations import Manipulations
from clipaudit_audits.meaning.manipulations_measures import Curve, outcomes
from clipaudit_audits.meaning.manipulations_params import PROTOCOLS, ManipulationParams
from PIL import Image
from pydantic import ValidationError
from scipy.stats import binom

from clipaudit.contract import Cell, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError
from clipaudit.images import ImageRef
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Embedded, Model, Scores
from clipaudit.results import CurveFigure, DataInfo, Estimate, GalleryFigure, ModelInfo, Status
from clipaudit.stimuli.objects import items

AUDIT = Manipulations()
DRAWN = items()
# Four colours of one luminance, to a grey level: without colour nothing tells them apart.
_CHROMA = {"red": (200, 60), "green": (60, 140), "blue": (60, 110), "ochre": (150, 90)}


COLOURS = {
    name: (red, green, round((110 - 0.299 * red - 0.587 * green) / 0.114)) for name, (red, green) in _CHROMA.items()
}


@dataclass(frozen=True)
class Painted:
    """A square whose colour tells its class `label`, and whose bright half tells its class `side`."""

    number: int
    colour: str
    side: str

    @property
    def id(self) -> str:
        return f"{self.colour}-{self.side}-{self.number}"

    @property
    def attributes(self) -> dict[str, str]:
        return {"label": self.colour, "side": self.side}

    @property
    def digest(self) -> str:
        return self.id

    def load(self) -> Image.Image:
        pixels = np.zeros((224, 224, 3)) + np.array(COLOURS[self.colour]) + self.number % 3 - 1
        pixels[np.s_[:, :112] if self.side == "left" else np.s_[:, 112:]] *= 0.8
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


PAINTED = [Painted(i, colour, side) for i in range(5) for colour in COLOURS for side in ("left", "right")]


class Looker:
    """Scores labels by the pixels: colours by the mean hue, sides by which half is darker."""

    capabilities = frozenset({Need.SCORES})
    info = ModelInfo(spec="looker", name="looker", fingerprint="0" * 64, kind="python", capabilities=("scores",))

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        raise AssertionError

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raise AssertionError

    def score_labels(self, images: Sequence[ImageRef], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        values = np.array([self._one(np.asarray(image.load()).astype(float), image.id, labels) for image in images])
        return Scores(values, "cosine", tuple(None for _ in images))

    def _one(self, pixels: np.ndarray, name: str, labels: Sequence[str]) -> list[float]:
        if "left" in labels:
            lead = pixels[:, 112:].mean() - pixels[:, :112].mean()
            return [lead if label == "left" else -lead for label in labels]
        hue = pixels.mean(axis=(0, 1))
        hue = hue - hue.mean()
        if np.abs(hue).max() < 3:  # it sees no colour, and guesses
            return np.random.default_rng(list(name.encode())).random(len(labels)).tolist()
        own = [np.array(COLOURS[label], dtype=float) for label in labels]
        return [float(hue @ (one - one.mean()) / np.linalg.norm(one - one.mean())) for one in own]


def dataset(images: Sequence[ImageRef], columns: tuple[str, ...] = ("label",)) -> Dataset:
    info = DataInfo(id="set", title="set", digest="0", items=len(images), licence="none", consent="drawings")
    return Dataset(info, list(images), columns, None)


def cell(data: Dataset | None = None, seed: int = 1, **params: object) -> Cell:
    made = ManipulationParams.model_validate({"images": 60} | params)
    return AUDIT.plan(PlanContext(made, seed, data or dataset(DRAWN)))[0]


def scored(model: Model, one: Cell) -> list[Estimate]:
    return AUDIT.score(replace(one, dataset=None), AUDIT.run(one, model))


def find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and e.subgroup == subgroup)


def test_a_model_that_looks_at_colour_only() -> None:
    """Patches change places and it sees no difference; without colour it is at chance."""
    one = cell(dataset(PAINTED), images=40, manipulations=["greyscale=0.5,1", "patch-shuffle=4,7,14"])
    found = scored(Looker(), one)
    assert find(found, "clean_accuracy").value == 1
    shuffle = find(found, "loss", manipulation="patch-shuffle")
    assert (shuffle.value, shuffle.status) == (0, Status.NO_EFFECT)
    assert find(found, "area", manipulation="patch-shuffle").value == 1
    grey = find(found, "loss", manipulation="greyscale")
    assert grey.status is Status.EFFECT
    left = find(found, "accuracy_left", manipulation="greyscale")
    assert left.interval.low <= 0.25 <= left.interval.high
    assert left.status is Status.NO_EFFECT
    # 1 at clean and at half the colour, a at none: the area is (.5 + 1 + .5 a) / 2
    assert find(found, "area", manipulation="greyscale").value == pytest.approx((1.5 + 0.5 * left.value) / 2)
    assert find(found, "level_drop", manipulation="greyscale", level="0.5").value == 0
    assert find(found, "level_drop", manipulation="greyscale", level="1").status is Status.EFFECT


def test_a_model_that_looks_at_layout_only() -> None:
    one = cell(
        dataset(PAINTED, ("label", "side")), images=40, target="side",
        manipulations=["greyscale=1", "patch-shuffle=14", "low-pass=15"],
    )  # fmt: skip
    found = scored(Looker(), one)
    assert find(found, "clean_accuracy").value == 1
    assert find(found, "loss", manipulation="greyscale").value == 0
    assert find(found, "loss", manipulation="low-pass").value == 0
    left = find(found, "accuracy_left", manipulation="patch-shuffle")
    assert left.interval.low <= 0.5 <= left.interval.high
    assert find(found, "loss", manipulation="patch-shuffle").status is Status.EFFECT


def test_a_planted_loss_is_found_at_its_size_and_drawn() -> None:
    """Right with .95, at full greyscale with .3: over levels .5 and 1 the area lacks .65 / 4."""
    one = cell(images=100, manipulations=["greyscale=0.5,1", "contrast=0.5"])
    model = load_control("varied?accuracy=0.95&when=greyscale,1&then=0.3")
    rows = AUDIT.run(one, model)
    found = AUDIT.score(replace(one, dataset=None), rows)
    loss = find(found, "loss", manipulation="greyscale")
    assert loss.interval.low <= 65 / 4 <= loss.interval.high
    assert loss.status is Status.EFFECT
    figures = AUDIT.figures(replace(one, dataset=None), rows, found)
    curve = next(f for f in figures if isinstance(f, CurveFigure) and f.id == "curve-greyscale")
    assert curve.series[0].x == (0, 0.5, 1)
    assert [r.label for r in curve.references] == ["clean", "chance"]
    assert curve.references[1].value == pytest.approx(1 / 20)
    gallery = next(f for f in figures if isinstance(f, GalleryFigure))
    assert [len(entry.items) for entry in gallery.entries] == [3, 3]


def test_area_by_hand() -> None:
    """Levels clean, 1, 2, 3: an image right twice first, one right at the end, one always."""
    right = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 1, 1]], dtype=bool)
    areas = Curve("contrast", (0.5, 0.7, 0.9), ("a", "b", "c"), right, 0).areas()
    assert areas == pytest.approx([1.5 / 3, 0.5 / 3, 1])


def test_a_model_that_knows_nothing_loses_nothing() -> None:
    """At chance at every level, and losses are not judged."""
    rejected = 0
    for seed in range(20):
        one = cell(seed=seed, images=40, manipulations=["greyscale=1", "patch-shuffle=2"])
        found = scored(load_control(f"null?seed={seed}"), one)
        blind = find(found, "clean_accuracy").status is not Status.EFFECT
        loss = find(found, "loss", manipulation="greyscale")
        assert (loss.status is Status.INCONCLUSIVE) is blind
        rejected += find(found, "accuracy_left", manipulation="patch-shuffle").status is Status.EFFECT
    assert rejected <= binom.ppf(0.999, 20, 0.05)


def test_suppression_is_as_published() -> None:
    """Grids 2 to 16, windows 4 to 14, colour by fifths; what is kept is relative to the clean accuracy."""
    levels = PROTOCOLS["suppression"]
    assert levels["patch-shuffle"] == levels["patch-rotation"] == (2, 4, 6, 8, 10, 12, 14, 16)
    assert levels["bilateral"] == (4, 6, 8, 10, 12, 14)
    assert levels["greyscale"] == (0.2, 0.4, 0.6, 0.8, 1)
    one = cell(protocol="suppression", manipulations=["greyscale"])
    assert one.title.endswith("(suppression)")
    found = scored(load_control("varied?accuracy=0.9&when=greyscale,0.4&then=0.45"), one)
    kept = find(found, "kept", manipulation="greyscale", level="0.4")
    assert kept.interval.low <= 0.5 <= kept.interval.high
    assert kept.role == "preset"
    assert not [e for e in scored(load_control("null"), cell(manipulations=["greyscale"])) if e.metric == "kept"]


def test_images_without_outline_are_left_out_of_silhouettes_only() -> None:
    mixed = [*DRAWN[:30], *(Painted(i, "red", "left") for i in range(10))]
    one = cell(dataset(mixed), manipulations=["silhouette=1", "greyscale=1"], images=40)
    rows = AUDIT.run(one, load_control("classifier"))
    found = outcomes(rows.to_pylist())
    silhouette, grey = found.curves
    assert (len(silhouette.clusters), silhouette.left_out) == (30, 10)
    assert (len(grey.clusters), grey.left_out) == (40, 0)
    estimates = AUDIT.score(replace(one, dataset=None), rows)
    assert "10 images without an outline" in find(estimates, "loss", manipulation="silhouette").notes[0]
    everything = cell(dataset(PAINTED), images=40)
    rows = AUDIT.run(everything, load_control("classifier"))
    assert not [e for e in AUDIT.score(everything, rows) if e.subgroup.get("manipulation") == "silhouette"]
    with pytest.raises(DataError, match="silhouettes need images with an outline"):
        AUDIT.run(cell(dataset(PAINTED), manipulations=["silhouette"]), load_control("classifier"))


def test_bad_input_is_one_line() -> None:
    with pytest.raises(ValidationError, match="no manipulation 'blur'"):
        ManipulationParams(manipulations=("blur",))
    with pytest.raises(ValidationError, match="levels are numbers; write"):
        ManipulationParams(manipulations=("contrast=much",))
    with pytest.raises(ValidationError, match="is the picture as it is"):
        ManipulationParams(manipulations=("patch-shuffle=1,2",))
    with pytest.raises(ValidationError, match="given twice"):
        ManipulationParams(manipulations=("contrast=0.5", "contrast=0.7"))
    with pytest.raises(DataError, match="has fewer than two classes"):
        cell(dataset([image for image in DRAWN if image.label == "banana"]))
