"""Plots: every kind draws, in the page's colours, the same bytes each time, with text as it is written."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from clipaudit_reports.budget import LADDER, Detail
from clipaudit_reports.figures import plot_view
from clipaudit_reports.plots import draw
from clipaudit_reports.plots.palette import SERIES, VARIABLES
from clipaudit_reports.plots.rank import outside
from clipaudit_reports.plots.reliability import missed
from clipaudit_reports.plots.rows import place
from clipaudit_reports.plots.scatter import equal_limits
from clipaudit_reports.plots.trim import trimmed
from clipaudit_reports.tables import table

from clipaudit.results import (
    BarsFigure,
    Cloud,
    CurveFigure,
    Figure,
    ForestFigure,
    GalleryFigure,
    HeatmapFigure,
    Panel,
    PanelsFigure,
    Point,
    RankFigure,
    Reference,
    ReliabilityBin,
    ReliabilityCurve,
    ReliabilityFigure,
    RunResult,
    ScatterFigure,
    Series,
    ShapeTextureFigure,
)

SVG = "{http://www.w3.org/2000/svg}"
EMPTY: list[Figure] = [
    ForestFigure(id="a", title="t", x_label="x", points=()),
    BarsFigure(id="a", title="t", y_label="y", points=(Point(label="none", value=None),)),
    CurveFigure(id="a", title="t", x_label="x", y_label="y", series=(Series(name="s", x=(), y=()),)),
    CurveFigure(
        id="a", title="t", x_label="x", y_label="y", x_log=True, series=(Series(name="s", x=(0.0, 1), y=(1, 2)),)
    ),
    HeatmapFigure(id="a", title="t", rows=("r",), columns=("c",), values=((None,),), value_label="v"),
    HeatmapFigure(id="a", title="t", rows=(), columns=(), values=(), value_label="v", diverging=True),
    ShapeTextureFigure(id="a", title="t", points=(Point(label="cat", value=None),)),
    RankFigure(id="a", title="t", x_label="x", y_label="y", series=()),
    RankFigure(id="a", title="t", x_label="x", y_label="y", series=(Series(name="s", x=(1.0, 2.0), y=(None, None)),)),
    ScatterFigure(id="a", title="t", x_label="x", y_label="y", clouds=()),
    ScatterFigure(id="a", title="t", x_label="x", y_label="y", clouds=(Cloud(name="c", x=(), y=()),), gap="none"),
    ReliabilityFigure(id="a", title="t", curves=()),
    ReliabilityFigure(id="a", title="t", curves=(ReliabilityCurve(name="c", bins=()),)),
    PanelsFigure(id="a", title="t", x_label="x", panels=()),
    PanelsFigure(id="a", title="t", x_label="x", panels=(Panel(title="p", points=(Point(label="r", value=None),)),)),
]


@pytest.fixture
def detail() -> Detail:
    return LADDER[0]


def plots(result: RunResult) -> list[Figure]:
    return [f for cell in result.cells for f in cell.figures if not isinstance(f, GalleryFigure)]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_kind_is_in_the_sample(result: RunResult) -> None:
    kinds = {figure.kind for cell in result.cells for figure in cell.figures}
    assert kinds == {
        "forest",
        "bars",
        "curve",
        "rank",
        "panels",
        "heatmap",
        "shape-texture",
        "scatter",
        "reliability",
        "gallery",
    }


def test_each_plot_is_small_valid_deterministic_svg_without_fixed_ink(result: RunResult) -> None:
    for figure in plots(result):
        svg = draw(figure, "p")
        assert svg == draw(figure, "p")
        root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
        assert root.get("viewBox")
        assert "var(--ink)" in svg
        assert not any(standin in svg for standin in VARIABLES), "a stand-in colour was not replaced"
        assert "<style" not in svg
        assert "date" not in svg.lower()
        assert len(svg) < 60_000


def test_text_is_text_and_a_dollar_is_a_dollar() -> None:
    names = ("$x^2$", "a & b < c", "100 % _under_", "語")
    points = tuple(Point(label=name, value=1.0, low=0.5, high=1.5) for name in names)
    svg = draw(ForestFigure(id="f", title="t", x_label="cost in $, or $", points=points), "p")
    shown = texts(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert {*names, "cost in $, or $"} <= set(shown)


def test_logarithmic_axes_have_plain_numbers(result: RunResult) -> None:
    curve = next(figure for figure in plots(result) if isinstance(figure, CurveFigure))
    svg = draw(curve, "p")
    assert "mathdefault" not in svg
    assert {"0.010", "0.050", "0.20"} <= set(texts(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)))


@pytest.mark.parametrize("figure", EMPTY, ids=lambda figure: figure.kind)
def test_nothing_to_draw_draws_nothing_and_does_not_fail(figure: Figure) -> None:
    assert draw(figure, "p").startswith("<svg")
    assert table(figure).head


def test_a_gallery_is_no_plot() -> None:
    with pytest.raises(ValueError, match="gallery"):
        draw(GalleryFigure(id="g", title="t", entries=()), "p")


def test_the_forest_prints_value_interval_and_n_of_each_row() -> None:
    figure = ForestFigure(
        id="f", title="t", x_label="d", points=(Point(label="a", value=0.5, low=0.25, high=0.75, n=1234),)
    )
    shown = texts(draw(figure, "p").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert "0.50 [0.25, 0.75]" in shown
    assert "n 1,234" in shown


def test_published_values_stand_on_the_row_of_their_label() -> None:
    rows = place(
        [
            Point(label="a", value=1, low=0, high=2, group="model"),
            Point(label="b", value=1, low=0, high=2, group="model"),
            Point(label="b", value=1, low=0, high=2, group="other"),
            Point(label="a", value=3, group="published"),
            Point(label="a", value=1, low=0, high=2, group="model"),
        ]
    )
    assert rows.lines == (0.0, 1.0, 2.0, 0.0, 3.0)
    assert rows.labels == ((0.0, "a"), (1.5, "b"), (3.0, "a"))
    assert rows.count == 4


def test_large_plots_keep_the_extremes_and_say_what_is_left_out() -> None:
    points = tuple(Point(label=f"class {i:03}", value=float((i * 37) % 177)) for i in range(177))
    drawn, note = trimmed(BarsFigure(id="b", title="t", y_label="y", points=points), 40)
    assert isinstance(drawn, BarsFigure)
    assert sorted(point.value or 0.0 for point in drawn.points) == [
        *map(float, range(20)),
        *map(float, range(157, 177)),
    ]
    assert "40 of 177" in note
    assert [point.label for point in drawn.points] == sorted(point.label for point in drawn.points)
    assert trimmed(drawn, 40) == (drawn, "")


def test_large_heatmaps_keep_values_with_their_names() -> None:
    rows, columns = tuple(f"word {i}" for i in range(120)), tuple(f"group {j}" for j in range(30))
    values = tuple(tuple(float(i - j) for j in range(30)) for i in range(120))
    figure = HeatmapFigure(id="h", title="t", rows=rows, columns=columns, values=values, value_label="v",
                           marked=tuple(tuple(i == j for j in range(30)) for i in range(120)))  # fmt: skip
    drawn, note = trimmed(figure, 20)
    assert isinstance(drawn, HeatmapFigure)
    assert (len(drawn.rows), len(drawn.columns)) == (20, 16)
    assert "20 of 120 rows and 16 of 30 columns" in note
    for row, cells in zip(drawn.rows, drawn.values, strict=True):
        for column, value in zip(drawn.columns, cells, strict=True):
            assert value == float(row.split()[1]) - float(column.split()[1]) * 1.0
    assert len(table(figure).rows) == 120


def test_long_series_are_thinned_evenly() -> None:
    xs = tuple(float(i) for i in range(1000))
    series = Series(name="s", x=xs, y=xs, low=xs, high=xs)
    drawn, note = trimmed(CurveFigure(id="c", title="t", x_label="x", y_label="y", series=(series,) * 8), 40)
    assert isinstance(drawn, CurveFigure)
    assert len(drawn.series) == 6
    assert drawn.series[0].low == drawn.series[0].x == xs[::9]
    assert "6 of 8" in note


def test_colours_are_okabe_and_itos() -> None:
    assert set(SERIES) == {"#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9"}


def test_reference_lines_carry_name_and_value() -> None:
    figure = ShapeTextureFigure(id="s", title="t", points=(Point(label="cat", value=0.3),),
                                overall=(Reference(label="humans", value=0.9587, source="Geirhos 2019"),))  # fmt: skip
    assert "humans 0.96" in draw(figure, "p")
    assert ("humans (Geirhos 2019)", "0.96") in table(figure).rows


def test_ranks_outside_their_band_are_told_from_those_inside() -> None:
    ys = (0.5, 0.2, -0.4, None, 0.1)
    series = Series(name="s", x=(1.0, 2, 3, 4, 5), y=ys, low=(-0.3, -0.3, -0.3, -0.3, None), high=(0.3,) * 4 + (0.05,))
    assert outside(series) == [True, False, True, False, True]
    assert outside(Series(name="s", x=(1.0,), y=(9.0,))) == [False]


def test_panels_name_rows_once_and_every_cell_in_the_table() -> None:
    panels = tuple(
        Panel(title=tone, points=tuple(Point(label=hair, value=v, n=7) for hair, v in (("long", 0.25), ("short", 0.5))))
        for tone in ("light", "dark")
    )
    figure = PanelsFigure(id="p", title="t", x_label="share", panels=panels, null_value=0.0)
    shown = texts(draw(figure, "p").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert [shown.count(name) for name in ("long", "short", "light", "dark", "share")] == [1] * 5
    rows = table(figure).rows
    assert [row[0] for row in rows] == ["light, long", "light, short", "dark, long", "dark, short"]
    assert [row[1] for row in rows] == ["0.25", "0.50"] * 2


def test_many_panels_keep_those_with_the_extremes(detail: Detail) -> None:
    panels = tuple(Panel(title=f"panel {i}", points=(Point(label="row", value=float(i)),)) for i in range(30))
    figure = PanelsFigure(id="p", title="t", x_label="x", panels=panels)
    view = plot_view(figure, "a", detail)
    assert isinstance(view.figure, PanelsFigure)
    kept = [panel.title for panel in view.figure.panels]
    assert kept == [f"panel {i}" for i in (*range(6), *range(24, 30))]
    assert "12 of 30 plots" in view.partly
    assert len(view.table.rows) == 30


def test_many_rankings_keep_those_with_the_extremes(detail: Detail) -> None:
    series = tuple(Series(name=f"group {i}", x=(1.0, 2.0), y=(float(i), 0.0)) for i in range(20))
    view = plot_view(RankFigure(id="r", title="t", x_label="k", y_label="skew", series=series), "a", detail)
    assert isinstance(view.figure, RankFigure)
    assert [line.name for line in view.figure.series] == [f"group {i}" for i in (*range(6), *range(14, 20))]
    assert "12 of 20 groups" in view.partly
    assert len(view.table.rows) == 40


def with_namespace(svg: str) -> str:
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def clouds(*centres: tuple[float, float] | None, gap: str = "gap 1.00, 5 degrees") -> ScatterFigure:
    made = (Cloud(name=f"c{i}", x=(0.0, 1.0), y=(0.0, 1.0), centre=at) for i, at in enumerate(centres))
    return ScatterFigure(id="s", title="t", x_label="x", y_label="y", clouds=tuple(made), gap=gap)


def test_the_gap_is_named_only_between_two_centres() -> None:
    assert "gap 1.00, 5 degrees" in texts(with_namespace(draw(clouds((0, 0), (1, 1)), "p")))
    assert "gap 1.00, 5 degrees" not in texts(with_namespace(draw(clouds((0, 0), None), "p")))
    assert "gap 1.00, 5 degrees" not in texts(with_namespace(draw(clouds((0, 0)), "p")))
    assert table(clouds((0, 0), (1, 1))).rows[-1][0] == "gap 1.00, 5 degrees"


def test_both_axes_of_a_scatter_have_one_scale_and_hold_every_point() -> None:
    cloud = Cloud(name="a", x=(-3.0, 2.0, 9.0), y=(0.0, 0.1, 0.2), centre=(2.0, 0.5))
    (x_low, x_high), (y_low, y_high) = equal_limits((cloud,), shape=2.0)
    assert (x_high - x_low) / (y_high - y_low) == pytest.approx(2.0)
    assert x_low <= -3
    assert x_high >= 9
    assert y_low <= 0
    assert y_high >= 0.5


def test_words_of_a_gap_near_the_edge_stay_on_the_sheet() -> None:
    words = "x" * 55
    svg = with_namespace(draw(clouds((0.0, 0.0), (0.01, 1.0), gap=words), "p"))
    root = ElementTree.fromstring(svg)
    (text,) = (element for element in root.iter(f"{SVG}text") if element.text == words)
    middle = float(text.get("x") or (text.get("transform") or "").split("(")[1].split()[0].rstrip(")"))
    assert middle > 55 * 0.075 / 2 * 72


def test_large_clouds_are_thinned_and_the_table_counts_all_points() -> None:
    xs = tuple(float(i) for i in range(1000))
    figure = ScatterFigure(id="s", title="t", x_label="x", y_label="y", clouds=(Cloud(name="c", x=xs, y=xs),))
    drawn, note = trimmed(figure, 40)
    assert isinstance(drawn, ScatterFigure)
    assert drawn.clouds[0].x == xs[::4]
    assert note.startswith("Drawn: 250 of 1,000 points")
    assert table(figure).rows[0][:2] == ("c", "1,000")


def test_a_bin_off_the_diagonal_is_told_from_one_that_fits() -> None:
    fits = ReliabilityBin(confidence=0.5, accuracy=0.4, low=0.3, high=0.6, n=9)
    off = ReliabilityBin(confidence=0.9, accuracy=0.4, low=0.3, high=0.6, n=1234)
    assert [missed(fits), missed(off)] == [False, True]
    figure = ReliabilityFigure(id="r", title="t", curves=(ReliabilityCurve(name="all", bins=(fits, off)),))
    assert {"all", "1,234", "accuracy", "items"} <= set(texts(with_namespace(draw(figure, "p"))))
    assert table(figure).rows[1] == ("all", "0.90", "0.40", "[0.30, 0.60]", "1,234")
    assert "0.90, where 0.40 are right (n 1,234)" in plot_view(figure, "a", LADDER[0]).alt


def test_many_curves_keep_the_best_and_the_worst() -> None:
    curves = tuple(
        ReliabilityCurve(name=f"c{i}", bins=(ReliabilityBin(confidence=1, accuracy=1 - i / 20, low=0, high=1, n=5),))
        for i in range(20)
    )
    drawn, note = trimmed(ReliabilityFigure(id="r", title="t", curves=curves), 40)
    assert isinstance(drawn, ReliabilityFigure)
    assert [curve.name for curve in drawn.curves] == [f"c{i}" for i in (*range(6), *range(14, 20))]
    assert "12 of 20 curves" in note
