"""Corruptions: the same picture everywhere, planted losses, and the mean corruption error by hand."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from clipaudit_audits.robustness.corruptions import Corruptions
from clipaudit_audits.robustness.corruptions_measures import mean_corruption_error, outcomes, paired
from clipaudit_audits.robustness.corruptions_params import CorruptionParams
from clipaudit_audits.robustness.corruptions_reference import load_reference, parse_reference, written
from pydantic import ValidationError
from scipy.stats import binom

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, DataUnavailable
from clipaudit.models.control import load_control
from clipaudit.models.protocol import Model
from clipaudit.results import (
    CellResult,
    CellStatus,
    DataInfo,
    Estimate,
    GalleryFigure,
    HeatmapFigure,
    RunResult,
    Status,
)
from clipaudit.stimuli import corruption as stimuli
from clipaudit.stimuli.corruption import COMMON, FURTHER, Corrupted
from clipaudit.stimuli.objects import items

AUDIT = Corruptions()
DRAWN = items()
SOME = ("gaussian_noise", "fog", "contrast")


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("imagecorruptions", reason="the extra `corruptions` is not installed")


def dataset(
    images: list | None = None, columns: tuple[str, ...] = ("label", "variant"), cluster: str | None = None
) -> Dataset:
    used = list(DRAWN) if images is None else images
    info = DataInfo(id="objects", title="set", digest="0", items=len(used), licence="none", consent="drawings")
    return Dataset(info, used, columns, cluster)


def cell(data: Dataset | None = None, seed: int = 1, **params: object) -> Cell:
    quick = {"images": 60, "corruptions": SOME, "changes": ("flip", "jpeg=75")}
    return AUDIT.plan(PlanContext(CorruptionParams.model_validate(quick | params), seed, data or dataset()))[0]


def scored(model: Model, one: Cell) -> list[Estimate]:
    return AUDIT.score(replace(one, dataset=None), AUDIT.run(one, model))


def find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and e.subgroup == subgroup)


def sha(image: Corrupted) -> str:
    return hashlib.sha256(image.load().tobytes()).hexdigest()


DRAW = """
import hashlib
from clipaudit.stimuli.corruption import Corrupted
from clipaudit.stimuli.objects import items
base = items()[3]
for name, severity in reversed([{pairs}]):
    print(name, hashlib.sha256(Corrupted(base, name, severity).load().tobytes()).hexdigest())
"""
LUCKY = [
    ("gaussian_noise", 2),
    ("impulse_noise", 1),
    ("frost", 3),
    ("elastic_transform", 4),
    ("spatter", 5),
    ("motion_blur", 1),
]


def test_a_picture_is_the_same_in_every_process_thread_and_order() -> None:
    base = DRAWN[3]
    before = np.random.get_state()[1].copy()
    here = {name: sha(Corrupted(base, name, severity)) for name, severity in LUCKY}
    assert (np.random.get_state()[1] == before).all()  # the global generator is as it was
    script = DRAW.replace("{pairs}", ", ".join(map(repr, LUCKY)))
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert dict(line.split() for line in other.splitlines()) == here
    many = [Corrupted(base, name, severity) for name, severity in LUCKY for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(sha, many))
    assert together == [here[image.corruption] for image in many]


def test_each_picture_has_its_own_luck() -> None:
    noise = [np.asarray(Corrupted(base, "gaussian_noise", 3).load()).astype(int) for base in DRAWN[:2]]
    clean = [np.asarray(Corrupted(base).load()).astype(int) for base in DRAWN[:2]]
    corner = [(n - c)[:20, :20].ravel() for n, c in zip(noise, clean, strict=True)]  # white ground in both
    assert clean[0][:20, :20].min() == clean[1][:20, :20].min() == 255
    assert abs(np.corrcoef(corner[0], corner[1])[0, 1]) < 0.15
    levels = {Corrupted(DRAWN[0], "fog", s).digest for s in range(1, 6)}
    assert len(levels) == 5


@pytest.mark.parametrize("name", [name for name in (*COMMON, *FURTHER) if name != "glass_blur"])
def test_severity_grows(name: str) -> None:
    """Farther from the clean picture at 5 than at 1, and always 224 px RGB. glass_blur compiles for seconds: left out."""
    clean = np.asarray(Corrupted(DRAWN[0]).load()).astype(float)
    ends = [Corrupted(DRAWN[0], name, severity).load() for severity in (1, 5)]
    assert {(image.size, image.mode) for image in ends} == {((224, 224), "RGB")}
    mild, strong = (np.square(np.asarray(image) - clean).mean() for image in ends)
    assert strong > mild or name == "saturate"  # whose five levels go down, then up


def test_a_planted_weakness_is_found_at_its_size() -> None:
    """Right with .95, in fog with .3: the fog's drop is .65, the mean's a third of it, the others' none."""
    one = cell(images=100)
    rows = AUDIT.run(one, load_control("varied?accuracy=0.95&when=fog&then=0.3"))
    found = AUDIT.score(replace(one, dataset=None), rows)
    fog = find(found, "corruption_drop", corruption="fog")
    assert fog.status is Status.EFFECT
    assert fog.interval.low <= 65 <= fog.interval.high
    assert find(found, "corruption_drop").interval.low <= 65 / 3 <= find(found, "corruption_drop").interval.high
    assert "most under fog" in find(found, "corruption_drop").sentence
    assert find(found, "corruption_drop", corruption="contrast").status is Status.NO_EFFECT
    assert find(found, "clean_accuracy").interval.low <= 0.95 <= find(found, "clean_accuracy").interval.high
    figures = AUDIT.figures(one, rows, found)
    grid = next(f for f in figures if isinstance(f, HeatmapFigure))
    assert grid.rows == ("gaussian noise", "fog", "contrast")
    assert max(grid.values[1]) < 0.5 < min(grid.values[0])
    gallery = next(f for f in figures if isinstance(f, GalleryFigure))
    assert len(gallery.entries) == 6
    assert all(len(entry.items) == 2 for entry in gallery.entries)


def test_flips_by_small_changes_are_counted() -> None:
    """Each picture decided independently, right with a, else one of 19 others: flips are 1 - a^2 - (1 - a)^2 / 19."""
    accuracy, expected, covered = 0.8, 1 - 0.64 - 0.04 / 19, 0
    for seed in range(30):
        rows = AUDIT.run(
            cell(images=100, corruptions=["fog"], severities=[1]),
            load_control(f"varied?accuracy={accuracy}&seed={seed}"),
        )
        found = outcomes(rows.to_pylist())
        flips = 1 - found.same["flip", 0].mean()
        covered += abs(flips - expected) <= 1.96 * np.sqrt(expected * (1 - expected) / 100)
    assert covered >= binom.ppf(0.001, 30, 0.94)


def test_nothing_lost_is_rejected_at_the_nominal_rate() -> None:
    """Independent answers of equal accuracy, a mean of 15 against one clean answer."""
    rng, rejected, runs = np.random.default_rng(4), 0, 150
    for _ in range(runs):
        ease = rng.random(40)
        clean, corrupted = rng.random(40) < ease, (rng.random((15, 40)) < ease).mean(axis=0)
        rejected += paired(clean.astype(float), corrupted, [str(i) for i in range(40)], 1, "image").test.p <= 0.05
    assert rejected <= binom.ppf(0.999, runs, 0.05)


def row(base: str, condition: str, severity: int, right: bool, error: float | None) -> dict[str, object]:
    return {
        "base": base, "cluster": base, "label": "a", "prediction": "a" if right else "b", "condition": condition,
        "severity": severity, "small": False, "error": None, "reference": "ref", "reference_error": error,
    }  # fmt: skip


def test_mean_corruption_error_by_hand() -> None:
    """Two images, two corruptions, two severities. Errors: fog 1/2, 1; snow 0, 1/2. Reference: fog .5, .5; snow .2, .3.

    mCE = 100 (1.5 / 1 + .5 / .5) / 2 = 125. Clean error 0; the reference's .1: relative = 100 (1.5 / .8 + .5 / .3) / 2.
    """
    plan = {
        ("clean", 0): (1, 1, 0.1),
        ("fog", 1): (1, 0, 0.5),
        ("fog", 2): (0, 0, 0.5),
        ("snow", 1): (1, 1, 0.2),
        ("snow", 2): (0, 1, 0.3),
    }
    records = [
        row(base, *key, bool(values[i]), values[2]) for key, values in plan.items() for i, base in enumerate("xy")
    ]
    value = mean_corruption_error(outcomes(records), 0, "image")
    assert value.value == pytest.approx(125)
    assert value.relative == pytest.approx(100 * (1.5 / 0.8 + 0.5 / 0.3) / 2)
    assert set(value.names) == {"fog", "snow"}
    assert mean_corruption_error(outcomes([r | {"reference_error": None} for r in records]), 0, "image") is None


def test_an_image_that_fails_once_is_left_out_of_all() -> None:
    records = [row(base, name, s, True, None) for base in "xyz" for name, s in (("clean", 0), ("fog", 1))]
    records[-1]["error"] = "cannot be read"
    found = outcomes(records)
    assert found.bases == ("x", "y")
    assert found.left_out == 1


def test_groups_have_the_figures_of_their_images_and_change_nothing_else() -> None:
    one, model = cell(images=60, groups=["variant"]), load_control("varied?accuracy=0.7&seed=3")
    rows = AUDIT.run(one, model)
    found = AUDIT.score(replace(one, dataset=None), rows)
    records, kinds = rows.to_pylist(), sorted(set(rows["group: variant"].to_pylist()))
    assert len(kinds) > 1
    for kind in kinds:
        mine = [r for r in records if r["group: variant"] == kind]
        shown = [r["prediction"] == r["label"] for r in mine if r["severity"]]
        clean = [r["prediction"] == r["label"] for r in mine if r["condition"] == "clean"]
        subgroup = {"variant (annotated)": kind}
        assert find(found, "corrupted_accuracy", **subgroup).value == pytest.approx(np.mean(shown))
        assert find(found, "clean_accuracy", **subgroup).value == pytest.approx(np.mean(clean))
        drop = find(found, "corruption_drop", **subgroup)
        assert drop.value == pytest.approx(100 * (np.mean(clean) - np.mean(shown)))
        assert drop.n == len(clean)
        parts = AUDIT.outcomes(one, rows, drop)
        assert parts.scale * parts.above.sum() / parts.below.sum() == pytest.approx(drop.value)
    assert scored(model, cell(images=60)) == [e for e in found if "variant (annotated)" not in e.subgroup]


def test_the_shipped_reference_fits_the_set_it_is_for() -> None:
    cells = load_reference("", "objects")
    assert cells is not None
    assert set(cells.errors) == {*COMMON, *FURTHER}
    assert all(sum(cells.errors[name]) > 0 for name in COMMON)
    assert load_reference("", "another") is None
    model = "varied?accuracy=0.5"
    found = scored(load_control(model), cell(images=100))
    mce = find(found, "mce")
    by_hand = np.mean([100 * 2.5 / sum(cells.errors[name]) for name in SOME])
    assert mce.value == pytest.approx(by_hand, rel=0.15)
    assert "no published mCE" in mce.sentence


def test_reference_cells_can_be_written_from_a_run() -> None:
    one = cell(images=40, corruptions=[*SOME, "saturate"])
    rows, model = AUDIT.run(one, load_control("varied?accuracy=0.7")), load_control("varied?accuracy=0.7")
    estimates = AUDIT.score(replace(one, dataset=None), rows)
    result = CellResult(
        key="k", slug=one.slug, title="t", audit=one.spec.info(), data=one.data, status=CellStatus.DONE,
        estimates=tuple(estimates), figures=tuple(AUDIT.figures(one, rows, estimates)),
    )  # fmt: skip
    run = RunResult(clipaudit_version="0", suite="s", seed=0, model=model.info, cells=(result,))
    cells = parse_reference(written(run), "here")
    assert (cells.model, cells.data, cells.images) == ("control varied", "objects", 40)
    assert cells.errors["fog"] == pytest.approx([1 - v for v in result.figures[0].values[1]], abs=1e-4)
    with pytest.raises(DataError, match="holds no finished cell"):
        written(run.model_copy(update={"cells": ()}))


def test_bad_input_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    with pytest.raises(DataError, match="has fewer than two classes"):
        cell(dataset([image for image in DRAWN if image.label == "banana"]))
    with pytest.raises(ValidationError, match="no corruption 'fogg'; did you mean fog"):
        CorruptionParams(corruptions=("fogg",))
    with pytest.raises(ValidationError, match="no change 'turn'"):
        CorruptionParams(changes=("turn",))
    with pytest.raises(ValidationError, match="is no number"):
        CorruptionParams(changes=("jpeg=low",))
    with pytest.raises(DataError, match=r"errors\.fog must be five errors"):
        parse_reference('model="m"\ndata="d"\nimages=1\nclean=0\n[errors]\nfog=[0.1]\n', "x.toml")
    with pytest.raises(DataError, match="not a file of reference cells"):
        parse_reference("model = 1", "x.toml")
    with pytest.raises(DataError, match="cannot be read"):
        cell(reference="/no/such/file.toml")
    stimuli._package_version.cache_clear()
    monkeypatch.setattr(stimuli, "PACKAGE", "no-such-package-at-all")
    with pytest.raises(DataUnavailable, match="pip install 'clipaudit\\[corruptions\\]'"):
        cell()
    monkeypatch.undo()
    stimuli._package_version.cache_clear()
