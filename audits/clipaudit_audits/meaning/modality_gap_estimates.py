"""From the two clouds to estimates with their sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipaudit.numbers import counted, fixed, interval_text
from clipaudit.results import Estimate, Interval, Status, Test
from clipaudit.stats.bootstrap import bca, bca_mean
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.paired import mcnemar_exact
from clipaudit.stats.power import mde_paired
from clipaudit_audits.meaning import modality_gap_measures as measures
from clipaudit_audits.meaning.meaning_shares import mean_of
from clipaudit_audits.wording import between, percent, points_text

if TYPE_CHECKING:
    import pyarrow as pa

    from clipaudit.contract import MetricSpec, Outcomes

Floats = NDArray[np.float64]
DRAWS = 2000
KS = (1, 5, 10)
TO_TEXT, TO_IMAGE = "image to text", "text to image"
MIN_GROUPS = 10  # fewer say too little about a spread
MAX_PAIRED = 2000  # vectors of which all pairs are compared


class Clouds:
    """Unit vectors of images (n, d) and texts (m, d), and what belongs together: equal names in `*_pairs`."""

    def __init__(self, rows: pa.Table) -> None:
        good = [row for row in rows.to_pylist() if row["error"] is None]
        good.sort(key=lambda row: (row["kind"], str(row["item"])))
        parts = {kind: [row for row in good if row["kind"] == kind] for kind in ("image", "text")}
        known = {row["pair"] for row in parts["text"]}
        parts["image"] = [row for row in parts["image"] if row["pair"] in known]
        shown = {row["pair"] for row in parts["image"]}
        parts["text"] = [row for row in parts["text"] if row["pair"] in shown]
        self.images, self.texts = (_vectors(parts[kind]) for kind in ("image", "text"))
        self.image_pairs, self.text_pairs = (
            np.array([row["pair"] for row in parts[kind]]) for kind in ("image", "text")
        )
        self.items = {kind: [f"{row['pair']}#{row['item']}" for row in parts[kind]] for kind in ("image", "text")}
        self.captioned = bool(good) and good[0]["by"] == "caption"

    @property
    def names(self) -> list[str]:
        """Names of the pairs, sorted."""
        return sorted(set(self.image_pairs.tolist()))

    def by_name(self, texts: Floats) -> Floats:
        """(c, d) unit mean of the texts of each name: class weights, where names are labels."""
        return measures.unit(np.stack([texts[self.text_pairs == name].mean(axis=0) for name in self.names]))

    def ranks(self, way: str) -> NDArray[np.int64]:
        """Rank of the best right answer to each image (TO_TEXT) or to each text (TO_IMAGE), among all of the others."""
        same = self.image_pairs[:, None] == self.text_pairs
        if way == TO_TEXT:
            return measures.ranks(self.images, self.texts, same)
        return measures.ranks(self.texts, self.images, same.T)

    def hits(self, share: float) -> NDArray[np.bool_]:
        """(n,) whether the text nearest to each image is one of its own, with the gap closed by `share`."""
        images, texts = measures.shifted(self.images, self.texts, share)
        if self.captioned:
            ranks = measures.ranks(images, texts, self.image_pairs[:, None] == self.text_pairs)
        else:
            ranks = measures.ranks(images, self.by_name(texts), self.image_pairs[:, None] == np.array(self.names))
        return np.asarray(ranks == 1)


def _vectors(rows: Sequence[Mapping[str, Any]]) -> Floats:
    return np.array([row["vector"] for row in rows], dtype=np.float64)


def results(clouds: Clouds, metrics: Mapping[str, MetricSpec], seed: int) -> list[Estimate]:
    """The gap first; then what it does to matching, and the shape of the two clouds."""
    if len(clouds.images) < 2 or len(clouds.texts) < 2:
        return []
    found = [_gap(clouds, metrics["gap"], seed), _closed(clouds, metrics["closed"])]
    found += _matching(clouds, metrics)
    found += [_separable(clouds, metrics["separability"], seed), _alignment(clouds, metrics["alignment"], seed)]
    for kind, vectors in (("images", clouds.images), ("texts", clouds.texts)):
        found += [_uniformity(kind, vectors, metrics["uniformity"], seed)]
        found += [_rank(kind, vectors, metrics["effective_rank"], seed)]
    return found


def outcomes(clouds: Clouds, found: Estimate) -> Outcomes | None:
    """What each item contributes to one of `results`: matches; none for what describes the clouds as wholes."""
    images, pairs = clouds.items["image"], clouds.image_pairs.tolist()
    match found.metric:
        case "accuracy":
            return mean_of(images, clouds.hits(0.0).astype(float), images)
        case "closed":
            return mean_of(images, clouds.hits(1.0).astype(float) - clouds.hits(0.0), images, 100.0)
        case "recall":
            way, k = found.subgroup["way"], int(found.subgroup["k"])
            hits = (clouds.ranks(way) <= k).astype(float)
            texts = (clouds.items["text"], hits, clouds.text_pairs.tolist())
            return mean_of(images, hits, pairs) if way == TO_TEXT else mean_of(*texts)
    return None


def _estimate(spec: MetricSpec, value: float | None, n: int, interval: Interval | None, **more: Any) -> Estimate:
    status = Status.TOO_SMALL if n < spec.min_n else Status.DESCRIBED
    fixed: dict[str, Any] = {
        "title": spec.title, "role": "secondary", "clusters": n, "null_value": spec.null_value
    }  # fmt: skip
    return Estimate(
        metric=spec.name, value=value, unit=spec.unit, direction=spec.direction, interval=interval, n=n,
        cluster_key=spec.cluster_key, status=status, **{**fixed, **more},
    )  # fmt: skip


def _gap(clouds: Clouds, spec: MetricSpec, seed: int) -> Estimate:
    """The distance without what chance adds; the test compares distances as they are."""
    n, m = len(clouds.images), len(clouds.texts)
    raw = float(np.linalg.norm(measures.gap(clouds.images, clouds.texts)))
    value, interval = raw, None
    notes: tuple[str, ...] = ("Too few names to take off what chance adds to the distance.",)
    if len(clouds.names) >= MIN_GROUPS:
        found = measures.jackknife(
            lambda kept: float((measures.gap(clouds.images[kept[:n]], clouds.texts[kept[n:]]) ** 2).sum()),
            np.concatenate([clouds.image_pairs, clouds.text_pairs]), seed,
        )  # fmt: skip
        value, low, high = measures.rooted(raw**2 - found.bias, found.high - raw**2)
        interval = _jackknifed(found).model_copy(update={"low": low, "high": high})
        notes = (f"As usually computed, with what chance adds, the distance is {raw:.3f}.",)
    draws = measures.exchanged_gaps(clouds.images, clouds.texts, seed, DRAWS)
    p = (1 + int((draws >= raw - 1e-12).sum())) / (DRAWS + 1)
    test = Test(
        p=p, alternative="greater", method=f"Monte Carlo permutation of modalities ({DRAWS:,})",
        smallest_p=1 / (DRAWS + 1),
    )  # fmt: skip
    by_chance = float((draws**2).mean()) if interval is not None else 0.0
    null = null_from_draws(
        np.sqrt(np.maximum(draws**2 - by_chance, 0.0)), f"modalities dealt out anew, {DRAWS:,} times"
    )
    return _estimate(
        spec, value, n + m, interval, role="primary", test=test, null=null, notes=notes,
        sentence=f"The mean image and the mean text lie {value:.2f}{_bounds(interval)} apart ({counted(n, 'image')}, "
        f"{counted(m, 'text')}); one cloud dealt into two would give {null.mean:.2f} [{null.low:.2f}, "
        f"{null.high:.2f}]. A gap does not by itself say that the model matches badly: see what closing it changes.",
    )  # fmt: skip


def _closed(clouds: Clouds, spec: MetricSpec) -> Estimate:
    before, after = clouds.hits(0.0), clouds.hits(1.0)
    n = len(before)
    moved = after.astype(float) - before
    won, lost = int((moved > 0).sum()), int((moved < 0).sum())
    value = float(100 * moved.mean())
    interval = bca_mean(100 * moved, unit="images")
    detectable = _points(mde_paired(n, (won + lost) / n)) if won + lost else None
    return _estimate(
        spec, value, n, interval, role="primary", test=mcnemar_exact(won, lost), minimum_detectable=detectable,
        notes=() if detectable else ("Too few matches moved to say how small a change would have shown.",),
        sentence=f"With the gap closed, {percent(float(after.mean()))} of {counted(n, 'image')} find their text first "
        f"instead of {percent(float(before.mean()))}: {points_text(value)}{between(interval)}; {won} won, {lost} lost. "
        "It does not show what training without a gap would give.",
    )  # fmt: skip


def _matching(clouds: Clouds, metrics: Mapping[str, MetricSpec]) -> list[Estimate]:
    """Zero-shot accuracy over labels, or recall both ways over captions."""
    if not clouds.captioned:
        hits, chance = clouds.hits(0.0), 1 / len(clouds.names)
        right, n = int(hits.sum()), len(hits)
        interval = wilson(right, n)
        said = f"{percent(right / n)}{between(interval, 100)} of {counted(n, 'image')} find their label first; "
        said += f"chance gives {percent(chance)}."
        return [_estimate(metrics["accuracy"], right / n, n, interval, null_value=chance, sentence=said)]
    same = clouds.image_pairs[:, None] == clouds.text_pairs
    ways = {way: (clouds.ranks(way), clusters, pool) for way, clusters, pool in (
        (TO_TEXT, clouds.image_pairs, len(clouds.texts)), (TO_IMAGE, clouds.text_pairs, len(clouds.images)),
    )}  # fmt: skip
    found = []
    rights = {TO_TEXT: same.sum(axis=1), TO_IMAGE: same.sum(axis=0)}
    for way, (ranks, clusters, pool) in ways.items():
        for k in (k for k in KS if k < pool):
            hit = (ranks <= k).astype(float)
            interval = bca_mean(hit, clusters.tolist(), unit="images")
            if interval.low is None:
                interval = wilson(int(hit.sum()), len(hit))
            chance = measures.chance_of_recall(rights[way], pool, k)
            said = f"{way.capitalize()}: a right answer among the first {k} of {pool} for {percent(float(hit.mean()))}"
            made = _estimate(
                metrics["recall"], float(hit.mean()), len(hit), interval, title=f"R@{k}, {way}",
                subgroup={"way": way, "k": str(k)}, null_value=chance,
                sentence=f"{said}{between(interval, 100)} of {len(hit):,} queries; at random {percent(chance)}.",
            )  # fmt: skip
            found.append(made.model_copy(update={"clusters": len(set(clusters.tolist()))}))
    return found


def _separable(clouds: Clouds, spec: MetricSpec, seed: int) -> Estimate:
    n, m = len(clouds.images), len(clouds.texts)
    if len(clouds.names) < 5:
        said = "Five folds of names are needed to say how separable the clouds are."
        return _estimate(spec, None, n + m, None, sentence=said)
    groups = [*clouds.image_pairs.tolist(), *clouds.text_pairs.tolist()]
    hit = measures.separable(clouds.images, clouds.texts, groups, seed).astype(float)

    def balanced(counts: Floats) -> Floats:
        first, second = counts[:, :n], counts[:, n:]
        return np.asarray(first @ hit[:n] / first.sum(axis=1) + second @ hit[n:] / second.sum(axis=1)) / 2

    value = float(balanced(np.ones((1, n + m)))[0])
    interval = bca(balanced, [n, m], seed, unit="images + texts")
    if interval.low is None:
        interval = wilson(int(hit.sum()), n + m)
    said = f"A linear classifier tells images from texts {percent(value)}{between(interval, 100)} of the time"
    return _estimate(spec, value, n + m, interval, sentence=f"{said} (balanced, on held-out items; chance 50.0 %).")


def _alignment(clouds: Clouds, spec: MetricSpec, seed: int) -> Estimate:
    names, texts = clouds.image_pairs.tolist(), clouds.by_name(clouds.texts)
    distances = measures.alignment(clouds.images, texts[[clouds.names.index(name) for name in names]])
    draws = measures.misaligned(clouds.images, texts, names, seed, DRAWS)
    null = null_from_draws(draws, f"texts exchanged between images, {DRAWS:,} times")
    interval = bca_mean(distances, None, seed, unit="images")
    value, n = float(distances.mean()), len(distances)
    said = f"Squared distance of an image to its text: {value:.2f}{_bounds(interval)} over {counted(n, 'image')} "
    return _estimate(
        spec, value, n, interval, null=null,
        sentence=f"{said}(0: the same point; 2: at right angles; to the texts of others {null.mean:.2f}).",
    )  # fmt: skip


def _uniformity(kind: str, vectors: Floats, spec: MetricSpec, seed: int) -> Estimate:
    if len(vectors) > MAX_PAIRED:
        vectors = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), MAX_PAIRED, replace=False))]
    statistic, n = measures.uniformities(vectors), len(vectors)
    value = float(statistic(np.ones((1, n)))[0])
    interval = bca(statistic, n, seed, unit=kind)
    said = f"Uniformity of the {kind}: {fixed(value, 2)}{_bounds(interval)} (n = {n:,}; 0: all in one place, about"
    return _estimate(
        spec, value, n, interval, title=f"{spec.title}, {kind}", subgroup={"cloud": kind},
        sentence=f"{said} {fixed(-4, 0)}: spread evenly over the sphere).",
    )  # fmt: skip


def _rank(kind: str, vectors: Floats, spec: MetricSpec, seed: int) -> Estimate:
    value, n = measures.effective_rank(vectors), len(vectors)
    interval = None
    if n >= MIN_GROUPS:
        items = np.array([f"{i:09d}" for i in range(n)])
        interval = _jackknifed(measures.jackknife(lambda kept: measures.effective_rank(vectors[kept]), items, seed))
    bound = min(n - 1, vectors.shape[1])
    said = f"The {kind} fill about {value:.0f} of {bound} possible directions{_bounds(interval)} (effective rank, n = "
    return _estimate(
        spec, value, n, interval, title=f"{spec.title}, {kind}", subgroup={"cloud": kind},
        notes=("It grows with n: compare only sets of the same size.",), sentence=f"{said}{n:,}).",
    )  # fmt: skip


def _jackknifed(found: measures.Jackknife) -> Interval:
    method = f"jackknife over {found.groups} groups, t with {found.groups - 1} degrees of freedom"
    return Interval(low=found.low, high=found.high, method=method)


def _bounds(interval: Interval | None) -> str:
    none = interval is None or interval.low is None
    return "" if none or interval is None else f" {interval_text(interval.low, interval.high)}"


def _points(value: float | None) -> float | None:
    return None if value is None else 100 * value
