"""Runs side by side: what is better, worse or cannot be told, which items flipped, and many runs by finding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from gate_runs import accuracy, answers, cell, estimate, write_run
from html_tree import having, text_of, tree_of
from scipy.stats import false_discovery_control

from clipaudit.cli import _run as cli
from clipaudit.compare import words
from clipaudit.compare.compare import compare
from clipaudit.compare.pictures import pictures
from clipaudit.compare.results import Comparison, Difference, Outcome
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import UsageError
from clipaudit.results import CellStatus, Direction, Status
from clipaudit.stats.paired import mcnemar_exact
from clipaudit.stats.power import mde_paired

RNG = np.random.default_rng(3)
BASE = (RNG.random(500) < 0.6).tolist()
NEAR = [not ok if i % 50 == 0 else ok for i, ok in enumerate(BASE)]
BETTER = [ok or i % 4 == 0 for i, ok in enumerate(BASE)]
WORSE = [ok and i % 4 > 0 for i, ok in enumerate(BASE)]


def right(path: Path, flags: Sequence[bool], name: str) -> Path:
    return write_run(path, [cell([accuracy(flags)])], {"zero_shot.objects": answers(flags)}, name=name)


def one(found: Comparison) -> Difference:
    ((difference,),) = [pair.differences for pair in found.pairs]
    return difference


@pytest.mark.parametrize(
    ("flags", "outcome"), [(BETTER, Outcome.BETTER), (WORSE, Outcome.WORSE), (NEAR, Outcome.UNTOLD)]
)
def test_a_finding_is_better_worse_or_cannot_be_told(tmp_path: Path, flags: list[bool], outcome: Outcome) -> None:
    found = one(compare(right(tmp_path / "base", BASE, "old"), [right(tmp_path / "new", flags, "new")]))
    up = [f"i{i:04}" for i, (a, b) in enumerate(zip(BASE, flags, strict=True)) if b > a]
    down = [f"i{i:04}" for i, (a, b) in enumerate(zip(BASE, flags, strict=True)) if b < a]
    assert (found.outcome, found.paired) == (outcome, True)
    assert found.flips is not None
    assert (list(found.flips.up), list(found.flips.down)) == (up, down)
    assert found.change == pytest.approx((len(up) - len(down)) / 500)
    assert found.test is not None
    assert found.test.p == mcnemar_exact(len(up), len(down)).p
    assert found.minimum_detectable == pytest.approx(mde_paired(500, (len(up) + len(down)) / 500))


def test_all_findings_of_a_run_are_one_family(tmp_path: Path) -> None:
    shifts = (0.0, 0.03, 0.05, 0.2)
    runs = [
        write_run(
            tmp_path / str(k),
            [cell([estimate(0.5 + k * s, 0.45 + k * s, 0.55 + k * s, subgroup={"g": str(s)}) for s in shifts])],
        )
        for k in (0, 1)
    ]
    (pair,) = compare(runs[0], runs[1:]).pairs
    tests = [each.test for each in pair.differences if each.test is not None]
    assert [test.p_adjusted for test in tests] == pytest.approx(false_discovery_control([test.p for test in tests]))
    assert [each.outcome.value for each in pair.differences] == ["cannot be told"] * 3 + ["better"]
    assert not any(each.paired for each in pair.differences)


def test_a_descriptive_metric_only_changes_and_controls_and_small_groups_are_left_out(tmp_path: Path) -> None:
    def run(name: str, at: float) -> Path:
        found = [
            estimate(at, at - 0.01, at + 0.01, direction=Direction.DESCRIPTIVE),
            estimate(at, at - 0.01, at + 0.01, role="control", subgroup={"x": "y"}),
            estimate(at, at - 0.01, at + 0.01, status=Status.TOO_SMALL, subgroup={"x": "z"}),
        ]
        return write_run(tmp_path / name, [cell(found)])

    assert one(compare(run("base", 0.2), [run("new", 0.6)])).outcome is Outcome.CHANGED


def test_cells_that_do_not_match_are_named_with_the_reason(tmp_path: Path) -> None:
    base = write_run(
        tmp_path / "base",
        [cell([estimate()]), cell([estimate()], data="a", digest="a" * 64), cell([estimate()], data="gone")],
    )
    new = write_run(
        tmp_path / "new",
        [cell([estimate()]), cell([estimate()], data="a", digest="b" * 64), cell([estimate()], data="more"),
         cell([], audit="disparity", status=CellStatus.ERRORED, reason="it broke")],
    )  # fmt: skip
    (pair,) = compare(base, [new]).pairs
    assert len(pair.differences) == 1
    said = "\n".join(pair.unmatched)
    for part in ("zero_shot.a: other data", "zero_shot.more: not in the base", "zero_shot.gone: only in the base",
                 "disparity.objects: not in the base"):  # fmt: skip
        assert part in said


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    base = right(tmp_path / "base", BASE, "old")
    with pytest.raises(UsageError, match="no finding in common"):
        compare(base, [write_run(tmp_path / "other", [cell([estimate()], data="x")])])
    with pytest.raises(UsageError, match="at least two runs"):
        compare(base, [])
    edited = right(tmp_path / "edited", BASE, "new")
    (edited / "result.json").write_text((edited / "result.json").read_text().replace('"n": 500', '"n": 501'))
    with pytest.raises(UsageError, match="was changed after"):
        compare(base, [edited])


def test_the_board_has_all_runs_and_no_total(tmp_path: Path) -> None:
    runs = [
        right(tmp_path / n, f, n) for n, f in (("old", BASE), ("worse", WORSE), ("better", BETTER), ("twin", BETTER))
    ]
    (row,) = compare(runs[0], runs[1:]).board
    assert [each.outcome for each in row.standings] == [None, Outcome.WORSE, Outcome.BETTER, Outcome.BETTER]
    assert [each.value for each in row.standings] == [sum(f) / 500 for f in (BASE, WORSE, BETTER, BETTER)]
    assert row.best == (2, 3)


def test_the_board_says_what_cannot_be_compared_and_why(tmp_path: Path) -> None:
    fine = right(tmp_path / "base", BASE, "base")
    near = right(tmp_path / "near", NEAR, "near")
    others = {
        "data": cell([estimate(0.99)], digest="e" * 64),
        "small": cell([estimate(0.99, status=Status.TOO_SMALL)]),
        "undefined": cell([estimate(None)]),
        "errored": cell([], status=CellStatus.ERRORED, reason="it broke"),
        "without": cell([estimate()], audit="typographic"),
        "elsewhere": cell([estimate(subgroup={"g": "x"})]),
    }
    runs = [near, *(write_run(tmp_path / name, [one], name=name) for name, one in others.items())]
    found = compare(fine, runs)
    row = found.board[0]
    assert [each.why for each in row.standings] == [
        "", "", "other data: 400 items, in the base 400, with another digest", "too small to judge", "not defined",
        "errored: it broke", "not part of this run", "no such finding",
    ]  # fmt: skip
    assert [each.outcome for each in row.standings] == [None, Outcome.UNTOLD, *[None] * 6]
    assert [each.value for each in row.standings[2:5]] == [0.99, 0.99, None], "shown all the same"
    assert set(row.best) <= {0, 1}, "what cannot be compared is not the best"
    assert {row.cell_name for row in found.board} == {"zero_shot.objects", "typographic.objects"}
    (other,) = [row for row in found.board if row.subgroup]
    assert other.standings[0].why == "no such finding"
    assert other.standings[-1].why == "no such finding in the base"
    (typed,) = [row for row in found.board if row.cell == "typographic.objects"]
    assert typed.standings[-2].why == "not in the base with these parameters"


def test_cells_of_one_audit_and_data_set_are_told_apart(tmp_path: Path) -> None:
    cells = [
        cell([estimate()], params={"templates": [t]}, key=f"{i:016}")
        for i, t in enumerate(("a photo of a {}.", "a {}."))
    ]
    runs = [write_run(tmp_path / str(k), cells) for k in (0, 1)]
    found = compare(runs[0], runs[1:])
    names = [f"zero_shot.objects templates={t}" for t in ("a photo of a {}.", "a {}.")]
    assert [each.name for each in found.cells] == names
    assert [each.cell_name for each in found.pairs[0].differences] == names
    assert [row.cell_name for row in found.board] == names


def test_terminal_markdown_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [right(tmp_path / n, f, f"{n} <b>|\x1b[31m") for n, f in (("old", BASE), ("worse", WORSE), ("near", NEAR))]
    files = tmp_path / "c.json", tmp_path / "c.md"
    assert cli(["compare", *map(str, runs), "--json", str(files[0]), "--markdown", str(files[1])], debug=True) == 0
    out, text = capsys.readouterr().out, files[1].read_text()
    assert "1 worse, of 1 finding" in out
    assert "1 cannot be told, of 1 finding (--all lists all)" in out
    assert "items that flipped in Zero-shot accuracy, zero_shot.objects:" in out
    assert "\x1b" not in out + text
    assert "<b>" not in text
    assert "### ▼ Worse" in text
    assert "## All runs by finding" in text
    stored = json.loads(files[0].read_text())
    assert Comparison.model_validate(stored) == compare(runs[0], runs[1:])
    assert cli(["compare", *map(str, runs[::2]), "--all"], debug=True) == 0
    assert "= cannot be told" in capsys.readouterr().out


def test_terminal_json_and_page_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("old", BASE), ("worse", WORSE), ("near", NEAR), ("better", BETTER)
    runs = [right(tmp_path / name, f, name) for name, f in flags]
    small = write_run(tmp_path / "small", [cell([estimate(0.9, status=Status.TOO_SMALL)])], name="small")
    files = tmp_path / "c.json", tmp_path / "c.html"
    arguments = ["compare", *map(str, (*runs, small)), "--all", "--json", str(files[0]), "--html", str(files[1])]
    assert cli(arguments, debug=True) == 0
    terminal = " ".join(capsys.readouterr().out.split())
    found = Comparison.model_validate_json(files[0].read_text())
    tree = tree_of(files[1].read_text())
    rows = [text_of(row) for table in having(tree, "table", "changes") for row in table.iter("tr") if row.get("id")]
    differences = [each for pair in found.pairs for each in pair.differences]
    assert len(rows) == len(differences) == 3
    for each, row in zip(differences, rows, strict=True):
        figures = (words.values(each), *words.change(each), str(each.n), words.p_of(each))
        assert all(part in row for part in figures)
        assert " ".join(figures) in terminal
        assert f"{words.MARKS[each.outcome]} {each.outcome.value}" in terminal
    heads = [text_of(head) for head in tree.iter("h4")]
    assert heads == [f"{each.outcome.value.capitalize()} 1" for each in differences]
    page = text_of(tree)
    for pair in found.pairs:
        assert words.counts(pair) in terminal
        assert words.counts(pair).capitalize() in page
    ((_, board),) = [list(table.iter("tr")) for table in having(tree, "table", "board")]
    for number, shown in enumerate(list(board)[1:]):
        assert all(part in text_of(shown) for part in words.standing_value(found.board[0], number))
    assert "not comparable: too small to judge" in page


def test_report_of_several_runs_is_their_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [right(tmp_path / name, f, name) for name, f in (("old", BASE), ("worse", WORSE))]
    out = tmp_path / "page.html"
    assert cli(["report", *map(str, runs), "-o", str(out)], debug=True) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert text_of(next(tree_of(out.read_text()).iter("h1"))) == "old → worse"
    assert cli(["report", *map(str, runs), "-o", str(out), "--format", "markdown"], debug=True) == 0
    assert out.read_text().startswith("## old → worse")
    assert cli(["report", *map(str, runs), "-o", str(out), "--format", "pdf"], debug=False) == 2
    assert "unknown export 'comparison-pdf'" in capsys.readouterr().err


def test_pictures_are_of_the_items_that_flipped_where_the_card_allows(tmp_path: Path) -> None:
    """From the installed set of drawn objects; a set out of reach, or another version of it, gives none."""
    registry = DataRegistry(offline=True)
    dataset = registry.open("objects")
    flags = [i < 40 for i in range(len(dataset))]
    items = pa.array([image.id for image in dataset.images])

    def written(name: str, right: list[bool], **more: object) -> Path:
        rows = answers(right).set_column(0, "item", items).set_column(1, "cluster", items)
        info = dataset.info.model_copy(update=more)
        one = cell([accuracy(right)]).model_copy(update={"data": info})
        return write_run(tmp_path / name, [one], {"zero_shot.objects": rows}, name=name)

    base, new = written("base", flags), written("new", [False] * len(dataset))
    found = compare(base, [new])
    files = pictures(found, registry)
    assert sorted(files) == sorted(f"zero_shot.objects/{image.id}" for image in dataset.images[:40])
    assert all(data[:4] == b"RIFF" for data in files.values())
    withheld = compare(written("a", flags, thumbnails=False), [written("b", [False] * len(dataset), thumbnails=False)])
    assert pictures(withheld, registry) == {}
    other = compare(written("c", flags, digest="0" * 64), [written("d", [False] * len(dataset), digest="0" * 64)])
    assert pictures(other, registry) == {}


def test_runs_of_models_of_one_name_are_told_apart_by_their_directories(tmp_path: Path) -> None:
    found = compare(right(tmp_path / "monday", BASE, "m"), [right(tmp_path / "friday", NEAR, "m")])
    assert (found.base.label, found.pairs[0].run.label) == ("monday", "friday")
