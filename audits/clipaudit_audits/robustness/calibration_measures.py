"""Confidence against correctness: bins of equal mass, calibration error with less bias, selective accuracy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Interval, Null, Test
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

N_DRAWS = 4000
PER_BIN = 20  # images in a bin at least
_CHUNK = 5_000_000


def bin_numbers(confidence: Floats, bins: int) -> Ints:
    """(n,) bin of each item, 0 upwards: at most `bins` bins of equal mass; equal confidences share a bin.

    >>> bin_numbers(np.array([0.1, 0.9, 0.2, 0.8]), 2).tolist()
    [0, 1, 0, 1]
    """
    edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins, method="inverted_cdf"))
    return np.unique(np.searchsorted(edges, confidence, side="left"), return_inverse=True)[1].astype(np.int64)


def bins_for(n: int, most: int) -> int:
    """Number of bins for n items."""
    return max(1, min(most, n // PER_BIN))


@dataclass(frozen=True)
class Bins:
    """Sums over each of B bins, in each of R resamples: (R, B) items, confidence and correct answers."""

    count: Floats
    confidence: Floats
    correct: Floats

    def plug_in(self) -> Floats:
        """(R,) expected calibration error: sum over bins of count / n |mean confidence - accuracy| (Naeini 2015)."""
        _, gap, _ = self._parts()
        return np.asarray((self._weight() * np.abs(gap)).sum(axis=1))

    def debiased(self) -> Floats:
        """(R,) the same less its bias, 0 at least.

        The accuracy of a bin is noisy with s^2 = a (1 - a) / count, which pushes |gap| up, on average to the mean of a
        folded normal; the excess of that mean over |gap| is taken off once (Kumar, Liang and Ma 2019, "Verified
        uncertainty calibration", their bias correction for other norms than the second, here in closed form).
        """
        from scipy.special import ndtr

        accuracy, gap, count = self._parts()
        sd = np.sqrt(accuracy * (1 - accuracy) / count)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(sd > 0, gap / np.where(sd > 0, sd, 1.0), np.inf * np.sign(gap + 1e-300))
        spread = sd * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)
        folded = np.where(sd > 0, spread + gap * (1 - 2 * ndtr(-ratio)), np.abs(gap))
        return np.asarray(np.maximum((self._weight() * (2 * np.abs(gap) - folded)).sum(axis=1), 0.0))

    def squared(self) -> Floats:
        """(R,) squared calibration error, unbiased: sum of weights (gap^2 - a (1 - a) / (count - 1)) (same, eq. 4)."""
        accuracy, gap, count = self._parts()
        noise = accuracy * (1 - accuracy) / np.maximum(count - 1, 1)
        return np.asarray((self._weight() * (gap**2 - noise)).sum(axis=1))

    def _weight(self) -> Floats:
        return np.asarray(self.count / self.count.sum(axis=1, keepdims=True))

    def _parts(self) -> tuple[Floats, Floats, Floats]:
        count = np.maximum(self.count, 1e-12)
        accuracy = self.correct / count
        return accuracy, self.confidence / count - accuracy, np.maximum(self.count, 1.0)


def binned(confidence: Floats, correct: Flags, numbers: Ints, weights: Floats | None = None) -> Bins:
    """Sums by bin; `weights` (R, k) are the multiplicities of items, one row by default."""
    one_hot = np.eye(int(numbers.max()) + 1)[numbers]
    counts = np.ones((1, len(numbers))) if weights is None else weights
    return Bins(counts @ one_hot, counts @ (one_hot * confidence[:, None]), counts @ (one_hot * correct[:, None]))


def error_interval(confidence: Floats, correct: Flags, numbers: Ints, unit: Ints, seed: int, name: str) -> Interval:
    """Interval of the calibration error over the bins as they are, which holds however the error is spread over them.

    With d a bin's part of confidence less accuracy, e its sampling error, the plug-in is T = sum |d + e|. It is at most
    the error plus sum |e|, and where the sign of d is plain (beyond sqrt(2 log n) standard errors; moment selection,
    Andrews and Soares 2010, Econometrica 78) e counts with that sign: the low end takes off the upper 2.5 % of this
    sum. It is at least the error plus the sum of e with d's signs: the high end adds the lower 2.5 % of that. Sampling
    errors by resampling whole clusters `unit` (n,); no ends for a single one. A BCa bootstrap of T would count e twice.
    """
    k, bins, n = int(unit.max()) + 1, int(numbers.max()) + 1, len(confidence)
    if k < 2:
        return Interval(low=None, high=None, method=f"no interval: one of {name}")
    excess, sizes = np.zeros((k, bins)), np.bincount(unit).astype(float)
    np.add.at(excess, (unit, numbers), confidence - correct)
    parts = excess.sum(axis=0) / n
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(k, np.full(k, 1 / k), size=N_DRAWS).astype(float)
    errors = (drawn @ excess) / (drawn @ sizes)[:, None] - parts
    signs = np.where(parts < 0, -1.0, 1.0)
    plain = np.abs(parts) > np.sqrt(2 * np.log(n)) * errors.std(axis=0, ddof=1)
    most = np.where(plain, errors * signs, np.abs(errors)).sum(axis=1)
    total = float(np.abs(parts).sum())
    low, high = total - np.quantile(most, 0.975), total - np.quantile(errors @ signs, 0.025)
    return Interval(
        low=max(0.0, float(low)),
        high=min(1.0, float(high)),
        method=f"bounds by bootstrap over {k:,} {name}, {N_DRAWS:,}",
    )


@dataclass(frozen=True)
class Calibrated:
    """Draws (m,) from a model with these confidences that is calibrated: its debiased error and its accuracy."""

    error: Floats
    accuracy: Floats

    def null(self) -> Null:
        """Of the debiased error."""
        return null_from_draws(self.error, _METHOD)

    def error_test(self, observed: float) -> Test:
        """As large an error, or a larger one, if the model were calibrated."""
        p = p_value(self.error, observed, False, "greater")
        return Test(p=p, alternative="greater", method=_METHOD, smallest_p=1 / (self.error.size + 1))

    def accuracy_test(self, observed: float) -> Test:
        """As far an accuracy from the mean confidence, or a farther one, if the model were calibrated."""
        centre = float(self.accuracy.mean())
        p = p_value(np.abs(self.accuracy - centre), abs(observed - centre), False, "greater")
        return Test(p=p, method=_METHOD, smallest_p=1 / (self.accuracy.size + 1))


_METHOD = f"answers drawn right with the stated confidence ({N_DRAWS:,} draws)"


def if_calibrated(confidence: Floats, numbers: Ints, unit: Ints, seed: int) -> Calibrated:
    """Consistency resampling (Broecker and Smith 2007): each answer is right with its confidence.

    Items of a cluster share one draw of luck, the strongest dependence there is, so that clusters make the test no
    more daring than it may be.
    """
    rng, k, bins = np.random.default_rng(seed), int(unit.max()) + 1, int(numbers.max()) + 1
    one_hot = np.eye(bins)[numbers]
    count, mean = one_hot.sum(axis=0), confidence @ one_hot
    step, errors, accuracies = max(1, _CHUNK // len(unit)), [], []
    for start in range(0, N_DRAWS, step):
        size = min(step, N_DRAWS - start)
        correct = (rng.random((size, k))[:, unit] < confidence).astype(float)
        tables = Bins(np.tile(count, (size, 1)), np.tile(mean, (size, 1)), correct @ one_hot)
        errors.append(tables.debiased())
        accuracies.append(correct.mean(axis=1))
    return Calibrated(np.concatenate(errors), np.concatenate(accuracies))


def selective(confidence: Floats, correct: Flags, coverage: float) -> float:
    """Accuracy of the share `coverage` of the items with the highest confidence; of equal ones the mean is taken.

    >>> selective(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, False]), 0.5)
    1.0
    """
    weights = inclusion(confidence, coverage)
    return float(weights @ correct / weights.sum())


def inclusion(confidence: Floats, coverage: float) -> Floats:
    """(n,) how much of each item is among the `coverage` most confident: 1, 0, or a share among equal confidences."""
    wanted = coverage * len(confidence)
    edge = np.sort(confidence)[::-1][min(len(confidence) - 1, int(np.ceil(wanted - 1e-9)) - 1)]
    above, at = confidence > edge, confidence == edge
    return np.asarray(above + at * (wanted - above.sum()) / at.sum())
