"""Plots' data of the adversarial audit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.results import (
    BarsFigure,
    CurveFigure,
    Estimate,
    Figure,
    GalleryFigure,
    GalleryItem,
    Point,
    Reference,
    Series,
)
from clipaudit_audits.choosing import first_of_each
from clipaudit_audits.robustness.adversarial_estimates import NORMS, Row, radii, radius_text
from clipaudit_audits.robustness.adversarial_pictures import VIEWS, name
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

WORST = 6
COLUMNS = ("clean", "adversarial", "amplified difference")


def robust_curve(rows: Sequence[Row], estimates: Sequence[Estimate], norm: str) -> CurveFigure:
    """Robust accuracy by radius, with clean accuracy and what noise of the same size leaves."""
    eps = radii(rows, "attack")
    clean = next((e.value for e in estimates if e.metric == "clean_accuracy"), None)
    robust = [e for e in estimates if e.metric == "robust_accuracy"]
    noisy = [e.value for e in estimates if e.metric == "noise_success"]
    left = tuple(None if v is None or clean is None else clean * (1 - v) for v in noisy)
    x = tuple(_shown(norm, e) for e in eps)
    ends = {
        end: tuple(None if e.interval is None else getattr(e.interval, end) for e in robust) for end in ("low", "high")
    }
    n = robust[0].n if robust else 0
    said = ", ".join(
        f"{'none' if e.value is None else percent(e.value)} at {radius_text(norm, r)}"
        for e, r in zip(robust, eps, strict=True)
    )
    return CurveFigure(
        id="robust-accuracy", title=f"Robust accuracy, {NORMS[norm]}", x_log=min(eps, default=0.0) > 0, y_range=(0, 1),
        x_label="largest change of a pixel, in 1/255" if norm == "linf" else "root of summed squared changes",
        y_label="share of images that are right",
        series=(
            Series(name="under attack", x=x, y=tuple(e.value for e in robust), low=ends["low"], high=ends["high"]),
            Series(name="random noise as large", x=x, y=left),
        ),
        references=() if clean is None else (Reference(label="clean", value=clean, source="this run"),),
        caption=f"{n} images, drawn evenly over the classes. Bands are 95 % intervals. An upper bound: a stronger "
        "attack can only lower it.",
        alt=f"Robust accuracy: {said or 'not measured'}.",
    )  # fmt: skip


def targeted_curve(estimates: Sequence[Estimate], rows: Sequence[Row]) -> CurveFigure:
    """Share of images driven to a chosen text by radius."""
    eps = radii(rows, "targeted")
    done = [e for e in estimates if e.metric == "targeted_success"]
    ends = {
        end: tuple(None if e.interval is None else getattr(e.interval, end) for e in done) for end in ("low", "high")
    }
    said = ", ".join(
        f"{'none' if e.value is None else percent(e.value)} at {radius_text('linf', r)}"
        for e, r in zip(done, eps, strict=True)
    )
    return CurveFigure(
        id="targeted", title="Driven to a chosen text", x_label="largest change of a pixel, in 1/255",
        y_label="share of images", x_log=min(eps, default=0.0) > 0, y_range=(0, 1),
        series=(
            Series(
                name="chosen text comes first", x=tuple(_shown("linf", e) for e in eps),
                y=tuple(e.value for e in done), low=ends["low"], high=ends["high"],
            ),
        ),
        caption="The texts have nothing to do with the images. Bands are 95 % intervals.",
        alt=f"Driven to a chosen text: {said or 'not measured'}.",
    )  # fmt: skip


def beside_noise(estimates: Sequence[Estimate]) -> BarsFigure:
    """Success of one change for all, or on a second model, beside noise as large."""
    done = estimates[0]
    noise = next(e for e in estimates if e.role == "control")
    points = tuple(
        Point(
            label=label, value=e.value, n=e.n,
            low=e.interval.low if e.interval else None, high=e.interval.high if e.interval else None,
        )
        for label, e in (("attack", done), ("random", noise))
    )  # fmt: skip
    return BarsFigure(
        id="beside-noise", title=done.title, y_label="share of images broken", points=points, y_range=(0, 1),
        alt=done.sentence, caption="Among images that are right when clean. Lines are 95 % intervals.",
    )  # fmt: skip


def gallery(rows: pa.Table, kind: str) -> list[Figure]:
    """The smallest changes that broke an image: clean, adversarial, and the difference made visible."""
    records = [row for row in rows.to_pylist() if row["kind"] == kind and row["success"] and row["error"] is None]
    first: dict[str, Row] = {}
    for row in sorted(records, key=lambda row: (row["eps"], row["item"])):
        first.setdefault(row["item"], row)
    ranked = sorted(first.values(), key=lambda row: (row["size"], row["item"]))
    ranked = [row for row in ranked if row["pictures"]] or ranked  # triples where there are any
    entries = [
        GalleryItem(
            items=tuple(name(row["item"], row["norm"], view) for view in VIEWS) if row["pictures"] else (row["item"],),
            caption=_caption(row),
            score=row["size"],
        )
        for row in first_of_each(ranked, "label", WORST)
    ]
    if not entries:
        return []
    return [
        GalleryFigure(
            id="examples", title="Images that were broken", entries=tuple(entries), columns=COLUMNS,
            caption="The difference is amplified: the largest change of any pixel becomes full contrast about grey. "
            "The score is the size of the change in the attack's norm, pixels from 0 to 1.",
            alt=f"First shown: {entries[0].caption}.",
        )
    ]  # fmt: skip


def _caption(row: Row) -> str:
    by = f" ({row['by']})" if row["by"] else ""
    return f"{row['label']}, taken for {row['taken']} within {radius_text(row['norm'], row['eps'])}{by}"


def _shown(norm: str, eps: float) -> float:
    return round(eps * 255, 6) if norm == "linf" else eps
