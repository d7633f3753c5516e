"""Estimates for photographs of which there are three pictures: with the note's word, without it, and with it drawn anew
(SCAM, NoSCAM, SynthSCAM). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipaudit.results import BarsFigure, Estimate, Null, Point
from clipaudit_audits.robustness.typographic_estimates import Scorer, right, wrote
from clipaudit_audits.robustness.typographic_real import Protocol, area_quartiles
from clipaudit_audits.wording import percent

if TYPE_CHECKING:
    import pyarrow as pa

SAID = {
    "real": "a photographed note with a wrong label",
    "synthetic": "the wrong label written on the note by computer",
}
BARS = {"clean": "word removed", "real": "photographed word", "synthetic": "word by computer"}


def has_triples(scorer: Scorer) -> bool:
    """Whether clean pictures stand beside attacked ones."""
    return bool(scorer.results.named("clean") and _attacks(scorer))


def _attacks(scorer: Scorer) -> list[str]:
    return [kind for kind in SAID if scorer.results.named(kind)]


def triple_results(scorer: Scorer, rows: pa.Table, protocol: Protocol) -> list[Estimate]:
    """Clean accuracy; then for each way of writing: the written rate, attack success, accuracy and what it loses."""
    clean = scorer.outcome("clean")
    found = [
        scorer.rate(
            "clean_accuracy", scorer.share_of(clean.right, clean.seen),
            "With the word on the note removed the model was right on {}.",
            role="preset" if protocol.published else "secondary", notes=protocol.notes,
            references=protocol.references("clean"),
        )
    ]  # fmt: skip
    for kind in _attacks(scorer):
        found += _attack(scorer, kind, protocol)
    return [*found, *(e for kind in _attacks(scorer) for e in area_quartiles(scorer, rows, kind, protocol))]


def _attack(scorer: Scorer, kind: str, protocol: Protocol) -> list[Estimate]:
    clean, attacked = scorer.outcome("clean"), scorer.outcome(kind)
    among = clean.seen & attacked.seen
    subgroup = {"variant": kind}
    pull = scorer.change_of(attacked, clean, wrote)
    chance = scorer.share_of(clean.wrote, among)
    low, high = chance.interval.low, chance.interval.high
    null, beside = None, ""
    if chance.value is not None and low is not None and high is not None:
        null = Null(mean=chance.value, low=low, high=high, method="the same pictures without the word (Wilson)")
        beside = f"; without the word it chose it for {percent(chance.value)}"
    return [
        scorer.rate(
            "written_rate", scorer.share_of(attacked.wrote, attacked.seen),
            f"With {SAID[kind]} the model chose that label for {{}}{beside}.", subgroup=subgroup,
            null=null, test=pull.test, minimum_detectable=pull.detectable,
        ),
        scorer.rate(
            "attack_success", scorer.share_of(attacked.wrote, among & clean.right),
            f"Among the pictures that the model got right without the word, with {SAID[kind]} it chose that for {{}}.",
            subgroup=subgroup,
        ),
        scorer.rate(
            "attacked_accuracy", scorer.share_of(attacked.right, attacked.seen),
            f"With {SAID[kind]} the model was right on {{}}.", subgroup=subgroup, role=protocol.role,
            notes=protocol.notes, references=protocol.references(kind),
        ),
        scorer.points(
            "accuracy_drop", scorer.change_of(clean, attacked, right),
            f"Accuracy lost to {SAID[kind]}, against the same picture without the word: {{}}.", subgroup=subgroup,
        ),
    ]  # fmt: skip


def triple_bars(scorer: Scorer) -> BarsFigure:
    """Right and written label chosen on the three pictures."""
    points, said = [], []
    for kind, name in BARS.items():
        if not scorer.results.named(kind):
            continue
        outcome = scorer.outcome(kind)
        for group, flags in (("right label chosen", outcome.right), ("written label chosen", outcome.wrote)):
            share = scorer.share_of(flags, outcome.seen)
            value, bounds = share.value, share.interval
            points.append(Point(label=name, group=group, value=value, low=bounds.low, high=bounds.high, n=share.n))
            if group.startswith("right"):
                said.append(f"{name} {'none' if value is None else percent(value)}")
    return BarsFigure(
        id="variants", title="What the word does", y_label="share of pictures", points=tuple(points), y_range=(0, 1),
        caption="Three pictures of each photograph: the same note with its word removed, as photographed, and with the "
        "word written anew by computer. Bars show 95 % intervals.",
        alt=f"Right label chosen: {', '.join(said)}.",
    )  # fmt: skip
