"""Probes: logistic regression on frozen embeddings, trained on all or on a few images of each class, tested on others.

Natural units (source image, person) never straddle a split.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.stats.clusters import codes

ALL = 0  # in place of a number of shots: every training image
_MAX_ITERATIONS = 2000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Probe:
    """One trained probe's answers. shots: training images per class, or ALL; split: which time the images were split.

    tested: (t,) positions of the images that it was asked about; chosen: (t,) class numbers.
    """

    shots: int
    split: int
    tested: Ints
    chosen: Ints


def shared_classes(labels: Sequence[str], clusters: Sequence[str], folds: int) -> list[str]:
    """Classes with at least one natural unit in every fold, sorted: those that probes can be trained and tested on.

    >>> shared_classes(["a", "a", "b", "b"], ["1", "2", "3", "3"], folds=2)
    ['a']
    """
    units: dict[str, set[str]] = {}
    for label, cluster in zip(labels, clusters, strict=True):
        units.setdefault(label, set()).add(cluster)
    return sorted(label for label, found in units.items() if len(found) >= folds)


def probes(
    vectors: Floats,
    labels: Ints,
    clusters: Sequence[str],
    shots: Sequence[int],
    *,
    folds: int,
    splits: int,
    penalty: float,
    seed: int,
) -> Iterator[Probe]:
    """Answers of all probes, split by split and fold by fold; ALL first, then the shots that every class allows.

    Args:
        vectors: (n, d) unit vectors.
        labels: (n,) class numbers, at least two different ones.
        clusters: (n,) natural units.
        shots: training images per class, ascending.
        folds: parts of a split.
        splits: times the images are split anew.
        penalty: C of the logistic regression.
        seed: of splits and of the choice of training images.
    """
    unit, offered = codes(clusters), _offered(labels, codes(clusters), shots, folds, splits, seed)
    for split in range(splits):
        for fold, (train, test) in enumerate(_folds(labels, unit, folds, seed, split)):
            order = np.random.default_rng([seed, split, fold]).permutation(train)
            for k in (ALL, *offered):
                used = train if k == ALL else few(order, labels, unit, k)
                yield Probe(k, split, test, fit_predict(vectors[used], labels[used], vectors[test], penalty))


def few(order: Ints, labels: Ints, unit: Ints, k: int) -> Ints:
    """The first k positions of each class in `order`, each from another natural unit: nested in k."""
    taken: dict[int, list[int]] = {}
    seen: set[tuple[int, int]] = set()
    for position in order.tolist():
        label, key = int(labels[position]), (int(labels[position]), int(unit[position]))
        if key not in seen and len(taken.setdefault(label, [])) < k:
            seen.add(key)
            taken[label].append(position)
    return np.array(sorted(position for found in taken.values() for position in found), dtype=np.int64)


def fit_predict(train: Floats, labels: Ints, test: Floats, penalty: float) -> Ints:
    """Class numbers (t,) of `test` (t, d) by L2-penalised multinomial logistic regression on `train` (n, d)."""
    if len(np.unique(labels)) < 2:
        return np.full(len(test), labels[0])
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # One thread: for matrices of this size several threads wait for each other fifty times longer than they compute.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)  # one shot
        model = LogisticRegression(C=penalty, max_iter=_MAX_ITERATIONS).fit(train, labels)
        return np.asarray(model.predict(test), dtype=np.int64)


def _offered(labels: Ints, unit: Ints, shots: Sequence[int], folds: int, splits: int, seed: int) -> list[int]:
    """The shots for which every class has enough natural units in every training part."""
    most = min(
        _fewest(labels[train], unit[train], np.unique(labels))
        for split in range(splits)
        for train, _ in _folds(labels, unit, folds, seed, split)
    )
    return [k for k in shots if k <= most]


def _fewest(labels: Ints, unit: Ints, classes: Ints) -> int:
    pairs = np.unique(np.stack([labels, unit]), axis=1)[0]
    return int(min((pairs == name).sum() for name in classes))


def _folds(labels: Ints, unit: Ints, folds: int, seed: int, split: int) -> Iterator[tuple[Ints, Ints]]:
    from sklearn.model_selection import StratifiedGroupKFold

    state = int(np.random.default_rng([seed, split]).integers(2**31))
    cut = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=state)
    yield from cut.split(np.zeros(len(labels)), labels, unit)
