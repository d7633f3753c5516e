"""Estimates for sets that come with their notes, photographed or put in by others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from clipaudit.results import Estimate, Reference
from clipaudit_audits.robustness.typographic_estimates import Scorer
from clipaudit_audits.robustness.typographic_measures import by_chance
from clipaudit_audits.robustness.typographic_outcomes import COLUMN, Choice
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.robustness.typographic_published import quarter_reference, scam_references
from clipaudit_audits.robustness.typographic_scores import LABEL, SCORE_MEAN
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

Z_DETECT = 1.6448536 + 0.8416212  # one-sided 5 %, 80 % power
QUARTERS = ("smallest quarter", "second quarter", "third quarter", "largest quarter")
References = Callable[[str], tuple[Reference, ...]]  # of a variant


@dataclass(frozen=True)
class Protocol:
    """Which choice is judged, whether as published, what to say of it, and figures to set beside it."""

    choice: Choice
    published: bool
    notes: tuple[str, ...]
    references: References
    data_id: str | None

    @property
    def role(self) -> Literal["preset", "primary"]:
        """Of the accuracies."""
        return "preset" if self.published else "primary"


def protocol_of(params: TypographicParams, rows: pa.Table, data_id: str | None) -> Protocol:
    """What the rows say of how they were measured. References only where the published choice is judged."""
    choice: Choice = "two-way" if params.two_way else "label-set"

    def references(variant: str) -> tuple[Reference, ...]:
        return scam_references(data_id, variant) if params.two_way else ()

    return Protocol(choice, params.published, _notes(params, rows), references, data_id)


def _notes(params: TypographicParams, rows: pa.Table) -> tuple[str, ...]:
    found = rows.select(["error", "average", "two_way"]).to_pylist()
    averages, notes = {row["average"] for row in found}, []
    if params.protocol == "scam" and SCORE_MEAN in averages:
        notes.append("Recorded scores of the templates were averaged, not their embeddings as published.")
    if params.protocol == "scam" and LABEL in averages:
        notes.append("Scores were recorded for labels; how the templates were averaged is known to the recording only.")
    ties = sum(row["error"] is None and row["two_way"] is None for row in found if row["average"] is not None)
    if params.two_way and ties:
        said = "picture scored" if ties == 1 else "pictures scored"
        notes.append(f"{ties} {said} both labels alike, or neither, and count as wrong.")
    return tuple(notes)


def real_results(scorer: Scorer, rows: pa.Table, protocol: Protocol) -> list[Estimate]:
    """How often the written and the right label are chosen; the first against words dealt out anew."""
    outcome = scorer.outcome("real")
    return [
        _written(scorer, rows, protocol.choice),
        scorer.rate(
            "attacked_accuracy", scorer.share_of(outcome.right, outcome.seen),
            "With a wrong label beside the object the model chose the right one for {}. There are no clean pictures of "
            "the same objects, so this does not show how much of the error is due to the label.",
            role=protocol.role, notes=protocol.notes, references=protocol.references("real"),
        ),
    ]  # fmt: skip


def _written(scorer: Scorer, rows: pa.Table, choice: Choice) -> Estimate:
    outcome = scorer.outcome("real")
    good = [row for row in rows.to_pylist() if row["kind"] == "real" and row["error"] is None]
    found = scorer.share_of(outcome.wrote, outcome.seen)
    winners, (written, labels) = _winners(good, choice), ([row[name] for row in good] for name in ("written", "label"))
    chance = by_chance(winners, written, labels, scorer.seed) if winners else None
    sentence = "The model chose the label written on the note for {}"
    why = "Few labels have two different words" if winners else "The other words' scores are not known"
    more: dict[str, Any] = {"notes": (f"{why}, so what chance alone gives could not be estimated.",)}
    if chance is not None:
        null, test = chance
        detectable = None if null.sd is None else Z_DETECT * null.sd
        more = {"null": null, "test": test, "minimum_detectable": detectable}
        sentence += f"; were the words dealt out anew among the pictures of a class it would be {percent(null.mean)}"
    return scorer.rate("written_rate", found, sentence + ".", **more)


def _winners(rows: Sequence[Mapping[str, Any]], choice: Choice) -> list[Collection[str]]:
    """Of each picture the words that would win on it; nothing where a recording does not say."""
    if choice == "two-way":
        return [] if any(row["beaten_by"] is None for row in rows) else [row["beaten_by"] for row in rows]
    return [[row[COLUMN[choice]]] for row in rows]


def area_quartiles(scorer: Scorer, rows: pa.Table, kind: str, protocol: Protocol) -> list[Estimate]:
    """Accuracy by quarter of the note's area, over the pictures whose area the data knows; nothing below 8."""
    known = {r["base"]: r["area"] for r in rows.select(["base", "area", "kind"]).to_pylist() if r["kind"] == kind}
    values = np.array([np.nan if known.get(b) is None else known[b] for b in scorer.results.bases], np.float64)
    given = np.isfinite(values)
    if given.sum() < 2 * len(QUARTERS):
        return []
    outcome = scorer.outcome(kind)
    quarter = np.searchsorted(np.quantile(values[given], [0.25, 0.5, 0.75]), values, side="left")
    subgroup = {"variant": kind} if scorer.results.named("clean") else {}
    return [
        scorer.rate(
            "attacked_accuracy", scorer.share_of(outcome.right, outcome.seen & given & (quarter == i)),
            f"In the {name} of note areas the model was right on {{}}.",
            role="secondary", subgroup={**subgroup, "note area": name},
            references=quarter_reference(protocol.data_id, i) if kind == "real" and protocol.references("real") else (),
        )
        for i, name in enumerate(QUARTERS)
    ]  # fmt: skip


def other_real(scorer: Scorer) -> list[Estimate]:
    """Accuracy for the kind of choice that is not the main one; nothing where it could not be measured."""
    choice, found = next(iter(scorer.subgroup.values())), []
    for kind, said in (("clean", "Without the word"), ("real", "With a wrong label beside the object")):
        if scorer.results.named(kind) and (outcome := scorer.outcome(kind)).seen.any():
            metric = "clean_accuracy" if kind == "clean" else "attacked_accuracy"
            sentence = f"{said} the model was right on {{}}, choosing {choice}."
            share = scorer.share_of(outcome.right, outcome.seen)
            found.append(scorer.rate(metric, share, sentence, role="secondary"))
    return found
