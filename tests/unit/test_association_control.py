"""The association audit on models with a known effect: it finds what is planted, and nothing where nothing is."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest
from clipaudit_audits.social_bias.association import Association, AssociationParams
from scipy.stats import binom

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.models.control import load_control
from clipaudit.results import DataInfo, Estimate, Status

ALPHA = 0.05


class Item:
    """An image known by its attributes alone."""

    def __init__(self, id: str, **attributes: str) -> None:
        self.id = id
        self.attributes = attributes
        self.digest = id


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For hundreds of small audits: statsmodels collects garbage at every correction, and 1,000 resamples will do."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    monkeypatch.setattr("clipaudit_audits.social_bias.association_estimates.RESAMPLES", 1000)


def words(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def planned(folder: Path, targets: int | Dataset, attributes: int = 8) -> Cell:
    """One test of words x0, x1, ... against y0, ..., or of the images of a data set."""
    dataset = None if isinstance(targets, int) else targets

    def images(value: str) -> str:
        return f'images = {{ group = "{value}" }}'

    x, y = (f"words = {words(name, targets)}" if isinstance(targets, int) else images(name) for name in ("x", "y"))
    path = folder / "tests.toml"
    path.write_text(
        f'[[tests]]\nname = "planted"\nX = "x"\nY = "y"\nA = "a"\nB = "b"\n'
        f"[sets.x]\n{x}\n[sets.y]\n{y}\n"
        f"[sets.a]\nwords = {words('a', attributes)}\n[sets.b]\nwords = {words('b', attributes)}\n"
    )
    params = AssociationParams(preset=str(path), templates=("{}",), single_category=False, permutations=1000)
    return Association().plan(PlanContext(params, 0, dataset))[0]


def audited(cell: Cell, spec: str) -> Estimate:
    audit = Association()
    return audit.score(cell, audit.run(cell, load_control(spec)))[0]


def planted(d: float, seed: int = 0, attributes: int = 8) -> str:
    a, b = words("a", attributes), words("b", attributes)
    return f"association?d={d}&seed={seed}&attribute=group&x=x&y=y&a={','.join(a)}&b={','.join(b)}"


def by_image(n: int, cluster: bool = False) -> Dataset:
    """Images of the groups x and y; with `cluster`, each of n identities in both."""
    items = [
        Item(f"{group}-{i}", group=group, identity=f"person {i if cluster else f'{group}{i}'}")
        for group in ("x", "y")
        for i in range(n)
    ]
    info = DataInfo(id="drawn", title="Drawn", digest="0", items=len(items), licence="CC0-1.0", consent="drawings")
    return Dataset(info, items, ("group", "identity"), "identity" if cluster else None)


@pytest.mark.parametrize(("d", "seeds"), [(-1.2, 60), (0.7, 200)])
def test_finds_the_planted_size_and_the_interval_covers_it(d: float, seeds: int, tmp_path: Path) -> None:
    cell = planned(tmp_path, by_image(60))
    found = [audited(cell, planted(d, 1000 + seed)) for seed in range(seeds)]
    covered = sum(e.interval.low <= d <= e.interval.high for e in found)
    low, high = binom.interval(0.99, seeds, 0.95)
    assert low <= covered <= high
    assert sum(e.value for e in found) / seeds == pytest.approx(d, abs=0.04)
    assert all((e.value > 0) == (d > 0) for e in found)
    assert sum(e.status is Status.EFFECT for e in found) > 0.9 * seeds


def test_finds_it_in_words_over_three_templates_a_word_being_one_unit(tmp_path: Path) -> None:
    n = 60
    cell = planned(tmp_path, n)
    cell = replace(cell, params=cell.params.model_copy(update={"templates": ("{}", "a {}.", "the {}")}))
    lists = {"x": words("x", n), "y": words("y", n), "a": words("a", 8), "b": words("b", 8)}
    spec = "association?d=1.0&" + "&".join(f"{key}={','.join(names)}" for key, names in lists.items())
    estimate = audited(cell, spec)
    assert estimate.status is Status.EFFECT
    assert estimate.interval.low < 1.0 < estimate.interval.high
    assert (estimate.n, estimate.clusters, estimate.cluster_key) == (3 * 2 * n, 2 * n, "word")
    assert "60 and 60 words against 8 and 8 words" in estimate.sentence


@pytest.mark.parametrize("paired", [False, True])
def test_stays_quiet_where_nothing_is_planted(paired: bool, tmp_path: Path) -> None:
    seeds, n = 300, 10 if paired else 8
    cell = planned(tmp_path, by_image(n, cluster=True) if paired else n)
    found = [audited(cell, f"null?dim=24&seed={seed}") for seed in range(seeds)]
    rejected = sum(e.test.p <= ALPHA for e in found)
    low, high = binom.interval(0.99, seeds, ALPHA)
    assert low <= rejected <= high
    assert all((e.clusters == n) == paired for e in found)
    quiet = next(e for e in found if e.test.p > 0.5)
    assert quiet.status is Status.NO_EFFECT
    assert "does not show that there is none" in quiet.sentence
    assert f"{quiet.minimum_detectable:.2f}" in quiet.sentence


def test_the_minimum_detectable_effect_is_found_in_about_four_of_five(tmp_path: Path) -> None:
    n, seeds = 20, 200
    cell = planned(tmp_path, by_image(n))
    detectable = audited(cell, planted(0.5)).minimum_detectable
    assert detectable is not None
    hits = sum(audited(cell, planted(detectable, seed)).test.p <= ALPHA for seed in range(seeds))
    low, high = binom.interval(0.99, seeds, 0.8)
    assert low <= hits <= high
