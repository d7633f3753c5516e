"""Estimates on conflicts of our own: bias at full strength, the curve over strengths, controls. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clipaudit.results import Estimate
from clipaudit.stats.clusters import codes
from clipaudit.stats.power import mde_proportion
from clipaudit_audits.meaning.cue_conflict_measures import Cues, even_split
from clipaudit_audits.meaning.cue_conflict_score import (
    TAIL,
    Row,
    bias_estimate,
    classes_of,
    control_estimate,
    cue_accuracy,
    cues_of,
    estimate,
    steering,
    usable,
)
from clipaudit_audits.psychometric import Curve, fit_curve

if TYPE_CHECKING:
    import pyarrow as pa

SAID = {"intact": "The intact objects", "shape-only": "Grey silhouettes", "texture-only": "Textures alone"}


def composed_results(rows: pa.Table, pairs: int, steered: bool, seed: int) -> list[Estimate]:
    """All estimates on conflicts of cut-outs. pairs: how many were asked for; there may be fewer."""
    good = usable(rows)
    conflicts = [row for row in good if row["kind"] == "conflict"]
    strengths = sorted({row["strength"] for row in conflicts})
    if not strengths:
        return []
    full = at_strength(conflicts, strengths[-1])
    found, classes = cues_of(full), len(classes_of(rows))
    main = bias_estimate(
        found, f"With the texture at strength {strengths[-1]:g}", seed, TAIL, test=even_split(found),
        notes=(*_unused(rows), *_fewer(rows, pairs)),
        minimum_detectable=mde_proportion(found.decided, 0.5) if found.decided else None,
    )  # fmt: skip
    return [
        main,
        recognised_bias(good, full, seed),
        cue_accuracy(found, classes),
        *(steering(full, found, seed) if steered else []),
        *_by_strength(conflicts, strengths, seed),
        *(control_estimate(good, kind, seed, 1 / classes, said) for kind, said in SAID.items()),
    ]


def at_strength(conflicts: Sequence[Row], strength: float) -> list[Row]:
    """The conflicts of one strength."""
    return [row for row in conflicts if row["strength"] == strength]


def recognised_bias(rows: Sequence[Row], full: Sequence[Row], seed: int) -> Estimate:
    """Shape bias among conflicts whose two sources are both recognised when intact."""
    known = {row["shape_id"] for row in rows if row["kind"] == "intact" and row["decision"] == row["shape"]}
    both = [row for row in full if row["shape_id"] in known and row["texture_id"] in known]
    where = f"Where both intact objects are recognised ({len(both)} of {len(full)} stimuli)"
    return bias_estimate(cues_of(both), where, seed, role="secondary", subgroup={"sources": "both recognised"})


def _by_strength(conflicts: Sequence[Row], strengths: Sequence[float], seed: int) -> list[Estimate]:
    if len(strengths) < 2:
        return []
    found = [
        bias_estimate(
            cues_of(at_strength(conflicts, strength)), f"At strength {strength:g}", seed, role="secondary",
            subgroup={"strength": f"{strength:g}"},
        )
        for strength in strengths
    ]  # fmt: skip
    return [*found, balance(conflicts)]


def curve(conflicts: Sequence[Row]) -> tuple[Curve, Cues]:
    """P(shape | cue decision) over strength, errors clustered by pair."""
    found = cues_of(conflicts)
    decided = found.shape | found.texture
    strengths = np.array([row["strength"] for row in conflicts], dtype=np.float64)
    units = codes([row["pair"] for row in conflicts])
    return fit_curve(strengths[decided], found.shape[decided], units[decided]), found


def balance(conflicts: Sequence[Row]) -> Estimate:
    """The strength at which shape and texture decide equally often."""
    fit, found = curve(conflicts)
    decided = found.shape | found.texture
    pairs = len({row["pair"] for row, one in zip(conflicts, decided.tolist(), strict=True) if one})
    interval = fit.interval()
    ends = "" if fit.low is None or fit.high is None else f" [{fit.low:.2f}, {fit.high:.2f}]"
    said = f"{fit.half:.2f}{ends}" if fit.half is not None else f"not found ({fit.why})"
    return estimate(
        "balance_strength", fit.half, found.decided, pairs, interval, role="secondary", cluster_key="pair",
        notes=(fit.why,) if fit.why else (),
        sentence=f"Strength of the foreign texture at which shape and texture decide equally often: {said}, from "
        f"{found.decided} cue decisions on {pairs} pairs; 0 is the intact object, 1 its outline with nothing but the "
        "foreign texture.",
    )  # fmt: skip


def _fewer(rows: pa.Table, wanted: int) -> tuple[str, ...]:
    made = {row["pair"] for row in rows.select(["kind", "pair"]).to_pylist() if row["kind"] == "conflict"}
    if len(made) >= wanted:
        return ()
    return (f"{len(made)} pairs of outline and texture, not {wanted}: the images give no more without repeating one.",)


def _unused(rows: pa.Table) -> tuple[str, ...]:
    records = rows.select(["kind", "unusable"]).to_pylist()
    left_out = [row for row in records if row["kind"] == "intact" and row["unusable"] is not None]
    sources = sum(row["kind"] == "intact" for row in records)
    if not left_out:
        return ()
    return (f"{len(left_out)} of {sources} source images could not be used; first: {left_out[0]['unusable']}",)
