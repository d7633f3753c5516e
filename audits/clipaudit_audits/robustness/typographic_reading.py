"""Does the model read? Words alone against their own texts (Lin et al. 2024, Parrot Captions Teach CLIP to Spot Text).
Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import Estimate, Interval, Null, Status, Test
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.intervals import wilson
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import N_RESAMPLES, p_value
from clipaudit_audits.robustness.typographic_rows import WORD
from clipaudit_audits.robustness.typographic_spec import SPEC
from clipaudit_audits.wording import between, percent

if TYPE_CHECKING:
    import pyarrow as pa

METHOD = f"texts dealt out anew among the words ({N_RESAMPLES:,} draws)"
Z_DETECT = 1.6448536 + 0.8416212  # one-sided 5 %, 80 % power


def scores(rows: pa.Table) -> tuple[NDArray[np.float64], bool]:
    """(k, k) the picture of each word against the text of each, both in the order of the words, (0, 0) without; and
    whether these are cosines."""
    names = ["label", "kind", "scores", "average", "error"]
    found = {row["label"]: row for row in rows.select(names).to_pylist() if row["kind"] == WORD}
    words = sorted(found)
    kept = [i for i, word in enumerate(words) if found[word]["error"] is None]
    if len(kept) < 2:
        return np.zeros((0, 0)), False
    cosine = all(found[words[i]]["average"] == "cosine" for i in kept)
    return np.array([[found[words[i]]["scores"][j] for j in kept] for i in kept]), cosine


def own_by_chance(table: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(m,) mean cosine, and (m,) share of words nearest to the text they are dealt, with texts dealt out anew."""
    rng, k = np.random.default_rng(seed), len(table)
    dealt = rng.permuted(np.broadcast_to(np.arange(k), (N_RESAMPLES, k)), axis=1)
    means = table[np.arange(k), dealt].mean(axis=1)
    return means, (dealt == table.argmax(axis=1)).mean(axis=1)


def reading(rows: pa.Table, seed: int) -> list[Estimate]:
    """The reading score (where scores are cosines) and how often a word's own text is the nearest; nothing without
    words shown alone."""
    table, cosine = scores(rows)
    if not len(table):
        return []
    means, shares = own_by_chance(table, seed)
    return [*([_score(table, means, seed)] if cosine else []), _accuracy(table, shares)]


def _score(table: NDArray[np.float64], means: NDArray[np.float64], seed: int) -> Estimate:
    k, own = len(table), np.diag(table)
    excess = own - (table.sum(axis=1) - own) / (k - 1)
    score, bounds = float(excess.mean()), bca_mean(excess, None, seed, unit="words")
    near, far = _plain(float(own.mean())), _plain(float(own.mean()) - score)
    # The score is k / (k - 1) times (mean of the diagonal - mean of all), and dealing anew changes the diagonal only.
    null = null_from_draws((means - table.mean()) * k / (k - 1), METHOD)
    return _estimate(
        "reading_score", score, k, bounds, null, _test(means, float(own.mean())),
        f"A word written alone is closer to its own text than to the other words by {_plain(score)}"
        f"{_bounds(bounds.low, bounds.high)} in cosine ({near} against {far}, {k:,} words); "
        "a model that cannot read shows 0.",
    )  # fmt: skip


def _accuracy(table: NDArray[np.float64], shares: NDArray[np.float64]) -> Estimate:
    k = len(table)
    nearest = table.argmax(axis=1) == np.arange(k)
    share, chance, around = float(nearest.mean()), null_from_draws(shares, METHOD), wilson(int(nearest.sum()), k)
    return _estimate(
        "reading_accuracy", share, k, around, chance, _test(shares, share),
        f"Of {k:,} words written alone the model names {percent(share)}{between(around, 100)} among them; guessing "
        f"would name {percent(chance.mean)}.",
    )  # fmt: skip


def _test(draws: NDArray[np.float64], observed: float) -> Test:
    return Test(
        p=p_value(draws, observed, exact=False, alternative="greater"), alternative="greater",
        method=f"Monte-Carlo permutation: {METHOD}", smallest_p=1 / (N_RESAMPLES + 1),
    )  # fmt: skip


def _estimate(metric: str, value: float, k: int, bounds: Interval, null: Null, test: Test, sentence: str) -> Estimate:
    spec = SPEC.metric(metric)
    return Estimate(
        metric=metric, title=spec.title, value=value, unit=spec.unit, direction=spec.direction, role="secondary", n=k,
        clusters=k, cluster_key="word", interval=bounds, null_value=spec.null_value, null=null, test=test,
        minimum_detectable=None if not null.sd else Z_DETECT * null.sd,
        status=Status.TOO_SMALL if k < spec.min_n else Status.DESCRIBED, sentence=sentence,
    )  # fmt: skip


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{_plain(low)}, {_plain(high)}]"


def _plain(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
