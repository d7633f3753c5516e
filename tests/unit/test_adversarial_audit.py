"""The adversarial audit: planted robust accuracy, checks that catch a masked gradient, resuming, bad input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import linear_victim as linear
import numpy as np
import pyarrow as pa
import pytest
from clipaudit_audits.robustness import adversarial_for_all, adversarial_white
from clipaudit_audits.robustness.adversarial import Adversarial
from clipaudit_audits.robustness.adversarial_checks import failures, violations
from clipaudit_audits.robustness.adversarial_forecast import foreseen_passes
from clipaudit_audits.robustness.adversarial_params import AdversarialParams, eighty_templates
from clipaudit_audits.robustness.adversarial_subjects import prepare

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.engine.plan import Plan, PlannedCell, validate_params
from clipaudit.engine.run import execute
from clipaudit.engine.store import RunStore
from clipaudit.engine.suite import Suite, SuiteEntry
from clipaudit.errors import DataError, UsageError
from clipaudit.models.control import load_control
from clipaudit.models.load import open_model
from clipaudit.models.protocol import Model
from clipaudit.results import CellStatus, Estimate, GalleryFigure, Status

AUDIT = Adversarial()
QUICK: dict[str, Any] = {"images": 60, "steps": 8, "targets": 2, "queries": 20}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return open_model(linear.SPEC, cache_dir=tmp_path / "cache")


def cells(dataset: Dataset, **params: Any) -> list[Cell]:
    return AUDIT.plan(PlanContext(validate_params(AUDIT, QUICK | params), 0, dataset))


def measured(model: Model, dataset: Dataset, part: str, **params: Any) -> tuple[Cell, pa.Table, list[Estimate]]:
    (cell,) = cells(dataset, parts=[part], **params)
    rows = AUDIT.run(cell, model)
    return cell, rows, AUDIT.score(replace(cell, dataset=None), rows)


def one(estimates: Sequence[Estimate], metric: str, **subgroup: str) -> Estimate:
    (found,) = [e for e in estimates if e.metric == metric and subgroup.items() <= e.subgroup.items()]
    return found


@pytest.mark.parametrize("part", ["linf", "l2"])
def test_the_planted_robust_accuracy_is_found(model: Model, part: str) -> None:
    data = linear.dataset(60)
    some = linear.subjects(60)
    exact = linear.exact_distances(some.pixels, some.labels, part)
    radii = sorted(float(np.quantile(exact, share)) for share in (0.1, 0.4, 0.7))
    thorough = {"attacks": ["apgd-ce", "apgd-t"], "steps": 30, "targets": 4}
    _, _, estimates = measured(model, data, part, **{f"eps_{part}": radii}, **thorough)
    robust = sorted((e for e in estimates if e.metric == "robust_accuracy"), key=lambda e: -(e.value or 0))
    broken = sorted((e for e in estimates if e.metric == "attack_success"), key=lambda e: e.value or 0)
    for eps, left, gone in zip(radii, robust, broken, strict=True):
        sure, doubtful = (exact < eps * 0.98).sum(), ((exact >= eps * 0.98) & (exact <= eps * 1.001)).sum()
        assert left.n == 60
        assert left.value is not None
        assert (len(exact) - sure - doubtful) / 60 - 1e-9 <= left.value <= (len(exact) - sure) / 60 + 1e-9
        assert gone.n == len(exact)
        assert gone.value == pytest.approx(1 - left.value * 60 / len(exact))
        assert left.status is Status.DESCRIBED
        assert left.interval is not None
        assert left.interval.method == "Wilson"
    assert one(estimates, "clean_accuracy").value == len(exact) / 60


def test_groups_that_lie_near_a_border_and_far_from_it_are_told_apart(model: Model) -> None:
    """The exact distance to another class plants it: at a radius between them one group falls whole, one stands."""
    plain, some = linear.dataset(60), linear.subjects(60)
    exact = linear.exact_distances(some.pixels, some.labels, "linf")
    middle = float(np.median(exact))
    near = {some.seeds[i] for i in np.flatnonzero(exact < middle)}

    class Grouped(linear.Drawn):
        @property
        def attributes(self) -> dict[str, str]:
            return {"label": self.label, "lies": "near" if int(self.id) in near else "far"}

    images = [Grouped(image.id, image.pixels, image.label) for image in plain.images]
    data = replace(plain, images=images, columns=("label", "lies"))
    _, _, estimates = measured(model, data, "linf", eps_linf=[middle * 0.999], groups=["lies"], steps=30, targets=4)
    found = {group: one(estimates, "group_robust_accuracy", **{"lies (annotated)": group}) for group in ("near", "far")}
    assert found["far"].value == 1
    assert found["near"].value <= 0.1  # within the attack's tolerance of the border
    assert [found[group].n for group in ("near", "far")] == [len(near), len(exact) - len(near)]
    whole = one(estimates, "robust_accuracy")
    assert whole.value * whole.n == pytest.approx(sum(each.value * each.n for each in found.values()))


@pytest.mark.parametrize("part", ["linf", "l2"])
def test_radius_zero_is_clean_accuracy_exactly(model: Model, part: str) -> None:
    _, rows, estimates = measured(model, linear.dataset(40), part, **{f"eps_{part}": [0]})
    robust = one(estimates, "robust_accuracy")
    clean = one(estimates, "clean_accuracy")
    assert robust.value == clean.value
    assert robust.interval == clean.interval
    assert one(estimates, "check_zero").value == 0
    assert not any(row["success"] for row in rows.to_pylist() if row["kind"] == "attack" and row["right"])


def test_larger_radii_break_no_fewer_and_by_the_same_example(model: Model) -> None:
    _, rows, _ = measured(model, linear.dataset(40), "linf", eps_linf=["4/255", "8/255", "16/255"])
    attacked = [row for row in rows.to_pylist() if row["kind"] == "attack" and row["right"]]
    for item in {row["item"] for row in attacked}:
        mine = sorted((row for row in attacked if row["item"] == item), key=lambda row: row["eps"])
        assert [row["success"] for row in mine] == sorted(row["success"] for row in mine)
        assert len({row["size"] for row in mine if row["success"]}) <= 1
        assert all(row["size"] <= row["eps"] for row in mine if row["success"])


def test_a_sound_measurement_passes_its_checks(model: Model) -> None:
    _, _, estimates = measured(model, linear.dataset(40), "linf", eps_linf=["4/255", "8/255"])
    made = [e for e in estimates if e.metric.startswith("check_")]
    assert len(made) == 6
    assert all(e.sentence.startswith("Passed") and e.role == "control" for e in made)


@pytest.mark.parametrize("part", ["linf", "l2"])
def test_a_masked_gradient_is_caught(tmp_path: Path, part: str) -> None:
    masked = open_model(f"{linear.SPEC}&masked=24", cache_dir=tmp_path)
    radii = {"eps_linf": ["2/255", "16/255"], "eps_l2": [0.1, 1.0]}
    _, _, estimates = measured(masked, linear.dataset(40), part, **radii, queries=60)
    failed = {e.metric for e in estimates if e.sentence.startswith("FAILED")}
    assert {"check_gradient", "check_large"} <= failed
    if part == "linf":  # scores alone do what the gradient cannot
        assert "check_black_box" in failed
    judged = [e for e in estimates if e.role in ("primary", "secondary")]
    assert judged
    assert {e.status for e in judged} == {Status.INCONCLUSIVE}
    assert all(any("Failed check" in note for note in e.notes) for e in judged)
    assert all("Inconclusive" in e.sentence for e in judged)


def row(item: str, kind: str, eps: float = 0.1, **values: Any) -> dict[str, Any]:
    blank = {"success": False, "right": True, "by": None, "norm": "linf", "cluster": item, "error": None}
    return {"item": item, "kind": kind, "eps": eps, **blank, **values}


def test_checks_by_hand() -> None:
    rows = [
        row("a", "attack", success=True, by="apgd-ce"),
        row("b", "attack", success=True, by="square"),
        row("c", "attack"),
        row("d", "attack", right=False, success=None),
        row("a", "zero"), row("b", "zero", success=True), row("c", "zero", success=True, by="tie"), row("d", "zero", right=False, success=True),
        row("a", "large", success=True), row("c", "large"),
        row("a", "gradient"), row("c", "gradient", success=True),
        row("a", "short", success=True), row("c", "short", success=True),
        row("a", "again"), row("c", "again"),
        row("c", "square", success=True),
    ]  # fmt: skip
    assert violations(rows) == {
        "check_zero": [False, True, False, False],
        "check_large": [False, True],
        "check_gradient": [False, True],
        "check_black_box": [False, True, True],
        "check_steps": [False, True],
        "check_restarts": [True, False],
    }
    # One image is let pass by all checks but the exact one.
    lines = failures(rows)
    assert [line.split(";")[1] for line in lines] == [" not so for 1 of 4 images.", " not so for 2 of 3 images."]


def test_any_image_is_driven_to_any_text(model: Model) -> None:
    _, rows, estimates = measured(model, linear.dataset(24), "targeted", eps_linf=["1/255", "64/255"])
    found = [one(estimates, "targeted_success", radius=radius) for radius in ("1/255", "64/255")]
    assert found[0].value == 0
    assert found[1].value == 1
    assert one(estimates, "targeted_clean").value == 0
    kept = [r for r in rows.to_pylist() if r["kind"] == "targeted" and r["eps"] > 0.1]
    assert all(r["cosine_after"] > r["cosine_before"] for r in kept)
    assert len({r["wanted"] for r in kept}) == 4


def test_what_is_made_on_a_model_breaks_its_twin_and_another_less(model: Model) -> None:
    eps = ["16/255"]
    _, _, same = measured(model, linear.dataset(30), "transfer", eps_linf=eps, second=linear.SPEC)
    assert one(same, "transfer_success").value == one(same, "attack_success").value == 1.0
    noise = one(same, "noise_success")
    assert noise.value is not None
    assert noise.value < 0.3


@pytest.mark.parametrize(
    ("part", "noise", "size"),
    [("universal", "noise_success", {"universal_eps": "16/255"}), ("patch", "patch_noise", {"patch_area": 0.25})],
)
def test_one_change_for_all_is_shown_on_images_it_was_not_made_on(
    model: Model, monkeypatch: pytest.MonkeyPatch, part: str, noise: str, size: dict[str, Any]
) -> None:
    halves: list[tuple[list[int], list[int]]] = []
    shown = adversarial_for_all._shown

    def noted(trial: Any, kind: Any, number: int, made_on: list[int], shown_on: list[int]) -> Any:
        halves.append((made_on, shown_on))
        return shown(trial, kind, number, made_on, shown_on)

    monkeypatch.setattr(adversarial_for_all, "_shown", noted)
    _, rows, estimates = measured(model, linear.dataset(60), part, **size)
    kept = [r["item"] for r in rows.to_pylist() if r["kind"] == part]
    assert len(kept) == len(set(kept)) == len(linear.subjects(60)), "each image that is right when clean, once"
    assert all(not set(made_on) & set(shown_on) for made_on, shown_on in halves)
    done, random = one(estimates, f"{part}_success"), one(estimates, noise)
    assert done.value is not None
    assert random.value is not None
    if part == "universal":  # a patch at any place gains nothing on a network without any regularity over places
        assert done.value > random.value + 0.2
    assert done.interval is not None
    assert done.interval.method == "Wilson"


def planned(data: Dataset, **params: Any) -> Plan:
    found = tuple(PlannedCell(AUDIT, cell, AUDIT.workload(cell)) for cell in cells(data, **params))
    return Plan(Suite(id="s", title="s", audits=(SuiteEntry(id="adversarial", data="drawn"),)), 0, found)


def run(plan: Plan, model: Model, folder: Path) -> Any:
    store = RunStore(folder)
    with store.writing():
        return execute(plan, model, store)[0]


def test_a_killed_cell_goes_on_where_it_was(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(linear.dataset(50), parts=["linf"], images=50)
    whole = run(plan, model, tmp_path / "calm")
    made: list[list[int]] = []
    records: Callable[..., Any] = adversarial_white._records

    def dies(trial: Any, norm: Any, positions: list[int], checked: bool) -> Any:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(positions)
        return records(trial, norm, positions, checked)

    with monkeypatch.context() as patch:
        patch.setattr(adversarial_white, "_records", dies)
        with pytest.raises(KeyboardInterrupt):
            run(plan, model, tmp_path / "killed")

    def notes(trial: Any, norm: Any, positions: list[int], checked: bool) -> Any:
        made.append(positions)
        return records(trial, norm, positions, checked)

    monkeypatch.setattr(adversarial_white, "_records", notes)
    resumed = run(plan, model, tmp_path / "killed")
    assert sorted(i for positions in made for i in positions) == list(range(50)), "no chunk is attacked twice"
    assert resumed.model_dump_json() == whole.model_dump_json()
    assert not list((tmp_path / "killed" / "scratch").iterdir())


def test_triples_are_shown_only_where_the_card_allows(model: Model, tmp_path: Path) -> None:
    for allowed in (True, False):
        plan = planned(linear.dataset(30, thumbnails=allowed), parts=["linf"], eps_linf=["16/255"])
        (cell,) = run(plan, model, tmp_path / str(allowed)).cells
        assert cell.status is CellStatus.DONE, cell.reason
        (gallery,) = [figure for figure in cell.figures if isinstance(figure, GalleryFigure)]
        counts = {len(entry.thumbnails) for entry in gallery.entries}
        assert (3 in counts) == allowed
        assert bool(gallery.withheld) != allowed
        (folder,) = (tmp_path / str(allowed) / "cells").iterdir()
        rows = RunStore(tmp_path / str(allowed)).rows(cell.slug, cell.key)
        assert bool(rows.column("pictures").drop_null()) == allowed
        assert bool(list((folder / "thumbs").iterdir())) == allowed


def test_a_model_without_gradients_is_not_run(tmp_path: Path) -> None:
    (cell,) = run(planned(linear.dataset(10), parts=["linf"]), load_control("null"), tmp_path).cells
    assert cell.status is CellStatus.NOT_RUN
    assert cell.reason == "the audit needs gradients; this model offers embeddings, scores"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"eps_linf": [1.5]}, "eps_linf"),
        ({"eps_linf": [-0.1]}, "eps_linf"),
        ({"eps_linf": ["4:255"]}, "fraction such as '1/255'"),
        ({"parts": ["transfer"]}, "needs the parameter second"),
        ({"attacks": ["square"]}, "apgd-ce"),
        ({"protocol": "robustvlm", "steps": 5}, "robustvlm fixes steps"),
    ],
)
def test_bad_parameters_are_one_clear_line(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        validate_params(AUDIT, params)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_label_set_of_one_is_one_clear_line() -> None:
    data = linear.dataset(20)
    alone = replace(data, images=[image for image in data.images if image.attributes["label"] == "cup"])
    with pytest.raises(DataError, match=r"label set \['cup'\]; an attack needs at least two classes"):
        cells(alone)


def test_robustvlm_is_the_published_protocol() -> None:
    params = validate_params(AUDIT, {"protocol": "robustvlm"})
    assert (params.attacks, params.steps, params.restarts, params.targets) == (("apgd-ce", "apgd-t"), 100, 5, 9)
    assert len(params.templates) == 80
    assert params.scaled
    assert AdversarialParams.model_validate(params.model_dump(mode="json")) == params
    assert eighty_templates()[0] == "a bad photo of a {}."


def test_small_pictures_are_attacked_at_their_own_size(tmp_path: Path) -> None:
    """The pictures are 12 px, the input is 24: within the radius at 12 px, and another accuracy is no failed check."""
    larger = open_model("control:linear?dim=8&side=24", cache_dir=tmp_path)
    (cell,) = cells(linear.dataset(40), parts=["linf"], native=True, eps_linf=["8/255"])
    trial = prepare(cell, larger)
    assert trial.pixels([0]).shape == (1, 3, linear.SIDE, linear.SIDE)
    rows = AUDIT.run(cell, larger)
    estimates = AUDIT.score(cell, rows)
    assert one(estimates, "check_zero").value == 0
    hit = [r for r in rows.to_pylist() if r["kind"] == "attack" and r["right"]]
    assert hit
    assert any(r["success"] for r in hit)
    with pytest.raises(DataError, match="square pictures of one size, at most 8 px"):
        prepare(cell, open_model("control:linear?dim=8&side=8", cache_dir=tmp_path))


def test_images_are_drawn_evenly_over_the_classes(model: Model) -> None:
    (cell,) = cells(linear.dataset(60), parts=["linf"], images=20)
    trial = prepare(cell, model)
    counts = [trial.sample.labels.count(name) for name in linear.CLASSES]
    assert counts == [4] * 5


@pytest.mark.parametrize("part", ["linf", "l2", "targeted", "universal", "patch"])
def test_the_forecast_is_within_a_factor_of_two(model: Model, part: str) -> None:
    (cell,) = cells(linear.dataset(60), parts=[part], eps_linf=["2/255", "4/255", "8/255"], eps_l2=[0.1, 0.2, 0.4])
    texts = cell.params.wanted if part == "targeted" else ()
    foreseen = foreseen_passes(cell, model, texts)
    trials = []

    def noted(*args: Any) -> Any:
        trials.append(prepare(*args))
        return trials[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clipaudit_audits.robustness.adversarial.prepare", noted)
        AUDIT.run(cell, model)
    victim = trials[0].victim
    spent = victim.backwards + 0.4 * (victim.forwards - victim.backwards)
    assert spent / 2 <= foreseen <= 2 * spent
