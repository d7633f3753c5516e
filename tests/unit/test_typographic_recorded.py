"""Recorded tables of cosines through the typographic audit: accuracies that are known to the picture."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.robustness.typographic import Typographic
from clipaudit_audits.robustness.typographic_params import TypographicParams

from clipaudit.contract import PlanContext
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataError, ModelError, NotSupported
from clipaudit.models.recorded import load_recorded
from clipaudit.results import Estimate

AUDIT = Typographic()
N = 1162  # photographs, as SCAM has
RIGHT = {"NoSCAM": 1136, "SCAM": 426, "SynthSCAM": 261}  # of CLIP RN50
PUBLISHED = {"NoSCAM": 97.76, "SCAM": 36.66, "SynthSCAM": 22.46}
REAL = {"variant": "real"}
LABELS = [f"thing {i}" for i in range(60)]
WORDS = [f"word {i}" for i in range(25)]


def _rows(n: int = N) -> list[dict[str, str]]:
    return [
        {
            "id": f"{kind}_img_{i:04d}", "type": kind, "object_label": LABELS[i % 60], "attack_word": WORDS[i % 25],
            "postit_area_pct": f"{0.2 + 0.03 * i:.3f}",
        }
        for kind in RIGHT
        for i in range(n)
    ]  # fmt: skip


def _cosines(rows: Sequence[dict[str, str]]) -> list[tuple[float, float]]:
    """(to the label, to the word) of each picture; the first RIGHT[kind] of each kind are right, by hairs or more."""
    rng, seen, found = np.random.default_rng(0), dict.fromkeys(RIGHT, 0), []
    for row in rows:
        base, lead = rng.uniform(0.1, 0.3), float(np.float32(rng.choice([1e-6, 1e-3, 0.05])))
        right = seen[row["type"]] < RIGHT[row["type"]]
        seen[row["type"]] += 1
        found.append((base + lead, base) if right else (base, base + lead))
    return found


def _write(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _long(folder: Path, rows: Sequence[dict[str, str]], template: str = "{}", suffix: str = "") -> None:
    columns: dict[str, list[object]] = {"id": [], "text": [], "score": []}
    for row, pair in zip(rows, _cosines(rows), strict=True):
        for text, score in zip((row["object_label"], row["attack_word"]), pair, strict=True):
            columns["id"].append(row["id"] + suffix)
            columns["text"].append(template.replace("{}", text))
            columns["score"].append(score)
    pq.write_table(pa.table(columns), folder / "scores.parquet")


def _pairs(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    scores = [{"object_similarities": a, "attack_similarities": b} for a, b in _cosines(rows)]
    _write(folder / "scores.csv", [row | score for row, score in zip(rows, scores, strict=True)])


def _pairs_parquet(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    cosines = np.array(_cosines(rows))
    table = {"image": [f"images/train/{row['id']}.jpg" for row in rows]}
    table |= {
        name: [row[column] for row in rows] for name, column in (("Label", "object_label"), ("word", "attack_word"))
    }
    pq.write_table(
        pa.table({**table, "cosine_label": cosines[:, 0], "cosine_written": cosines[:, 1]}), folder / "scores.parquet"
    )


def _matrix(folder: Path, rows: Sequence[dict[str, str]]) -> None:
    values = np.random.default_rng(1).uniform(-0.2, 0.05, (len(rows), len(LABELS) + len(WORDS)))
    names = [*LABELS, *WORDS]
    for i, (row, pair) in enumerate(zip(rows, _cosines(rows), strict=True)):
        values[i, names.index(row["object_label"])], values[i, names.index(row["attack_word"])] = pair
    columns = {name: values[:, j] for j, name in enumerate(names)}
    pq.write_table(pa.table({"image_id": [row["id"] for row in rows], **columns}), folder / "scores.parquet")


def _score(tmp_path: Path, data_id: str = "scam", rows: Sequence[dict[str, str]] | None = None, kind: str = "cosine",
           **params: object) -> list[Estimate]:  # fmt: skip
    (tmp_path / "manifest.toml").write_text(f'name = "m"\nkind = "scores"\nscore_kind = "{kind}"\n')
    table = _write(tmp_path / "labels.csv", rows or _rows())
    dataset = DataRegistry({data_id: table}).open(data_id)
    cell = AUDIT.plan(PlanContext(TypographicParams.model_validate(params), 0, dataset))[0]
    found = AUDIT.run(cell, load_recorded(tmp_path))
    estimates = AUDIT.score(replace(cell, dataset=None), found)
    assert AUDIT.figures(replace(cell, dataset=None), found, estimates)
    return estimates


def _accuracies(estimates: Sequence[Estimate]) -> dict[str, float]:
    found = {}
    for e in estimates:
        if e.metric == "clean_accuracy" and not e.subgroup:
            found["NoSCAM"] = e
        if e.metric == "attacked_accuracy" and set(e.subgroup) == {"variant"}:
            found["SynthSCAM" if e.subgroup["variant"] == "synthetic" else "SCAM"] = e
    assert all(e.n == N for e in found.values())
    return {name: round(100 * e.value, 2) for name, e in found.items()}


@pytest.mark.parametrize(
    "write",
    [
        _long,
        lambda folder, rows: _long(folder, rows, suffix=".jpg"),
        _pairs,
        _pairs_parquet,
        _matrix,
    ],
    ids=["two rows a picture", "with suffix", "two columns", "two columns with folders", "matrix"],
)
@pytest.mark.parametrize("protocol", ["two-way", "scam"])
def test_two_way_accuracy_is_that_of_the_table(tmp_path: Path, write: Callable[..., None], protocol: str) -> None:
    write(tmp_path, _rows())
    assert _accuracies(_score(tmp_path, protocol=protocol)) == PUBLISHED


def test_what_is_said_beside_the_published_numbers(tmp_path: Path) -> None:
    _pairs(tmp_path, _rows())
    estimates = _score(tmp_path, protocol="scam")
    real = next(e for e in estimates if e.metric == "attacked_accuracy" and e.subgroup == REAL)
    assert real.role == "preset"
    assert {r.label: r.value for r in real.references}["CLIP RN50"] == 0.3666
    assert any("recorded for labels" in note for note in real.notes)
    drop = next(e for e in estimates if e.metric == "accuracy_drop" and e.subgroup == REAL)
    assert drop.value == pytest.approx(100 * (1136 - 426) / N)  # the first ones are right, nested: so the test is exact
    assert drop.test.method.startswith("McNemar exact")
    success = next(e for e in estimates if e.metric == "attack_success" and e.subgroup == REAL)
    assert (success.n, round(success.value, 6)) == (1136, round((1136 - 426) / 1136, 6))
    quarters = [e for e in estimates if "note area" in e.subgroup and e.subgroup["variant"] == "real"]
    assert [e.n for e in quarters] == [291, 290, 290, 291]
    assert [round(e.value, 6) for e in quarters] == [1.0, round(135 / 290, 6), 0.0, 0.0]
    assert quarters[0].references[0].value == 0.708
    assert not any("choice" in e.subgroup for e in estimates)  # the other classes were not scored


def test_a_matrix_gives_the_choice_among_all_classes_too(tmp_path: Path) -> None:
    _matrix(tmp_path, _rows(60))
    estimates = _score(tmp_path, rows=_rows(60), protocol="two-way")
    assert any(e.metric == "attacked_accuracy" and "choice" in e.subgroup for e in estimates)


def test_prompts_are_found_by_the_template(tmp_path: Path) -> None:
    _long(tmp_path, _rows(), template="a photo of a {}")
    with pytest.raises(DataError, match="did you mean a photo of a thing"):
        _score(tmp_path, protocol="two-way")
    assert _accuracies(_score(tmp_path, protocol="two-way", templates=["a photo of a {}"])) == PUBLISHED


def test_the_other_kinds_of_score(tmp_path: Path) -> None:
    rows = _rows(40)
    scores = [{"object_similarities": 100 * a, "attack_similarities": 100 * b} for a, b in _cosines(rows)]
    _write(tmp_path / "scores.csv", [row | score for row, score in zip(rows, scores, strict=True)])
    with pytest.raises(DataError, match=r"is no cosine; correct score_kind in manifest\.toml"):
        _score(tmp_path, rows=rows, protocol="two-way")
    assert _score(tmp_path, rows=rows, kind="logit", protocol="two-way")


def test_ties_are_wrong_and_are_counted_aloud(tmp_path: Path) -> None:
    rows = [row for row in _rows(40) if row["type"] == "SCAM"]
    scores = [{"score_label": 0.2 + (i > 2) * 0.1, "score_written": 0.2} for i in range(40)]
    _write(tmp_path / "scores.csv", [row | score for row, score in zip(rows, scores, strict=True)])
    real = next(e for e in _score(tmp_path, rows=rows, protocol="two-way") if e.metric == "attacked_accuracy")
    assert real.value == pytest.approx(37 / 40)
    assert any(note.startswith("3 pictures scored both labels alike") for note in real.notes)


def test_rta100_with_two_scores_a_picture(tmp_path: Path) -> None:
    names = [f"label={LABELS[i % 60]}_text={WORDS[i % 25]}.jpg" for i in range(100)]
    rows = [{"id": n, "label": LABELS[i % 60], "written": WORDS[i % 25]} for i, n in enumerate(names)]
    scores = [{"score_label": 0.3, "score_written": 0.2 if i < 63 else 0.31} for i in range(100)]
    _write(tmp_path / "scores.csv", [row | score for row, score in zip(rows, scores, strict=True)])
    estimates = _score(tmp_path, "rta100", rows=rows, protocol="two-way")
    assert next(e for e in estimates if e.metric == "attacked_accuracy").value == pytest.approx(0.63)
    with pytest.raises(
        NotSupported, match=r"not hold .* all 85 classes .*no score of id.*two-way needs"
    ):  # the published protocol asks for all classes
        _score(tmp_path, "rta100", rows=rows, protocol="rta100")


def test_a_picture_without_scores_is_an_error_of_that_picture(tmp_path: Path) -> None:
    _long(tmp_path, [row for row in _rows() if row["id"] != "SCAM_img_0007"])
    real = next(
        e for e in _score(tmp_path, protocol="two-way") if e.metric == "attacked_accuracy" and e.subgroup == REAL
    )
    assert real.n == N - 1


def test_a_recording_of_something_else_is_one_clear_line(tmp_path: Path) -> None:
    _write(tmp_path / "scores.csv", [{"id": "other", "text": WORDS[0], "score": 0.1}])
    with pytest.raises(DataError, match=r"id 'NoSCAM_img_0000' and 3485 more not recorded"):
        _score(tmp_path, protocol="two-way")
    _write(tmp_path / "scores.csv", [{"id": "a", "cosine": 0.1}])
    with pytest.raises(ModelError, match="not a table of scores: it has the columns id, cosine; write id, text, score"):
        _score(tmp_path, protocol="two-way")


def test_a_prefix_has_no_effect_on_recorded_labels(tmp_path: Path) -> None:
    _pairs(tmp_path, _rows(40))
    with pytest.raises(NotSupported, match="a prefix has no effect"):
        _score(tmp_path, rows=_rows(40), protocol="two-way", prefix="ignore the text: ")


def test_ids_and_labels_of_a_csv_stay_as_written(tmp_path: Path) -> None:
    rows = [{"image": f"00{i}", "label": "null", "word": "1e3", "cos_label": 0.2, "cos_written": 0.1} for i in range(3)]
    _write(tmp_path / "scores.csv", rows)
    (tmp_path / "manifest.toml").write_text('name = "m"\nkind = "scores"\nscore_kind = "cosine"\n')
    from clipaudit.data.files import NamedItem

    model = load_recorded(tmp_path)
    found = model.score_labels([NamedItem(f"00{i}", {}) for i in range(3)], ["null", "1e3"], ("{}",))
    np.testing.assert_allclose(found.values, [[0.2, 0.1]] * 3)
