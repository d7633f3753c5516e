"""What is drawn of the two clouds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Cloud, CurveFigure, Estimate, Figure, ForestFigure, Point, ScatterFigure, Series
from clipaudit.stats.intervals import wilson
from clipaudit_audits.meaning.modality_gap_estimates import Clouds
from clipaudit_audits.meaning.modality_gap_measures import gap, plane
from clipaudit_audits.wording import percent

Floats = NDArray[np.float64]
SHOWN = 200  # points of each cloud


def figures(clouds: Clouds, estimates: Sequence[Estimate], shifts: Sequence[float], seed: int) -> list[Figure]:
    """The clouds in a plane, matching as the gap is closed, and retrieval where there are captions."""
    recalls = [e for e in estimates if e.metric == "recall"]
    return [*_scatter(clouds, seed), _curve(clouds, shifts), *([_recalls(recalls)] if recalls else [])]


def _scatter(clouds: Clouds, seed: int) -> list[ScatterFigure]:
    size = float(np.linalg.norm(gap(clouds.images, clouds.texts)))
    if size < 1e-9:
        return []
    images, texts = plane(clouds.images, clouds.texts)
    spread = float(np.mean([points[:, 0].std() for points in (images, texts)]))
    along = f"the means lie {size:.2f} apart, and a cloud's standard deviation along that line is {spread:.2f}"
    return [ScatterFigure(
        id="clouds", title="Images and texts in one plane", x_label="along the gap",
        y_label="first principal component of the rest",
        clouds=(_cloud("images", images, seed), _cloud("texts", texts, seed)), gap=f"gap {size:.2f}",
        alt=f"Two clouds of points, images and texts: {along}.",
        caption=f"Both axes are directions of the embedding space: {along}. At most {SHOWN} points of each are drawn.",
    )]  # fmt: skip


def _cloud(name: str, points: Floats, seed: int) -> Cloud:
    centre = (float(points[:, 0].mean()), float(points[:, 1].mean()))
    if len(points) > SHOWN:
        points = points[np.sort(np.random.default_rng(seed).choice(len(points), SHOWN, replace=False))]
    x, y = (tuple(round(value, 4) for value in column.tolist()) for column in points.T)
    return Cloud(name=name, x=x, y=y, centre=centre)


def _curve(clouds: Clouds, shifts: Sequence[float]) -> CurveFigure:
    hits = [clouds.hits(share) for share in shifts]
    intervals = [wilson(int(hit.sum()), len(hit)) for hit in hits]
    values = [float(hit.mean()) for hit in hits]
    what = "captions" if clouds.captioned else "labels"
    series = Series(
        name="right", x=tuple(shifts), y=tuple(values), low=tuple(i.low for i in intervals),
        high=tuple(i.high for i in intervals),
    )  # fmt: skip
    best = max(range(len(values)), key=values.__getitem__)
    said = f"at best {percent(values[best])}, with {shifts[best]:g} of the gap closed"
    return CurveFigure(
        id="shift", title="Matching as the gap is closed", x_label="share of the gap closed",
        y_label="text found first", series=(series,), y_range=(0, 1),
        alt=f"Share of images that find their text first: {said}.",
        caption=f"Images against {what}. 0: as the model is; 1: means coincide; negative: wider. Bands: Wilson 95 %.",
    )  # fmt: skip


def _recalls(recalls: Sequence[Estimate]) -> ForestFigure:
    points = tuple(
        Point(label=e.title, value=e.value, n=e.n, low=e.interval.low, high=e.interval.high)
        for e in recalls
        if e.interval is not None
    )
    alt = "; ".join(f"{e.title} {0 if e.value is None else e.value:.3f}" for e in recalls)
    return ForestFigure(id="recall", title="Retrieval", x_label="share of queries", points=points, alt=f"{alt}.")
