"""What audits say each item contributes gives back the estimates that they publish."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clipaudit.contract import Outcomes, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.models.control import load_control
from clipaudit.plugins import load_audit
from clipaudit.stimuli import avatars
from clipaudit.testing import AuditCheckError, check_audit

CASES: dict[str, tuple[str, str, dict[str, Any], set[str]]] = {
    "typographic": (
        "objects", "reader?accuracy=0.8&weight=0.4", {"areas": [0.1, 0.3], "max_images": 60},
        {"clean_accuracy", "attacked_accuracy", "written_rate", "attack_success", "accuracy_drop", "meaning_drop",
         "blank_drop", "random_drop", "right_gain"},
    ),
    "cue_conflict": (
        "objects", "shape?q=0.7&accuracy=0.9", {"pairs": 60, "strengths": [0.5, 1.0]}, {"shape_bias", "cue_accuracy"},
    ),
    "zero_shot": ("objects", "classifier?accuracy=0.7", {"probes": False}, {"accuracy"}),
    "corruptions": (
        "objects", "varied?accuracy=0.8", {"corruptions": ["gaussian_noise", "jpeg_compression"], "severities": [1, 3]},
        {"clean_accuracy", "corrupted_accuracy", "corruption_drop", "change_flips", "change_drop", "any_change"},
    ),
    "disparity": (
        "avatars", "null", {"target": "presentation", "groups": ["clothing", "tone"], "min_group": 3},
        {"accuracy", "selection_rate", "true_positive_rate", "false_positive_rate"},
    ),
}  # fmt: skip


def opened(name: str) -> Dataset:
    registry = DataRegistry({})
    if reason := registry.reach(name):
        pytest.skip(reason)
    dataset = registry.open(name)
    if name != "avatars":
        return dataset
    images = avatars.items(identities=6, tones=2)  # only named, never drawn
    return replace(dataset, images=images, info=dataset.info.model_copy(update={"items": len(images)}))


@pytest.mark.parametrize("name", CASES)
def test_contributions_give_the_published_values(name: str) -> None:
    data, model, params, metrics = CASES[name]
    audit, dataset = load_audit(name), opened(data)
    (cell,) = audit.plan(PlanContext(audit.spec.params.model_validate(params), 0, dataset))
    rows = audit.run(cell, load_control(model))
    covered = set()
    for estimate in audit.score(cell, rows):
        found = audit.outcomes(cell, rows, estimate)
        if found is None or estimate.value is None:
            continue
        value = found.scale * found.above.sum() / found.below.sum()
        assert value == pytest.approx(estimate.value), (estimate.metric, dict(estimate.subgroup))
        assert found.below.sum() == estimate.n, (estimate.metric, dict(estimate.subgroup))
        assert len(set(found.items)) == len(found.items) == len(found.above) == len(found.clusters)
        covered.add(estimate.metric)
    assert covered >= metrics


class Crooked(type(load_audit("zero_shot"))):  # type: ignore[misc]
    """Says that every image was right, twice."""

    def outcomes(self, cell: Any, rows: Any, estimate: Any) -> Outcomes:
        items = tuple(rows["item"].to_pylist()) * 2
        return Outcomes(items, np.ones(len(items)), np.ones(len(items)), items)


def test_check_audit_finds_outcomes_that_do_not_give_the_estimate() -> None:
    with pytest.raises(AuditCheckError) as caught:
        check_audit(Crooked, opened("objects"), load_control("classifier?accuracy=0.5"), params={"probes": False})
    assert "an item comes twice" in str(caught.value)
    assert "they give 1.0, the estimate is " in str(caught.value)
