"""The whole social-bias suite on 10,000 images x 500 prompts, embeddings recorded, all permutations and bootstraps.

    python tests/benchmarks/scale_social.py [--loop TURNS] [AUDIT ...]

Embeddings are random and recorded beforehand (not timed). Every audit runs as in `clipaudit run`: scores from the
recorded embeddings, rows, estimates, figures, all of it written to a run directory. Groups: columns of 7 and 2
annotated values and their 14 pairs; the counterfactual factorial is 125 identities x 80 drawings. Where an audit asks
for words of its own (association, denigration, markedness), its presets' and the columns' words are asked.

The loop is what a script would do for the skews of one column, on a tenth (1,000 images x 50 prompts): for every
replicate, permute the labels or draw images, and for every query sort, count, take logarithms, with numpy and scipy's
relative entropy. It is timed on a few replicates (10 by default) and its time multiplied: a loop's time grows with the
number of its turns. The ratio is to our time for the same metrics, replicates and tenth.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from clipaudit_audits.social_bias.ranked_pools import judged_queries
from clipaudit_audits.social_bias.retrieval_skew import RetrievalSkew
from clipaudit_audits.social_bias.retrieval_skew_measures import N_DRAWS, Rankings, chance, resampled
from clipaudit_audits.social_bias.retrieval_skew_study import study
from numpy.typing import NDArray
from scipy.special import rel_entr

from clipaudit.contract import PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.engine.plan import Plan, make_plan
from clipaudit.engine.run import execute
from clipaudit.engine.store import RunStore
from clipaudit.engine.suite import Suite
from clipaudit.models.control import load_control
from clipaudit.models.recorded import load_recorded
from clipaudit.models.recorded_write import write_recorded
from clipaudit.plugins import AUDITS
from clipaudit.plugins import names as registered
from clipaudit.results import CellResult, CellStatus, DataInfo

IMAGES, PROMPTS, K = 10_000, 500, 1000
RACES = ("White", "Black", "Indian", "Latino_Hispanic", "East Asian", "Southeast Asian", "Middle Eastern")
FACTORS = {
    "tone": tuple(f"monk {i:02}" for i in range(1, 11)),
    "presentation": ("short hair", "long hair"),
    "facial_hair": ("none", "full beard"),
    "clothing": ("hoodie", "suit"),
}


def words(prefix: str, n: int) -> list[str]:
    return [f"{prefix} {i}" for i in range(n)]


def categories(words_each: int, key: str) -> list[dict[str, Any]]:
    found = [words(f"word {i}", words_each) for i in range(PROMPTS // words_each)]
    return [{"name": f"category {i}", key: own} for i, own in enumerate(found)]


# Audit -> its data set and parameters.
ASKED: dict[str, tuple[str | None, dict[str, Any]]] = {
    "association": ("fairface", {}),
    "counterfactual": ("avatars", {
        "categories": categories(PROMPTS // 5, "plus"), "max_levels": 10, "max_identities": 1000,
    }),
    "disparity": ("fairface", {
        "target": "race", "labels": {race: race.replace("_", " ") for race in RACES},
        "others": words("label", PROMPTS - len(RACES)),
    }),
    "denigration": ("fairface", {"people": words("person", PROMPTS - 40)}),
    "retrieval_skew": ("fairface", {
        "templates": [f"template {i} {{}}" for i in range(10)], "concepts": words("concept", PROMPTS // 10), "k": [K],
    }),
    "lexicon": ("fairface", {"categories": categories(PROMPTS // 5, "words")}),
    "markedness": ("fairface", {}),
    "occupation": ("fairface", {"occupations": words("job", PROMPTS)}),
    "occupation_text": (None, {"occupations": words("job", PROMPTS)}),
}  # fmt: skip


def people(n: int) -> Dataset:
    """Photographs known by id, annotated by lot."""
    rng = np.random.default_rng(0)
    images = [
        NamedItem(f"{i:05}", {"race": RACES[r], "gender": ("Male", "Female")[g]})
        for i, (r, g) in enumerate(zip(rng.integers(0, 7, n), rng.integers(0, 2, n), strict=True))
    ]
    return _dataset("fairface", images, ("race", "gender"), None)


def drawings(n: int) -> Dataset:
    """A full factorial of n pictures."""
    levels = list(itertools.product(*FACTORS.values()))
    images = [
        NamedItem(f"p{who}-{j}", {"identity": f"p{who}", **dict(zip(FACTORS, own, strict=True))})
        for who in range(n // len(levels))
        for j, own in enumerate(levels)
    ]
    return _dataset("avatars", images, tuple(FACTORS), "identity")


def _dataset(name: str, images: list[NamedItem], groups: tuple[str, ...], cluster: str | None) -> Dataset:
    info = DataInfo(
        id=name, title=name, digest="", items=len(images), licence="none", consent="none", groups=groups
    )  # fmt: skip
    return Dataset(info, images, tuple(images[0].attributes), cluster)


class Shelf:
    """The two data sets, as the registry would open them."""

    def __init__(self) -> None:
        self.sets = {"fairface": people(IMAGES), "avatars": drawings(IMAGES)}

    def open(self, name: str) -> Dataset:
        return self.sets[name]


def planned(audits: list[str]) -> Plan:
    entries = [{"id": name, "data": data, "params": params} for name, (data, params) in ASKED.items() if name in audits]
    return make_plan(Suite.model_validate({"id": "social", "audits": entries}), Shelf())  # type: ignore[arg-type]


def suite(audits: list[str], folder: Path) -> None:
    """Record, run, print seconds (and processor seconds) of each cell."""
    plan = planned(audits)
    write_recorded(load_control("null?dim=512"), plan.images().values(), plan.texts(), folder / "model")
    model = load_recorded(folder / "model")
    store = RunStore(folder / "run")
    clocks: list[tuple[float, float]] = []
    total = time.perf_counter()

    def begun(_: object) -> None:
        clocks.append((time.perf_counter(), time.process_time()))

    def ended(cell: CellResult, _: bool) -> None:
        wall, busy = clocks[-1]
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        size = len(plan.cells[len(clocks) - 1].workload.texts)
        done = "" if cell.status is CellStatus.DONE else f"  {cell.status}: {cell.reason}"
        print(
            f"{cell.slug:>24}: {wall:6.2f} s ({busy:6.2f} s of processor), {size:5,} texts, "
            f"{len(cell.estimates):4,} estimates, memory so far {peak():,.0f} MiB{done}"
        )

    with store.writing():
        execute(plan, model, store, on_start=begun, on_end=ended)
    print(f"{'together':>24}: {time.perf_counter() - total:6.2f} s")


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loop(rankings: Rankings, scores: NDArray[np.float64], k: int, turns: int) -> float:
    """Seconds of `turns` permutations and as many bootstraps, one after the other."""
    rng, n = np.random.default_rng(0), len(rankings.codes)
    target = np.bincount(rankings.codes) / n
    weights = 1 / np.log2(np.arange(n) + 2)
    started = time.perf_counter()
    for turn in range(2 * turns):
        drawn = np.arange(n) if turn % 2 else rng.integers(0, n, n)
        labels = rng.permutation(rankings.codes) if turn % 2 else rankings.codes[drawn]
        skews, kls = [], []
        for query in range(scores.shape[1]):
            ranked = labels[np.argsort(-scores[drawn, query])]
            top = np.bincount(ranked[:k], minlength=rankings.n_groups) / k
            skews.append(np.max(np.log(np.maximum(top, 1 / k) / target)))
            shares = np.cumsum(ranked[:, None] == np.arange(rankings.n_groups), axis=0) / np.arange(1, n + 1)[:, None]
            kls.append((rel_entr(shares, target).sum(axis=1) * weights).sum() / weights.sum())
        np.mean(skews), np.mean(kls)
    return time.perf_counter() - started


def ratio(turns: int) -> str:
    templates, concepts = [f"template {i} {{}}" for i in range(10)], words("concept", PROMPTS // 100)
    audit = RetrievalSkew()
    params = audit.spec.params.model_validate({"templates": templates, "concepts": concepts, "k": [K // 10]})
    cell = audit.plan(PlanContext(params, 0, people(IMAGES // 10)))[0]
    made = study(cell, audit.run(cell, load_control("null?dim=512")))
    rankings = made.rankings(made.groupings[0])
    queries = judged_queries(rankings)
    permutations, pools = rankings.affordable("permutations"), rankings.affordable("bootstrap")
    started = time.perf_counter()
    chance(rankings, made.ks, [queries], 0)
    resampled(rankings, made.ks, [queries], 0)
    ours = time.perf_counter() - started
    whole = loop(rankings, made.made.scores, made.ks[0], turns) / (2 * turns) * (permutations + pools)
    return (
        f"on a tenth, one column of {rankings.n_groups}: {ours:.2f} s for {permutations:,} permutations and {pools:,} "
        f"resampled pools ({N_DRAWS:,} draws of queries); plain loop {whole:.0f} s; ratio: {whole / ours:.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("audits", nargs="*", help="default: all that are installed")
    parser.add_argument("--loop", type=int, default=10, help="turns of the plain loop; 0: none")
    asked = parser.parse_args()
    audits = asked.audits or [name for name in ASKED if name in registered(AUDITS)]
    print(f"{IMAGES:,} images x {PROMPTS} prompts, numpy {np.__version__}, {os.cpu_count()} cores, wall seconds")
    with tempfile.TemporaryDirectory() as folder:
        suite(audits, Path(folder))
        if asked.loop:
            print(ratio(asked.loop))


if __name__ == "__main__":
    main()
