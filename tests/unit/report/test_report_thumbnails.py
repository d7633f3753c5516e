"""Pictures: only those of a gallery that names them, as data URIs, by content, within the budget."""

from __future__ import annotations

from clipaudit_reports import build_report, render_html
from clipaudit_reports.budget import LADDER, PAGE
from clipaudit_reports.galleries import Album

from clipaudit.results import GalleryFigure, GalleryItem, RunResult


def test_named_thumbnails_are_embedded_and_others_are_not(result: RunResult, thumbnails: dict[str, bytes]) -> None:
    page = render_html(result, None, {**thumbnails, "elsewhere/x.webp": next(iter(thumbnails.values()))})
    assert page.count('<img src="data:image/webp;base64,') == len(thumbnails) == 17
    assert 'alt="person-0/tone-10"' in page


def test_missing_or_unsuitable_files_are_named_missing(result: RunResult, thumbnails: dict[str, bytes]) -> None:
    svg = dict.fromkeys(thumbnails, b"<svg onload=alert(1)>")
    page = render_html(result, None, svg)
    assert "<img" not in page
    assert page.count("no thumbnail") == len(thumbnails)


def test_pictures_over_the_budget_are_left_out_and_say_so(result: RunResult, thumbnails: dict[str, bytes]) -> None:
    large = {name: data + bytes(600_000) for name, data in thumbnails.items()}
    page = render_html(result, None, large)
    assert len(page.encode()) < PAGE
    assert "left out to keep the report small" in page
    galleries = [gallery for cell in build_report(result, None, large, LADDER[-1]).done for gallery in cell.galleries]
    assert not any(picture.uri for gallery in galleries for row in gallery.rows for picture in row.pictures)


def test_withheld_pictures_give_the_reason(result: RunResult) -> None:
    assert "The data card does not allow thumbnails in a report." in render_html(result)


def test_a_score_that_the_caption_has_is_not_said_twice(result: RunResult) -> None:
    said = GalleryItem(items=("a",), caption="light: s = +0.035", score=0.035)
    unsaid = GalleryItem(items=("b",), caption="dark", score=-0.035)
    figure = GalleryFigure(id="g", title="t", entries=(said, unsaid))
    rows = Album({}, 1, 0).view(result.cells[0], figure, "g", most=2).rows
    assert [row.score for row in rows] == ["", "−0.035"]


def test_columns_head_the_pictures_and_one_scale_explains_their_colours(
    result: RunResult, thumbnails: dict[str, bytes]
) -> None:
    page = render_html(result, None, thumbnails)
    assert page.count('<p class="head">misleading</p>') == 3
    assert 'alt="misleading: dog-0.png#misleading"' in page
    assert page.count("linear-gradient(90deg,#0d0887,#cc4778,#f0f921)") == 1
    assert "relevance: <span>none</span>" in page
    assert "relevance:" not in render_html(result), "without pictures there is nothing to explain"


def test_only_hex_colours_reach_the_style_of_a_scale(hostile: RunResult, thumbnails: dict[str, bytes]) -> None:
    key = hostile.cells[0].key
    page = render_html(hostile, None, {f"{key}/a.webp": next(iter(thumbnails.values()))})
    assert "<img src=" in page
    assert 'class="scale"' in page
    assert "linear-gradient" not in page, "one sound stop is no scale"
    assert "url(//x)" not in page


def test_where_a_picture_of_a_row_is_missing_no_other_gets_its_head(
    result: RunResult, thumbnails: dict[str, bytes]
) -> None:
    (done,) = (cell for cell in result.cells if cell.slug == "attention_shift.stamps")
    maps = done.figures[-1]
    assert isinstance(maps, GalleryFigure)
    entry = maps.entries[0].model_copy(update={"thumbnails": ("m0c.webp",)})
    view = Album(thumbnails, 1, 1_000_000).view(done, maps.model_copy(update={"entries": (entry,)}), "a", most=1)
    assert [(picture.head, bool(picture.uri)) for picture in view.rows[0].pictures] == [("", True)]


def test_rows_that_the_page_has_no_room_for_are_counted(result: RunResult) -> None:
    figure = GalleryFigure(
        id="g", title="t", entries=tuple(GalleryItem(items=(f"{i}",), caption=f"{i}") for i in range(5))
    )
    view = Album({}, 1, 0).view(result.cells[0], figure, "g", most=3)
    assert ([row.caption for row in view.rows], view.left_out) == (["0", "1", "2"], 2)
