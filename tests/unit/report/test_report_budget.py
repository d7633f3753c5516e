"""However large a run is, the page stays small, and says what it left out."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from clipaudit_reports import build_report, render_html
from clipaudit_reports.budget import LADDER, PAGE, Detail

from clipaudit.results import (
    BarsFigure,
    CellResult,
    CurveFigure,
    Estimate,
    ForestFigure,
    HeatmapFigure,
    Interval,
    Point,
    RunResult,
    Series,
    Status,
    Test,
)

WORDS, GROUPS, CLASSES = 120, 12, 177


def big_estimates(words: int) -> tuple[Estimate, ...]:
    return tuple(
        Estimate(
            metric="shift", title="Shift of cosine", value=0.001 * word - 0.01 * group, unit="cosine", n=240, clusters=24,
            subgroup={"word": f"word {word}", "group": f"group {group}"},
            interval=Interval(low=0.001 * word - 0.01 * group - 0.02, high=0.001 * word - 0.01 * group + 0.02, method="BCa"),
            test=Test(p=0.04, p_adjusted=0.4, correction="Benjamini-Hochberg", method="permutation"),
            status=Status.EFFECT if word % 10 == 0 else Status.NO_EFFECT, minimum_detectable=0.01,
            sentence=f"Word {word} moves for group {group} by some amount, and this sentence says how much and how surely.",
        )
        for word in range(words) for group in range(GROUPS)
    )  # fmt: skip


def big_cell(cell: CellResult, key: str, words: int) -> CellResult:
    points = tuple(Point(label=f"class {i}", value=i / CLASSES, low=0.0, high=1.0, n=50) for i in range(CLASSES))
    values = tuple(tuple(0.01 * i - 0.02 * j for j in range(GROUPS)) for i in range(WORDS))
    figures = (
        ForestFigure(id="forest", title="39 tests", x_label="d", points=points[:39]),
        BarsFigure(id="bars", title="177 classes", y_label="accuracy", points=points),
        HeatmapFigure(id="heat", title="120 words", rows=tuple(f"word {i}" for i in range(WORDS)), diverging=True,
                      columns=tuple(f"group {j}" for j in range(GROUPS)), values=values, value_label="shift"),
        CurveFigure(id="curve", title="dose", x_label="x", y_label="y", series=tuple(
            Series(name=f"s{k}", x=tuple(map(float, range(300))), y=tuple(map(float, range(300)))) for k in range(3))),
    )  # fmt: skip
    return cell.model_copy(update={"key": key, "slug": key, "figures": figures, "estimates": big_estimates(words)})


def big_run(result: RunResult, cells: int, words: int) -> RunResult:
    made = tuple(big_cell(result.cells[0], f"cell-{i}", words) for i in range(cells))
    return result.model_copy(update={"cells": made})


def test_a_big_run_is_complete(result: RunResult) -> None:
    page = render_html(big_run(result, 1, 20))
    assert len(page.encode()) < PAGE
    assert "are left out to keep" not in page
    assert page.count("Word 19 moves for group 11") == 1
    assert "Drawn: 40 of 177 rows" in page
    assert '<th scope="row">class 88</th>' in page  # not drawn, but in the table


def test_a_huge_run_stays_small_and_says_what_is_missing(result: RunResult) -> None:
    run = big_run(result, 2, WORDS)
    page = render_html(run)
    assert len(page.encode()) < PAGE
    assert "too large for one small page" in page
    assert re.search(r"\d+ further estimates are left out", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


@pytest.mark.parametrize("detail", LADDER[1:])
def test_every_listing_keeps_the_same_largest_findings(result: RunResult, detail: object) -> None:
    level = next(step for step in LADDER if step == detail)
    report = build_report(big_run(result, 1, 60), None, None, level)
    told = {finding.anchor for group in report.groups for block in group.blocks for finding in block.findings}
    listed = {finding.anchor for cell in report.cells for block in cell.primary for finding in block.findings}
    assert told == listed
    for group in report.groups:
        for block in group.blocks:
            assert block.left_out + len(block.findings) == group.count
            assert len(block.findings) == min(level.findings, group.count)
    assert not report.complete


@pytest.mark.parametrize("detail", LADDER[-4:])
def test_what_is_not_drawn_stands_in_its_table(result: RunResult, detail: Detail) -> None:
    cell = build_report(big_run(result, 1, 2), None, None, detail).done[0]
    assert len(cell.plots) == min(4, detail.tables)
    assert cell.plots_left_out == 4 - len(cell.plots)
    drawn = [plot for plot in cell.plots if not plot.blank]
    assert drawn == list(cell.plots[: detail.plots])  # audits give their main figure first
    assert all(plot.blank.startswith("Not drawn, to keep the report small") for plot in cell.plots[detail.plots :])
    assert all(plot.table.rows for plot in cell.plots)


def test_steps_of_the_ladder_only_go_down() -> None:
    for above, below in pairwise(LADDER):
        assert below.thumbnails <= above.thumbnails
        assert below.gallery <= above.gallery
        assert below.plots <= above.plots
        assert below.plots <= below.tables <= above.tables
        assert below.plot_rows <= above.plot_rows
        assert below.table_rows <= above.table_rows
        assert below.findings < above.findings
        assert below.details <= above.details <= above.findings
