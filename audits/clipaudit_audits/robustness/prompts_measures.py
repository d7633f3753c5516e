"""Answers under many wordings: spread of accuracy, changed predictions, group gaps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clipaudit.results import GroupsAre, Null, Test
from clipaudit.stats.clusters import codes
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value
from clipaudit_audits.robustness.labelled import GROUP, heading
from clipaudit_audits.robustness.prompts_params import AS_GIVEN
from clipaudit_audits.robustness.prompts_rows import ALL

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
N_DRAWS = 4000
_CHUNK = 4_000_000


class Choice(NamedTuple):
    """One way of asking: label set, template (or all together) and crop."""

    labels: str
    template: str
    crop: float


@dataclass(frozen=True)
class Answers:
    """n readable images, sorted by id, under S ways of asking.

    ranks: (n, S) place of the right label, from 1. predictions: (n, S) numbers of what was named, -1 for nothing.
    """

    choices: tuple[Choice, ...]
    ranks: Ints
    predictions: Ints
    clusters: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    items: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def templates(self) -> list[str]:
        """The single templates, in order."""
        return [c.template for c in self.choices if c.labels == AS_GIVEN and c.crop == 1.0 and c.template != ALL]

    def columns(self, labels: str = AS_GIVEN, crop: float = 1.0) -> list[int]:
        """Columns of the single templates for that label set and crop."""
        return [
            i for i, c in enumerate(self.choices) if (c.labels, c.crop) == (labels, crop) and c.template != ALL
        ]  # fmt: skip

    def correct(self, top: int = 1) -> Flags:
        """(n, S) whether the right label was among the first `top`; for 1, whether it was the one named."""
        return np.asarray(self.ranks <= top)

    def pooled(self, labels: str = AS_GIVEN, crop: float = 1.0) -> int:
        """The column of all templates together."""
        return self.choices.index(Choice(labels, ALL, crop))


def answers(records: Sequence[Mapping[str, Any]], groups_are: GroupsAre) -> Answers | None:
    """From rows; None where no image could be read. Groups are headed by what they are: "gender (annotated)"."""
    seen = sorted((r for r in records if r["error"] is None), key=lambda r: str(r["item"]))
    if not seen:
        return None
    choices = tuple(Choice(a["labels"], a["template"], a["crop"]) for a in seen[0]["answers"])
    names = {name: i for i, name in enumerate(sorted({a["prediction"] for r in seen for a in r["answers"]} - {None}))}
    columns = [name for name in seen[0] if name.startswith(GROUP)]
    return Answers(
        choices=choices,
        ranks=np.array([[a["rank"] for a in r["answers"]] for r in seen], dtype=np.int64),
        predictions=np.array([[names.get(a["prediction"], -1) for a in r["answers"]] for r in seen], dtype=np.int64),
        clusters=tuple(str(r["cluster"]) for r in seen),
        groups={heading(name, groups_are): tuple(str(r[name]) for r in seen) for name in columns},
        items=tuple(str(r["item"]) for r in seen),
        labels=tuple(str(r["label"]) for r in seen),
    )


def spread_test(correct: Flags, clusters: Sequence[str], seed: int) -> tuple[float, Null, Test]:
    """Largest less smallest accuracy over templates, in points, against templates that are interchangeable.

    correct: (n, T). For chance the answers of each cluster change places between templates, all its images alike; the
    permutation form of Cochran's Q (Cochran 1950), for the range.
    """
    unit = codes(clusters)
    k, t = int(unit.max()) + 1, correct.shape[1]
    sums = np.zeros((k, t))
    np.add.at(sums, unit, correct.astype(float))
    varied = sums[np.ptp(sums, axis=1) > 0]  # the others give every template the same
    rng, draws, step = np.random.default_rng(seed), np.zeros(N_DRAWS), max(1, _CHUNK // max(1, varied.size))
    for start in range(0, N_DRAWS, step) if len(varied) else ():
        size = min(step, N_DRAWS - start)
        mixed = rng.permuted(np.broadcast_to(varied, (size, *varied.shape)), axis=2)
        draws[start : start + size] = np.ptp(mixed.sum(axis=1), axis=1)
    draws *= 100 / len(correct)
    value = float(100 * np.ptp(correct.mean(axis=0)))
    method = f"answers of each unit dealt out anew among {t} templates ({N_DRAWS:,} draws)"
    p = p_value(draws, value, False, "greater")
    test = Test(p=p, alternative="greater", method=f"Monte-Carlo permutation: {method}", smallest_p=1 / (N_DRAWS + 1))
    return value, null_from_draws(draws, method), test


def changed(predictions: Ints) -> Flags:
    """(n,) whether an image is not taken for the same thing under every template (n, T)."""
    return np.asarray((predictions != predictions[:, :1]).any(axis=1))


def disagreement(predictions: Ints) -> Floats:
    """(n,) share of the pairs of templates (n, T) that name different things."""
    first, second = np.triu_indices(predictions.shape[1], 1)
    return np.asarray((predictions[:, first] != predictions[:, second]).mean(axis=1))


def kendall(rates: Floats, pooled: Floats) -> Floats:
    """(...) Kendall's tau-b of rates (..., k) with `pooled` (..., k) over groups; NaN where one of them is constant.

    >>> kendall(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, -1.0]
    """
    first, second = np.triu_indices(rates.shape[-1], 1)
    a = np.sign(np.round(rates[..., first] - rates[..., second], 12))
    b = np.sign(np.round(pooled[..., first] - pooled[..., second], 12))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1)))


def group_rates(correct: Flags, groups: Ints, k: int) -> Floats:
    """(S, k) share of correct answers (n, S) in each of k groups (n,)."""
    member = (groups[:, None] == np.arange(k)).astype(float)
    return np.asarray((correct.astype(float).T @ member) / member.sum(axis=0))
