"""Audits that need scores only run on a recorded table of them, without a network and without a pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.robustness.calibration import Calibration
from clipaudit_audits.robustness.prompts import Prompts
from clipaudit_audits.robustness.zero_shot import ZeroShot

from clipaudit.contract import Audit, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.errors import NotSupported
from clipaudit.models.protocol import Model
from clipaudit.models.recorded import load_recorded
from clipaudit.results import DataInfo, Estimate

NAMES, TEMPLATES = ("apple", "pear", "plum"), ("a photo of a {}.", "a drawing of a {}.")
N = 60
RNG = np.random.default_rng(0)
SCORES = 0.2 + 0.01 * RNG.standard_normal((N, len(NAMES), len(TEMPLATES)))
LABELS = [NAMES[i % 3] for i in range(N)]


def dataset() -> Dataset:
    info = DataInfo(id="set", title="set", digest="0", items=N, licence="none", consent="drawings")
    return Dataset(info, [NamedItem(f"{i:02d}", {"label": LABELS[i]}) for i in range(N)], ("label",))


def recorded(folder: Path, by_prompt: bool, scale: str = "logit_scale = 100.0\n") -> Model:
    (folder / "manifest.toml").write_text(f'name = "m"\nkind = "scores"\nscore_kind = "cosine"\n{scale}')
    rows = [
        (f"{i:02d}", TEMPLATES[t].replace("{}", name) if by_prompt else name, SCORES[i, j, t])
        for i in range(N)
        for j, name in enumerate(NAMES)
        for t in range(len(TEMPLATES) if by_prompt else 1)
    ]
    ids, texts, values = zip(*rows, strict=True)
    pq.write_table(pa.table({"id": ids, "text": texts, "score": values}), folder / "scores.parquet")
    return load_recorded(folder)


def estimates(audit: Audit, model: Model) -> dict[str, Estimate]:
    cell = audit.plan(PlanContext(audit.spec.params(templates=TEMPLATES), 0, dataset()))[0]
    found = audit.score(replace(cell, dataset=None), audit.run(cell, model))
    return {e.metric: e for e in reversed(found) if not e.subgroup or "training" in e.subgroup}


def accuracy(scores: np.ndarray) -> float:
    return float(np.mean([NAMES[j] == label for j, label in zip(scores.argmax(axis=1), LABELS, strict=True)]))


def test_by_prompts(tmp_path: Path) -> None:
    model, pooled = recorded(tmp_path, by_prompt=True), SCORES.mean(axis=2)
    zero_shot = estimates(ZeroShot(), model)
    assert zero_shot["accuracy"].value == pytest.approx(accuracy(pooled))
    assert "no embeddings" in zero_shot["probe_accuracy"].sentence
    weights = np.exp(100 * pooled) / np.exp(100 * pooled).sum(axis=1, keepdims=True)
    excess = 100 * (weights.max(axis=1).mean() - accuracy(pooled))
    assert estimates(Calibration(), model)["overconfidence"].value == pytest.approx(excess)
    rates = [accuracy(SCORES[:, :, t]) for t in range(2)]
    assert estimates(Prompts(), model)["template_spread"].value == pytest.approx(100 * abs(rates[0] - rates[1]))


def test_by_labels(tmp_path: Path) -> None:
    model = recorded(tmp_path, by_prompt=False)
    assert estimates(ZeroShot(), model)["accuracy"].value == pytest.approx(accuracy(SCORES[:, :, 0]))
    with pytest.raises(NotSupported, match="templates have no effect"):
        estimates(Prompts(), model)


def test_without_a_logit_scale(tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="logit_scale in its manifest"):
        estimates(Calibration(), recorded(tmp_path, by_prompt=True, scale=""))
