"""The sixteen classes of the published stimuli: their ImageNet classes, and how people decided.

Indices of ImageNet-1k in each class are derived from WordNet (`cue_conflict_wordnet`); they are those of Geirhos et al.
2018 (16-class ImageNet).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

TABLE = "cue_conflict_imagenet.tsv"


def _table() -> dict[str, tuple[int, ...]]:
    text = (files(__package__) / TABLE).read_text(encoding="utf-8")
    found: dict[str, tuple[int, ...]] = {}
    for line in csv.DictReader(text.splitlines(), delimiter="\t"):
        found[line["category"]] = (*found.get(line["category"], ()), int(line["index"]))
    return found


IMAGENET_INDICES: Mapping[str, tuple[int, ...]] = MappingProxyType(_table())
CATEGORIES = tuple(IMAGENET_INDICES)


def imagenet_names() -> tuple[str, ...]:
    """The 1,000 ImageNet class names in the order of their indices, as CLIP's prompts use them."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    return tuple(IMAGENET_CLASSNAMES)


def average_within(probabilities: NDArray[np.floating], categories: tuple[str, ...]) -> NDArray[np.float64]:
    """(n, 1000) class probabilities to (n, k): their mean within each category (Geirhos et al. 2018)."""
    means = [probabilities[:, list(IMAGENET_INDICES[name])].mean(axis=1) for name in categories]
    return np.stack(means, axis=1).astype(np.float64)


# Shape bias of the ten observers of Geirhos et al. 2019, pooled, by shape class; over all classes .9587. Recomputed
# from the published responses (cue decisions of 1,280 stimuli x 10 observers, same-class stimuli left out).
HUMAN_SHAPE_BIAS = 0.9587
HUMAN_BY_CLASS: Mapping[str, float] = MappingProxyType(
    {
        "airplane": 0.8931, "bear": 0.9347, "bicycle": 0.9972, "bird": 0.9683, "boat": 0.8722, "bottle": 0.9868,
        "car": 0.9739, "cat": 0.9590, "chair": 0.9913, "clock": 0.9958, "dog": 0.9413, "elephant": 0.9634,
        "keyboard": 0.9422, "knife": 0.8911, "oven": 0.9680, "truck": 0.9833,
    }
)  # fmt: skip
# The lowest and the highest of the ten observers.
HUMAN_RANGE = (0.9191, 0.9866)
HUMAN_RANGE_BY_CLASS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "airplane": (0.7436, 0.9692),
        "bear": (0.8600, 1.0000),
        "bicycle": (0.9859, 1.0000),
        "bird": (0.9434, 1.0000),
        "boat": (0.7576, 0.9583),
        "bottle": (0.9508, 1.0000),
        "car": (0.9444, 1.0000),
        "cat": (0.8667, 1.0000),
        "chair": (0.9672, 1.0000),
        "clock": (0.9853, 1.0000),
        "dog": (0.8857, 0.9853),
        "elephant": (0.9111, 1.0000),
        "keyboard": (0.8529, 0.9818),
        "knife": (0.6207, 1.0000),
        "oven": (0.9286, 0.9853),
        "truck": (0.9474, 1.0000),
    }
)
