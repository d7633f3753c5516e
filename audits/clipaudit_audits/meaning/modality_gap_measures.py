"""Geometry of two clouds of unit vectors, images X (n, d) and texts Y (m, d). Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]


def unit(vectors: Floats) -> Floats:
    """Rows (n, d) at length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def gap(images: Floats, texts: Floats) -> Floats:
    """(d,) mean image less mean text (Liang et al. 2022, section 4)."""
    return np.asarray(images.mean(axis=0) - texts.mean(axis=0))


def exchanged_gaps(images: Floats, texts: Floats, seed: int, draws: int) -> Floats:
    """(draws,) length of the gap after dealing out anew which of the n + m vectors are images."""
    pooled, n = np.concatenate([images, texts]), len(images)
    rng, total = np.random.default_rng(seed), len(images) + len(texts)
    chosen = np.zeros((draws, total))
    np.put_along_axis(chosen, np.argsort(rng.random((draws, total)), axis=1)[:, :n], 1.0, axis=1)
    first = chosen @ pooled
    second = pooled.sum(axis=0) - first
    return np.asarray(np.linalg.norm(first / n - second / (total - n), axis=1))


def separable(images: Floats, texts: Floats, groups: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """(n + m,) whether a linear classifier that has not seen it tells the modality of each vector.

    Logistic regression of scikit-learn, 5 folds; vectors of one group (n + m names) are in one fold.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    pooled = np.concatenate([images, texts])
    modality = np.repeat([0, 1], [len(images), len(texts)])
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    told = cross_val_predict(model, pooled, modality, groups=np.asarray(groups), cv=folds)
    return np.asarray(told == modality)


def alignment(images: Floats, texts: Floats) -> Floats:
    """(n,) squared distance of each pair of rows (Wang and Isola 2020, alpha = 2)."""
    return np.asarray(((images - texts) ** 2).sum(axis=1))


def uniformities(vectors: Floats) -> Statistic:
    """A function from multiplicities (R, n) to the uniformity (R,): log mean exp(-2 |u - v|^2) over pairs of items
    (Wang and Isola 2020, t = 2). An item is never paired with a copy of itself."""
    kernel = np.exp(-2 * np.maximum(2 - 2 * vectors @ vectors.T, 0.0))
    np.fill_diagonal(kernel, 0.0)

    def of(counts: Floats) -> Floats:
        pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
        return np.asarray(np.log(np.einsum("rn,rn->r", counts @ kernel, counts) / pairs))

    return of


def effective_rank(vectors: Floats) -> float:
    """exp of the entropy of the normalised singular values of the centred rows (Roy and Vetterli 2007).

    >>> round(effective_rank(np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])), 6)
    2.0
    """
    values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    shares = values[values > 1e-12 * values[0]] / values.sum() if values[0] > 0 else np.ones(1)
    return float(np.exp(-(shares * np.log(shares)).sum()))


@dataclass(frozen=True)
class Jackknife:
    """95 % interval of a statistic, and the bias that its own size gives it."""

    low: float
    high: float
    bias: float
    groups: int


def jackknife(statistic: Callable[[NDArray[np.bool_]], float], names: NDArray[np.str_], seed: int) -> Jackknife:
    """Delete-group jackknife (Efron and Tibshirani 1993, chapter 11): for statistics that copies of an item would
    bias, as the bootstrap makes them.

    statistic: of the items kept (n,). names: (n,) items of one name are left out together; at most 20 groups of names.
    """
    from scipy.stats import t

    distinct = np.unique(names)
    groups = min(20, len(distinct))
    parts = np.array_split(np.random.default_rng(seed).permutation(distinct), groups)
    left = np.array([statistic(~np.isin(names, part)) for part in parts])
    whole = statistic(np.ones(len(names), np.bool_))
    half = float(t.ppf(0.975, groups - 1) * np.sqrt((groups - 1) / groups * ((left - left.mean()) ** 2).sum()))
    return Jackknife(whole - half, whole + half, float((groups - 1) * (left.mean() - whole)), groups)


def rooted(squared: float, half: float) -> tuple[float, float, float]:
    """Square root of an estimate of a square, and of the ends `half` from it; what is below 0 counts as 0.

    >>> rooted(0.16, 0.2)
    (0.4, 0.0, 0.6)
    """
    value, low, high = (max(0.0, end) ** 0.5 for end in (squared, squared - half, squared + half))
    return value, low, high


def ranks(queries: Floats, found: Floats, right: NDArray[np.bool_]) -> Ints:
    """(q,) rank, from 1, of the best right answer among the rows of `found`; ties count against it.

    right: (q, f) which answers are right; each query has one.
    """
    scores = queries @ found.T
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    return np.asarray(1 + ((scores >= best) & ~right).sum(axis=1), np.int64)


def shifted(images: Floats, texts: Floats, share: float) -> tuple[Floats, Floats]:
    """Both clouds moved towards each other along the gap, back on the sphere (Liang et al. 2022, section 4.2).

    share: 0 leaves them; 1 makes their means coincide before they are put back on the sphere; < 0 widens the gap.
    """
    step = 0.5 * share * gap(images, texts)
    return unit(images - step), unit(texts + step)


def plane(images: Floats, texts: Floats) -> tuple[Floats, Floats]:
    """Coordinates (n, 2) and (m, 2): along the gap, and along the first principal component of what is left when each
    cloud is centred and the gap's direction is taken out. The origin lies half-way between the two means, both of
    which have the second coordinate 0. The gap must not be 0.
    """
    between = gap(images, texts)
    axis = between / np.linalg.norm(between)
    rest = np.concatenate([images - images.mean(axis=0), texts - texts.mean(axis=0)])
    rest -= np.outer(rest @ axis, axis)
    second = np.linalg.svd(rest, full_matrices=False)[2][0]
    second = second if second[np.abs(second).argmax()] > 0 else -second
    middle = (images.mean(axis=0) + texts.mean(axis=0)) / 2
    basis = np.stack([axis, second], axis=1)
    return (images - middle) @ basis, (texts - middle) @ basis


def misaligned(images: Floats, texts: Floats, names: Sequence[str], seed: int, draws: int) -> Floats:
    """(draws,) mean squared distance of images to texts when each name's images get the text of a name drawn at random
    (names are exchanged). texts: (c, d) one per name of sorted(set(names))."""
    distances = np.maximum((images**2).sum(axis=1)[:, None] + (texts**2).sum(axis=1) - 2 * images @ texts.T, 0.0)
    order = sorted(set(names))
    place = {name: i for i, name in enumerate(order)}
    at = np.array([place[name] for name in names])
    by_name = np.zeros((len(order), len(order)))
    np.add.at(by_name, at, distances)
    rng, rows = np.random.default_rng(seed), np.arange(len(order))
    return np.array([by_name[rows, rng.permutation(len(order))].sum() / len(names) for _ in range(draws)])


def chance_of_recall(right: Ints, pool: int, k: int) -> float:
    """Mean probability that k answers drawn at random from `pool` hold one of the `right` (q,) ones.

    >>> chance_of_recall(np.array([1, 1]), 4, 1)
    0.25
    """
    from scipy.stats import hypergeom

    return float(np.mean(hypergeom.sf(0, pool, right, k)))
