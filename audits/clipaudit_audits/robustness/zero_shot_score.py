"""The estimates of the zero-shot audit. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clipaudit.numbers import counted
from clipaudit.results import Estimate, Interval, Reference, Status
from clipaudit.stats.paired import paired_permutation
from clipaudit.stats.power import mde_mean, mde_proportion
from clipaudit_audits.robustness.chance import by_chance
from clipaudit_audits.robustness.making import Maker, hundredfold, unit_of
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.robustness.zero_shot_params import ZeroShotParams
from clipaudit_audits.robustness.zero_shot_probes import ALL
from clipaudit_audits.robustness.zero_shot_spec import SPEC
from clipaudit_audits.robustness.zero_shot_worth import Floats, Trials, interval, resampled, trials, worth
from clipaudit_audits.wording import between, percent, points_text

Records = Sequence[Mapping[str, Any]]

HIDES = "This does not show how it does on other pictures of these things, or under other names for them."
TRAINED = {"training": "all images"}


def estimates(records: Records, params: ZeroShotParams, seed: int) -> list[Estimate]:
    """Zero-shot against chance; then probes on the same images, and what zero-shot is worth."""
    seen = sorted((r for r in records if r["error"] is None), key=lambda r: str(r["item"]))
    clusters = [str(r["cluster"]) for r in seen]
    maker = Maker(SPEC, unit_of(len(set(clusters)), len(seen)))
    found = [_accuracy(maker, seen, clusters, seed), *_top(maker, seen, clusters, seed)]
    tried = trials(seen)
    if tried is None:
        return [*found, *_no_probes(maker, seen, params)]
    return [*found, *_probes(maker, seen, tried, params, seed)]


def _accuracy(maker: Maker, seen: Records, clusters: Sequence[str], seed: int) -> Estimate:
    right = np.array([r["prediction"] == r["label"] for r in seen], dtype=bool)
    offered = int(seen[0]["offered"]) if seen else 0
    said = f"Without training, the model named {{}} correctly, choosing among {offered:,} classes"
    if not seen:
        return maker.rate("accuracy", share(right, clusters, seed), f"{said}.")
    null, test = by_chance([r["prediction"] for r in seen], [str(r["label"]) for r in seen], clusters, seed)
    few = _few_images(seen)
    return maker.rate(
        "accuracy", share(right, clusters, seed), f"{said}; chance alone gives {percent(null.mean)}. {HIDES}",
        null=null, null_value=null.mean, test=test, notes=(few,) if few else (),
        minimum_detectable=mde_proportion(len(set(clusters)), min(max(null.mean, 1e-3), 1 - 1e-3)),
        references=(Reference(label="even chance", value=1 / offered, source="one over the number of classes"),),
    )  # fmt: skip


def _few_images(seen: Records) -> str:
    """A note where a typical class has fewer images than its accuracy needs."""
    counts = sorted(Counter(r["label"] for r in seen).values())
    typical = counts[len(counts) // 2]
    if typical >= 10:
        return ""
    return (
        f"Few images per class: {counts[0]:,} to {counts[-1]:,}, half of the classes have at most {typical:,}; nothing "
        "can be said of single classes."
    )


def _top(maker: Maker, seen: Records, clusters: Sequence[str], seed: int) -> list[Estimate]:
    if not seen or seen[0]["top"] is None:
        return []
    found = share(np.array([r["top"] for r in seen], dtype=bool), clusters, seed)
    offered = int(seen[0]["offered"])
    guess = percent(5 / offered)
    said = f"The right class was among the first five of {offered:,} for {{}}; guessing evenly gives {guess}."
    even = Reference(label="even chance", value=5 / offered, source="five over the number of classes")
    return [maker.rate("accuracy_top5", found, said, role="secondary", references=(even,))]


def _no_probes(maker: Maker, seen: Records, params: ZeroShotParams) -> list[Estimate]:
    """One estimate that says why there are no probes; nothing where none were asked for."""
    if not params.probes or not seen:
        return []
    enough = sum(1 for n in Counter(r["label"] for r in seen if r["shared"]).values() if n)
    if enough > 1:
        why = "The model gives no embeddings, so that no probe could be trained."
    else:
        why = (
            f"{enough:,} of the classes of this set have images from at least {params.folds} units: too few per class "
            "to train and test a probe."
        )
    return [maker.estimate("probe_accuracy", None, 0, 0, None, subgroup=TRAINED, role="secondary", sentence=why)]


def _probes(maker: Maker, seen: Records, tried: Trials, params: ZeroShotParams, seed: int) -> list[Estimate]:
    level, curve = resampled(tried, seed)
    classes = next(int(r["shared"]) for r in seen if r["probes"])
    right = share(tried.zero_shot > 0, list(tried.clusters), seed)
    among = f"among the {classes:,} classes with images from at least {params.folds} units"
    said = f"On the images that probes can be tested on, {among}, zero-shot named {{}} correctly."
    return [
        _gain(maker, tried, level, curve, seed),
        _worth(maker, tried, level, curve, params),
        maker.rate("shared_accuracy", right, said, role="secondary"),
        *(_probe(maker, tried, curve, i, classes) for i in range(len(tried.shots))),
        *(_missing(maker, k, classes) for k in params.shots if k not in tried.shots),
    ]


def _size(tried: Trials) -> tuple[int, int]:
    return len(tried.clusters), len(set(tried.clusters))


def _probe(maker: Maker, tried: Trials, curve: Floats, column: int, classes: int) -> Estimate:
    k, value = tried.shots[column], float(tried.rates[:, column].mean())
    bounds = interval(curve[:, column], tried)
    by = "all images of the other parts" if k == ALL else f"{counted(k, 'image')} per class"
    return maker.estimate(
        "probe_accuracy", value, *_size(tried), bounds, role="secondary",
        subgroup=TRAINED if k == ALL else _subgroup(k),
        sentence=f"A linear probe trained on {by} named {percent(value)}{between(bounds, 100)} of "
        f"{len(tried.clusters):,} images correctly, choosing among {classes:,} classes.",
    )  # fmt: skip


def _missing(maker: Maker, k: int, classes: int) -> Estimate:
    why = f"Not every one of the {classes:,} classes has {counted(k, 'image')} to train on in every split."
    return maker.estimate("probe_accuracy", None, 0, 0, None, role="secondary", subgroup=_subgroup(k), sentence=why)


def _subgroup(k: int) -> dict[str, str]:
    return {"training": f"{counted(k, 'image')} per class"}


def _gain(maker: Maker, tried: Trials, level: Floats, curve: Floats, seed: int) -> Estimate:
    differences = tried.rates[:, -1] - tried.zero_shot
    bounds = interval(100 * (curve[:, -1] - level), tried)
    value = float(100 * differences.mean())
    n, units = _size(tried)
    sums = np.array([differences[np.array(tried.clusters) == unit].mean() for unit in dict.fromkeys(tried.clusters)])
    return maker.estimate(
        "probe_gain", value, n, units, bounds, subgroup=TRAINED,
        test=paired_permutation(differences, tried.clusters, seed),
        minimum_detectable=hundredfold(mde_mean(float(sums.std(ddof=1)), units) if units > 1 else None) or None,
        notes=("The test holds for the probes as trained; the interval counts the luck of the training images too.",),
        sentence=f"A probe trained on all images of the other parts is ahead of zero-shot by {points_text(value)}"
        f"{between(bounds)} on the same {n:,} images. This does not show what training with more images would add.",
    )  # fmt: skip


def _worth(maker: Maker, tried: Trials, level: Floats, curve: Floats, params: ZeroShotParams) -> Estimate:
    shots = tried.shots[:-1]
    n, units = _size(tried)
    if not shots:
        why = "No number of shots was possible: some class has no image to train on in some split."
        return maker.estimate("shots_worth", None, 0, 0, None, sentence=why)
    rates = tried.rates.mean(axis=0)
    value = float(worth(np.array([tried.zero_shot.mean()]), rates[None, :-1], shots)[0])
    draws = worth(level, curve[:, :-1], shots)
    bounds = interval(draws, tried)
    if np.isfinite(value):
        said = f"as good as a probe trained on about {value:.1f} labelled images per class"
    elif value < 0:
        said = f"worth less than {counted(shots[0], 'labelled image')} per class"
    else:
        said = f"better than the probe with the most shots that were possible here ({shots[-1]:,} per class)"
    shown = _open(draws, bounds, shots)
    return maker.estimate(
        "shots_worth", value if np.isfinite(value) else None, n, units,
        bounds if np.isfinite(value) else None, notes=(f"95 % interval: {shown}; {bounds.method}.",),
        sentence=f"On these {n:,} images zero-shot is {said} (95 % interval: {shown}). This does not show what better "
        "prompts or a better way of training would give.",
        **({} if np.isfinite(value) or units < SPEC.metric("shots_worth").min_n else {"status": Status.DESCRIBED}),
    )  # fmt: skip


def _open(draws: Floats, bounds: Interval, shots: Sequence[int]) -> str:
    """The interval in words; an open end lies beyond the shots tried."""
    low_end, high_end = np.quantile(draws, [0.025, 0.975], method="nearest")

    def end(value: float) -> str:
        if np.isfinite(value):
            return f"{value:.1f}"
        return f"less than {shots[0]}" if value < 0 else f"more than {shots[-1]}"

    return end(low_end) if low_end == high_end else f"{end(low_end)} to {end(high_end)}"
