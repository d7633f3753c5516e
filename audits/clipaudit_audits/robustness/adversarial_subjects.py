"""Which images are attacked, and the model as a fixed zero-shot classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.contract import Cell
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.stimuli.recipe import seed_from
from clipaudit.zeroshot import ensemble, prompts
from clipaudit_audits.choosing import largest_classes, spread
from clipaudit_audits.robustness.adversarial_params import AdversarialParams
from clipaudit_audits.robustness.labelled import group_columns

if TYPE_CHECKING:
    import torch

    from clipaudit.models.protocol import DualEncoder, Model
    from clipaudit_audits.robustness.attacks.ensemble import Subjects
    from clipaudit_audits.robustness.attacks.victim import Victim

CHUNK = 16  # images attacked together, and kept together when a run is killed
CHECKED = 2 * CHUNK  # images on which the checks of the measurement are made
MADE_ON = 200  # images that a change for all is made on, at most


@dataclass(frozen=True)
class Sample:
    """The images drawn, and the classes (m,) among which the model chooses, sorted. groups: columns of annotated
    groups."""

    images: tuple[ImageRef, ...]
    classes: tuple[str, ...]
    clusters: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """Class of each image."""
        return [image.attributes["label"] for image in self.images]


def draw(dataset: Dataset, params: AdversarialParams, seed: int) -> Sample:
    """At most `params.images` images, as evenly over the classes as these allow.

    Raises DataError without the column `label`, or with fewer than two classes.
    """
    dataset.require("label")
    labels = dataset.column("label")
    classes = largest_classes(labels, params.classes, seed, enough=params.images // params.classes + 1)
    if len(classes) < 2:
        raise DataError(
            f"adversarial: data set {dataset.id!r} has the label set {classes}; an attack needs at least two classes"
        )
    known = set(classes)
    used = [i for i, label in enumerate(labels) if label in known]
    chosen = [used[i] for i in spread([labels[i] for i in used], params.images, seed)]
    images = tuple(dataset.images[i] for i in chosen)
    cluster = dataset.cluster if dataset.cluster in dataset.columns else None
    units = tuple(i.attributes[cluster] if cluster else i.id for i in images)
    return Sample(images, tuple(classes), units, group_columns(dataset, params.groups, "label"))


@dataclass(frozen=True)
class Trial:
    """One cell about to be attacked. `clean` is what the model takes each image for, None where it is unreadable;
    `leads` by how much, in cosine, over the next class."""

    cell: Cell
    sample: Sample
    victim: Victim
    clean: tuple[str | None, ...]
    leads: tuple[float, ...]
    errors: tuple[str | None, ...]

    @property
    def params(self) -> AdversarialParams:
        params: AdversarialParams = self.cell.params
        return params

    @property
    def rounding(self) -> float:
        """Lead in cosine below which the order of two classes is a matter of rounding."""
        return 1e-5 if self.victim.exact is None else 5e-3

    @property
    def may_be_shown(self) -> bool:
        """The card allows pictures of its images in reports."""
        return self.cell.data is not None and self.cell.data.thumbnails

    def right(self, position: int) -> bool:
        """The clean image at a position is classified correctly."""
        return self.clean[position] == self.sample.labels[position]

    def readable(self) -> list[int]:
        """Positions of images without an error."""
        return [i for i, error in enumerate(self.errors) if error is None]

    def chunks(self, positions: Sequence[int]) -> Iterator[list[int]]:
        """Positions, a few at a time."""
        for start in range(0, len(positions), CHUNK):
            yield list(positions[start : start + CHUNK])

    def pixels(self, positions: Sequence[int]) -> torch.Tensor:
        """(n, 3, H, W) in [0, 1], as the model crops them."""
        import torch

        encoder = self.victim.encoder
        return torch.stack([encoder.preprocess(self.sample.images[i].load()) for i in positions]).float().cpu()

    def subjects(self, positions: Sequence[int], pixels: torch.Tensor, scores: torch.Tensor) -> Subjects:
        """The images at these positions with their pixels (n, 3, H, W) and clean scores (n, C)."""
        import torch

        from clipaudit_audits.robustness.attacks.ensemble import Subjects

        column = {name: i for i, name in enumerate(self.sample.classes)}
        labels = torch.tensor([column[self.sample.labels[i]] for i in positions], dtype=torch.long)
        seeds = tuple(seed_from(self.cell.seed, self.sample.images[i].id) for i in positions)
        return Subjects(pixels, labels, scores, seeds)


def prepare(cell: Cell, model: Model, texts: Sequence[str] = ()) -> Trial:
    """Classify the clean images, and set the model up as the victim; `texts` are further classes of its own words."""
    params: AdversarialParams = cell.params
    sample = draw(cell.require_dataset(), params, cell.seed)
    victim = victim_of(model, sample.classes, params, texts)
    found = model.score_labels(sample.images, sample.classes, params.templates)
    values = np.array(found.values, np.float64)
    if params.native:
        _at_own_size(values, victim, sample, found.errors)
    clean = tuple(
        sample.classes[int(row.argmax())] if error is None else None
        for row, error in zip(values, found.errors, strict=True)
    )
    top = np.sort(values, axis=1)
    return Trial(cell, sample, victim, clean, tuple((top[:, -1] - top[:, -2]).tolist()), found.errors)


def _at_own_size(values: NDArray[np.float64], victim: Victim, sample: Sample, errors: Sequence[str | None]) -> None:
    """Put in the cosines of the images as they are attacked: enlarged inside the network."""
    import torch

    good = [i for i, error in enumerate(errors) if error is None]
    for start in range(0, len(good), CHUNK):
        rows = good[start : start + CHUNK]
        pixels = torch.stack([victim.encoder.preprocess(sample.images[i].load()) for i in rows])
        values[rows] = victim.scores(pixels)[:, : len(sample.classes)].numpy() / victim.scale


def victim_of(model: Model, classes: Sequence[str], params: AdversarialParams, texts: Sequence[str] = ()) -> Victim:
    """The zero-shot classifier over the classes, and over whole `texts` after them.

    Raises NotSupported for a model without a network, DataError where the model cannot read a prompt.
    """
    import torch

    from clipaudit_audits.robustness.attacks.victim import Victim

    encoder: DualEncoder | None = getattr(model, "encoder", None)
    if encoder is None:
        raise NotSupported(f"{model.info.name} has no network to take gradients of; choose a live model")
    written = [*prompts(classes, params.templates), *texts]
    embedded = model.embed_texts(written)
    if problem := next((error for error in embedded.errors if error is not None), None):
        raise DataError(f"adversarial: {problem}")
    vectors = np.asarray(embedded.vectors, np.float64)
    own = len(classes) * len(params.templates)
    weights = np.concatenate([ensemble(vectors[:own], len(classes)), vectors[own:]])
    scale = (model.info.logit_scale or 1.0) if params.scaled else 1.0
    exact = exact_twin(encoder)
    if params.native:
        from clipaudit_audits.robustness.adversarial_native import NativeEncoder

        encoder, exact = NativeEncoder(encoder), None if exact is None else NativeEncoder(exact)
    return Victim(encoder, torch.from_numpy(weights).float(), scale, exact=exact)


def exact_twin(encoder: DualEncoder) -> DualEncoder | None:
    """The same network in float32, where it computes in less."""
    if encoder.info.precision in ("", "float32") or not hasattr(encoder, "cast"):
        return None
    twin: DualEncoder = encoder.cast("float32")
    return twin
