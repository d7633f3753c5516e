"""The page of a comparison: everything it should say, nothing it may not show, and small."""

from __future__ import annotations

import html
import re

import pytest
from clipaudit_reports.budget import PAGE
from clipaudit_reports.comparison import render_comparison
from comparison_sample import difference, make_comparison, make_pictures, run
from html_tree import having, text_of, tree_of
from report_sample import HOSTILE

from clipaudit.compare import words
from clipaudit.compare.results import BoardRow, Comparison, Outcome, Pair, Standing


@pytest.fixture(scope="module")
def page() -> str:
    return render_comparison(make_comparison(), make_pictures())


def test_every_change_is_a_row_with_its_figures(page: str) -> None:
    found = make_comparison()
    tables = having(tree_of(page), "table", "changes")
    rows = {row.get("id"): text_of(row) for table in tables for row in table.iter("tr") if row.get("id")}
    assert len(rows) == len(found.pairs[0].differences)
    assert len(set(rows)) == len(rows)
    for each in found.pairs[0].differences:
        (said,) = [text for text in rows.values() if text.startswith(words.named(each))]
        for part in (words.values(each), *words.change(each), f"{each.n}", words.p_of(each), words.flips(each, 0)):
            assert part in said
        assert ("not paired" in said) is not each.paired
    untold = next(text for text in rows.values() if text.startswith("Accuracy within five"))
    assert "6.0 points" in untold, "what could have been seen"


def test_groups_stand_in_order_and_count(page: str) -> None:
    assert [text_of(head) for head in tree_of(page).iter("h4")] == [
        "Worse 1",
        "Better 1",
        "Changed 1",
        "Cannot be told 1",
    ]


def test_a_forest_for_each_unit_with_interval_n_and_p(page: str) -> None:
    plots = [text_of(plot) for plot in having(tree_of(page), "div", "plot")]
    assert len(plots) == 2
    assert "−15.00 [−19.00, −11.00]" in plots[0]
    assert "n 200 p = .002" in plots[0]
    assert "change, points" in plots[0]
    assert "change, d" in plots[1]


def test_pictures_only_where_the_card_allows_them(page: str) -> None:
    tree = tree_of(page)
    sources = [image.get("src", "") for image in tree.iter("img")]
    assert len(sources) == 30 + 1, "every second of the first sixty, and one of the other way"
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    (faces,) = [each for each in having(tree, "details", "card") if "disparity-faces" in each.get("id", "")]
    assert not list(faces.iter("img"))
    assert "does not allow pictures" in text_of(faces)
    assert "face-1" in text_of(faces)
    assert "and 10 more" in text_of(tree)


def test_the_board_says_why_a_value_is_not_compared(page: str) -> None:
    ((_, row),) = [list(table.iter("tr")) for table in having(tree_of(page), "table", "board")]
    assert [text_of(cell) for cell in row] == [
        "Zero-shot accuracy (kind: plain)", "70.0 % [63.0, 76.0] n 200best", "55.0 % [48.0, 62.0] n 200worse",
        "90.0 % n 60not comparable: other data: plain",
    ]  # fmt: skip


def test_what_limits_the_comparison_is_said(page: str) -> None:
    said = text_of(tree_of(page))
    for text in ("Not compared: lexicon.faces: not run: plain", "Not paired: the audit does not say plain (association)",
                 "Beside the model: numpy 1 in the base, 2 here plain"):  # fmt: skip
        assert text in said


def test_links_of_the_page_arrive_and_ids_are_unique(page: str) -> None:
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= {*ids, *re.findall(r"symbol id=\"([^\"]+)", page)}


def test_runs_whose_labels_look_alike_have_anchors_of_their_own() -> None:
    page = render_comparison(make_comparison(labels=("a b", "a-b", "a.b")))
    assert [f'id="run--a-b{end}"' in page for end in ("", "-2", "-3")] == [True] * 3


def test_hostile_text_is_text() -> None:
    page = render_comparison(make_comparison(HOSTILE, (HOSTILE, f"{HOSTILE}2", f"{HOSTILE}3")), make_pictures(HOSTILE))
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert not [element for element in tree_of(page).iter() if any(name.startswith("on") for name in element.attrib)]
    assert "<script>alert(1)</script>" in html.unescape(page)


def test_the_same_input_gives_the_same_bytes(page: str) -> None:
    assert page == render_comparison(make_comparison(), make_pictures())


def test_a_huge_comparison_stays_small_and_says_what_is_missing() -> None:
    base = make_comparison()
    many = tuple(
        difference(list(Outcome)[i % 4], 0.001 * i, 0.5, subgroup={"group": f"group {i}"}) for i in range(1200)
    )
    board = tuple(
        BoardRow(cell="zero_shot.objects", cell_name="zero_shot.objects", metric="m", title=f"finding {i}",
                 standings=(Standing(value=0.1),) * 4)
        for i in range(300)
    )  # fmt: skip
    pairs = tuple(Pair(run=run(f"run{k}"), differences=many) for k in range(3))
    huge = base.model_copy(update={"pairs": pairs, "board": board})
    page = render_comparison(Comparison.model_validate(huge.model_dump()))
    assert len(page.encode()) <= PAGE
    assert "left out to keep this page small" in page
    assert "too large for one small page" in page
    assert ">300</span>" in page, "counts are of everything"
