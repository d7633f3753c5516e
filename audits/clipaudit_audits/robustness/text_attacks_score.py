"""Rows to estimates and bars. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import BarsFigure, Direction, Estimate, Null, Point, Status
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.multiple import correct
from clipaudit_audits.robustness.text_attacks import KINDS, SPEC, TextAttackParams
from clipaudit_audits.robustness.text_attacks_edits import Kind
from clipaudit_audits.robustness.typographic_measures import Share, change, share
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    import pyarrow as pa

Flags = NDArray[np.bool_]
NAMES: dict[Kind, str] = {
    "swap": "letters swapped",
    "homoglyph": "letters disguised",
    "order": "words in another order",
    "rewording": "neutral rewording",
    "capitals": "capital letters",
}
ATTACKS: tuple[Kind, ...] = ("swap", "homoglyph", "order")


class _Images:
    """Readable images by id; per kind, whether some changed text succeeded, and the share that did."""

    def __init__(self, rows: pa.Table) -> None:
        records = [row for row in rows.to_pylist() if row["error"] is None]
        clean = sorted((row for row in records if row["kind"] == "clean"), key=lambda row: row["item"])
        self.right: Flags = np.array([row["right"] for row in clean], bool)
        self.clusters = [row["cluster"] for row in clean]
        place = {row["item"]: i for i, row in enumerate(clean)}
        self.some: dict[Kind, Flags] = {kind: np.zeros(len(clean), bool) for kind in KINDS}
        tried = {kind: np.zeros(len(clean)) for kind in KINDS}
        hits = {kind: np.zeros(len(clean)) for kind in KINDS}
        self.worst: dict[Kind, dict[str, int]] = {kind: {} for kind in KINDS}
        for row in records:
            if row["kind"] == "clean":
                continue
            kind, i = row["kind"], place[row["item"]]
            tried[kind][i] += 1
            hits[kind][i] += row["success"]
            self.some[kind][i] |= row["success"]
            if row["right"] and row["success"]:
                self.worst[kind][row["text"]] = self.worst[kind].get(row["text"], 0) + 1
        self.mean = {kind: hits[kind] / np.maximum(tried[kind], 1) for kind in KINDS}

    def of_right(self, values: NDArray[Any]) -> NDArray[Any]:
        return values[self.right]

    @property
    def right_clusters(self) -> list[str]:
        return [cluster for cluster, right in zip(self.clusters, self.right, strict=True) if right]


def estimates(rows: pa.Table, params: TextAttackParams, seed: int) -> list[Estimate]:
    """Per kind of change the worst of a few and a random one; clean and robust accuracy."""
    images = _Images(rows)
    chance = share(images.of_right(images.some["rewording"]), images.right_clusters, seed)
    found = [one for kind in KINDS for one in _kind(images, kind, chance, params, seed)]
    everything = np.logical_or.reduce([images.some[kind] for kind in ATTACKS])
    robust = share(images.right & ~everything, images.clusters, seed)
    clean = share(images.right, images.clusters, seed)
    return [
        *correct(found, "holm", "kinds of change"),
        _rate("robust_accuracy", robust, "{} of all images are right under every swap, disguise and order of words"),
        _rate("clean_accuracy", clean, "With unchanged texts the model is right on {}", role="secondary"),
    ]


def _kind(images: _Images, kind: Kind, chance: Share, params: TextAttackParams, seed: int) -> list[Estimate]:
    control = {} if kind in ATTACKS else {"role": "control"}
    subgroup = {"change": NAMES[kind]}
    worst = share(images.of_right(images.some[kind]), images.right_clusters, seed)
    means = images.of_right(images.mean[kind])
    said = f"For {{}} of the images that are right, the worst of {params.candidates} texts with {NAMES[kind]} fails"
    more: dict[str, Any] = {"notes": _examples(images, kind)}
    if kind in ATTACKS and chance.value is not None:
        pull = change(
            images.of_right(images.some[kind]), images.of_right(images.some["rewording"]), images.right_clusters, seed
        )
        low, high = chance.interval.low or 0.0, chance.interval.high or 1.0
        method = "the same images with neutral rewordings (Wilson)"
        more |= {
            "test": pull.test, "minimum_detectable": pull.detectable,
            "null": Null(mean=chance.value, low=low, high=high, method=method),
        }  # fmt: skip
        said += f"; neutral rewordings, as many, fail for {percent(chance.value)}"
    value = float(means.mean()) if len(means) else 0.0
    found = [_rate("attack_success", worst, said, subgroup=subgroup, **control, **more)]
    if len(means):
        interval = bca_mean(means, images.right_clusters, seed)
        one = Share(value, interval, len(means), len(set(images.right_clusters)))
        role = control or {"role": "secondary"}
        said = f"A random text with {NAMES[kind]} fails for {{}} of the images that are right"
        found.append(_rate("mean_success", one, said, subgroup=subgroup, **role))
    return found


def _examples(images: _Images, kind: Kind) -> tuple[str, ...]:
    """The texts that deceived the model most often."""
    ranked = sorted(images.worst[kind].items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return tuple(f"{text!r} fails on {count} image{'' if count == 1 else 's'}" for text, count in ranked)


def _rate(metric: str, found: Share, said: str, **more: Any) -> Estimate:
    spec = SPEC.metric(metric)
    value = "no image" if found.value is None else percent(found.value)
    small = found.n < spec.min_n
    if small:
        more = {name: given for name, given in more.items() if name not in ("test", "minimum_detectable")}
    return Estimate(
        metric=metric, title=spec.title, value=found.value, unit=spec.unit, interval=found.interval, n=found.n,
        clusters=found.clusters, status=Status.TOO_SMALL if small else Status.DESCRIBED,
        direction=Direction.DESCRIPTIVE if more.get("role") == "control" else spec.direction,
        sentence=f"{said.format(value + between(found.interval, 100))} (n = {found.n}).", **more,
    )  # fmt: skip


def bars(found: Sequence[Estimate]) -> BarsFigure:
    """Worst and random change of every kind."""
    group = {"attack_success": "worst of a few", "mean_success": "a random one"}
    points = tuple(
        Point(
            label=e.subgroup["change"], group=group[e.metric], value=e.value, n=e.n,
            low=None if e.interval is None else e.interval.low, high=None if e.interval is None else e.interval.high,
        )
        for e in found
        if e.metric in group
    )  # fmt: skip
    said = "; ".join(
        f"{e.subgroup['change']}: {'none' if e.value is None else percent(e.value)}"
        for e in found
        if e.metric == "attack_success"
    )
    return BarsFigure(
        id="changes", title="Texts that fail after a small change", y_label="share of images that are right",
        points=points, y_range=(0, 1),
        caption="The text of the right label is changed, all others stay. Neutral rewordings show what any change "
        "of the text does.",
        alt=f"Worst of a few changes: {said}.",
    )  # fmt: skip
