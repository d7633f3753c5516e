"""How well does the model name things without training, and how many labelled images is that worth?

rows      what each image was taken for     probes   logistic regression on embeddings
worth     accuracies by shots, resampled    score    rows to estimates
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.contract import Audit, Cell, Need, Outcomes, Workload
from clipaudit.results import Estimate, Figure
from clipaudit.stats.multiple import correct
from clipaudit.zeroshot import prompts
from clipaudit_audits.contributions import contributions
from clipaudit_audits.robustness import zero_shot_figures as plots
from clipaudit_audits.robustness.labelled import Labelled, labelled
from clipaudit_audits.robustness.zero_shot_params import ZeroShotParams
from clipaudit_audits.robustness.zero_shot_probes import fit_predict
from clipaudit_audits.robustness.zero_shot_rows import measure
from clipaudit_audits.robustness.zero_shot_score import estimates
from clipaudit_audits.robustness.zero_shot_spec import SPEC

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import PlanContext
    from clipaudit.models.protocol import Model
    from clipaudit.validation.plan import Validation


class ZeroShot(Audit):
    """See `spec`."""

    spec = SPEC

    def plan(self, ctx: PlanContext) -> list[Cell]:
        cells = super().plan(ctx)
        for cell in cells:
            _shown(cell)  # what the data lacks is said before anything runs
        return cells

    def workload(self, cell: Cell) -> Workload:
        shown = _shown(cell)
        return Workload(shown.images, prompts(shown.classes, cell.params.templates))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        return measure(model, _shown(cell), cell.params, cell.seed)

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        return correct(estimates(rows.to_pylist(), cell.params, cell.seed), "holm", "tests")

    def figures(self, cell: Cell, rows: pa.Table, estimates: Sequence[Estimate]) -> list[Figure]:
        shots = plots.curve(estimates)
        return [plots.bars(estimates), *([shots] if shots else []), plots.worst(rows.to_pylist())]

    def outcomes(self, cell: Cell, rows: pa.Table, estimate: Estimate) -> Outcomes | None:
        """Right answers; none for probes, whose worth is no mean over images."""
        records = [r for r in rows.to_pylist() if r["error"] is None]
        right = {
            "accuracy": [r["prediction"] == r["label"] for r in records],
            "accuracy_top5": [bool(r["top"]) for r in records],
        }.get(estimate.metric)
        if right is None:
            return None
        items, clusters = ([str(r[name]) for r in records] for name in ("item", "cluster"))
        return contributions(items, clusters, right, np.ones(len(items), dtype=bool))

    def seconds(self, cell: Cell, model: Model) -> float:
        """A probe is fitted to noise of the size of this set, and counted as often as probes will be fitted."""
        params: ZeroShotParams = cell.params
        if not params.probes or Need.EMBEDDINGS not in model.capabilities:
            return 0.0
        shown = _shown(cell)
        noise = np.random.default_rng(cell.seed).standard_normal((len(shown.images), model.info.embedding_dim or 512))
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        numbers = np.unique(np.array(shown.labels), return_inverse=True)[1]
        start = time.perf_counter()
        fit_predict(noise, numbers, noise[:1], params.penalty)
        return (time.perf_counter() - start) * params.splits * params.folds * (1 + len(params.shots) / 3)

    def validation(self) -> Sequence[Validation]:
        from clipaudit_audits.robustness.zero_shot_validation import plans

        return plans()


def _shown(cell: Cell) -> Labelled:
    params: ZeroShotParams = cell.params
    return labelled(
        cell.require_dataset(), SPEC.id, target=params.target, classes=params.classes, images=params.images,
        seed=cell.seed,
    )  # fmt: skip
