"""What each stimulus contributes to shape bias and to the share decided by a cue. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipaudit.contract import Outcomes
from clipaudit.results import Estimate
from clipaudit_audits.contributions import contributions
from clipaudit_audits.meaning.cue_conflict_composed import at_strength
from clipaudit_audits.meaning.cue_conflict_score import Row, cues_of, usable

if TYPE_CHECKING:
    import pyarrow as pa

PROMPTS = {"shape of": "decision_shape", "texture of": "decision_texture"}


def items_of(rows: pa.Table, estimate: Estimate) -> Outcomes | None:
    """None for what is no ratio over stimuli, and where which stimuli count hangs on the model's other answers."""
    stimuli = _stimuli(usable(rows), estimate)
    column = PROMPTS.get(estimate.subgroup.get("prompt", ""), "decision")
    if not stimuli:
        return None
    found, items = cues_of(stimuli, column), [str(row["item"]) for row in stimuli]
    either = found.shape | found.texture
    if estimate.metric == "shape_bias":
        return contributions(items, items, found.shape, found.conflict, either)
    if estimate.metric == "cue_accuracy":
        return contributions(items, items, either, found.conflict)
    return None


def _stimuli(rows: Sequence[Row], estimate: Estimate) -> list[Row]:
    """Those that an estimate is about; none where its subgroup is of another kind."""
    if not set(estimate.subgroup) <= {"prompt", "strength", "shape class"}:
        return []
    published = [row for row in rows if row["kind"] == "published"]
    if published:
        name = estimate.subgroup.get("shape class")
        return [row for row in published if name is None or row["shape"] == name]
    conflicts = [row for row in rows if row["kind"] == "conflict"]
    strengths = sorted({row["strength"] for row in conflicts})
    named = estimate.subgroup.get("strength")
    chosen = strengths[-1:] if named is None else [s for s in strengths if f"{s:g}" == named]
    return at_strength(conflicts, chosen[0]) if chosen else []
