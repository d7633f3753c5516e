"""Findings by harm: one section per harm whatever the audit, with who, how much, how sure and where seen."""

from __future__ import annotations

from typing import Any

from clipaudit_reports import render_html, render_markdown
from clipaudit_reports.build import build_report
from clipaudit_reports.who import who

from clipaudit.results import (
    AuditInfo,
    CellResult,
    CellStatus,
    Direction,
    Estimate,
    GalleryFigure,
    GalleryItem,
    Harm,
    Interval,
    ModelInfo,
    RunResult,
    Status,
    Test,
)

LABEL = "race (annotated)"


def estimate(value: float, subgroup: dict[str, str], *, found: bool = True, **more: Any) -> Estimate:
    values: dict[str, Any] = {
        "metric": "gap", "title": "Gap", "unit": "points", "direction": Direction.HIGHER_IS_WORSE, "n": 300,
        "clusters": 60, "null_value": 0.0, "interval": Interval(low=value - 2, high=value + 2, method="test"),
        "test": Test(p=0.001, p_adjusted=0.002 if found else 0.5, method="t"), "minimum_detectable": 4.0,
        "status": Status.EFFECT if found else Status.NO_EFFECT,
    }  # fmt: skip
    return Estimate(value=value, subgroup=subgroup, **{**values, **more})


def rate(value: float, group: str, **more: Any) -> Estimate:
    return estimate(value, {LABEL: group}, metric="rate", unit="proportion", role="secondary", test=None,
                    status=more.pop("status", Status.DESCRIBED), **more)  # fmt: skip


def cell(slug: str, harm: Harm, *estimates: Estimate, seen: bool = False) -> CellResult:
    audit = AuditInfo(id=slug, version="1", family="social_bias", title=slug, question="?", harm="h", kind_of_harm=harm)
    entry = GalleryItem(items=("item-7",), caption="called a thief")
    figures = (GalleryFigure(id="worst", title=f"Worst of {slug}", entries=(entry,)),) if seen else ()
    return CellResult(key=slug, slug=slug, title=f"Cell {slug}", audit=audit, status=CellStatus.DONE, rows=9,
                      estimates=estimates, figures=figures)  # fmt: skip


def run(*cells: CellResult) -> RunResult:
    model = ModelInfo(spec="m", name="m", fingerprint="0" * 64, kind="recorded", capabilities=("scores",))
    return RunResult(clipaudit_version="0", suite="s", seed=0, model=model, cells=cells)


def test_a_section_gathers_all_audits_of_its_harm_the_most_affected_first() -> None:
    result = run(
        cell("one", Harm.STEREOTYPING, estimate(9.0, {}), estimate(1.0, {"word": "w"}, found=False)),
        cell("two", Harm.SERVICE, estimate(5.0, {})),
        cell("three", Harm.STEREOTYPING, estimate(3.0, {}, found=False)),
        cell("four", Harm.OTHER, estimate(50.0, {})),
    )
    sections = build_report(result).harms
    assert [(s.harm, s.adverse, s.judged) for s in sections] == [
        (Harm.SERVICE, 1, 1),
        (Harm.STEREOTYPING, 1, 3),
        (Harm.OTHER, 1, 1),
    ]
    assert [line.cell_title for line in sections[1].glances] == ["Cell one", "Cell three"]
    page = render_html(result)
    assert page.index(">Unequal service<") < page.index(">Stereotyping<") < page.index(">Other<")
    assert "1 of 1 corrected test shows an adverse effect." in page
    assert "1 of 3 corrected tests show an adverse effect." in page


def test_a_line_says_how_much_how_sure_and_where() -> None:
    several = (estimate(9.0, {"word": "a"}), estimate(6.0, {"word": "b"}), estimate(1.0, {"word": "c"}, found=False))
    (section,) = build_report(run(cell("one", Harm.STEREOTYPING, *several, seen=True))).harms
    (line,) = section.glances
    assert line.much == "largest 9.0 points [7.0, 11.0], smallest 6.0 points"
    assert line.sure == "2 of 3 tests; n 300 in 60 clusters"
    assert line.who == (("word", "a · b"),)
    assert line.seen == (("Worst of one", "figure--one--worst"),)
    page = render_html(run(cell("one", Harm.STEREOTYPING, *several, seen=True)))
    assert 'id="figure--one--worst"' in page
    assert '<a href="#figure--one--worst">Worst of one</a>' in page


def test_without_an_adverse_effect_a_line_says_what_would_have_been_seen() -> None:
    (section,) = build_report(run(cell("one", Harm.SERVICE, estimate(1.0, {}, found=False), seen=True))).harms
    (line,) = section.glances
    assert (line.much, line.who, line.seen) == ("", (), ())
    assert (
        line.sure == "0 of 1 test; n 300 in 60 clusters; effects from 4.0 points would be found with 80 % probability"
    )
    assert "no adverse effect shown" in render_html(run(cell("one", Harm.SERVICE, estimate(1.0, {}, found=False))))


def test_who_is_at_which_end_of_a_gap() -> None:
    gap = estimate(9.0, {"groups": LABEL})
    rates = [rate(0.2, "A"), rate(0.7, "B"), rate(0.4, "C"), rate(0.9, "few", status=Status.TOO_SMALL)]
    other = estimate(0.99, {LABEL: "A", "class": "x"}, metric="rate", role="secondary", status=Status.DESCRIBED)
    assert who(cell("c", Harm.SERVICE, gap, other, *rates), [gap]) == ((LABEL, "highest: ‘B’; lowest: ‘A’"),)


def test_who_leans_which_way_where_groups_were_tested_one_by_one() -> None:
    skew = estimate(1.2, {"groups": LABEL, "k": "first 10"})
    singles = [
        estimate(value, {"groups": LABEL, "group": group}, found=found, role="secondary")
        for group, value, found in (("A", 0.8, True), ("B", -0.7, True), ("C", 0.1, False))
    ]
    assert who(cell("c", Harm.REPRESENTATION, skew, *singles), [skew]) == ((LABEL, "more: ‘A’; less: ‘B’"),)
    assert who(cell("c", Harm.REPRESENTATION, skew), [skew]) == ((LABEL, "no single group stands out"),)


def test_markdown_has_the_same_sections() -> None:
    text = render_markdown(run(cell("one", Harm.DENIGRATION, estimate(9.0, {"word": "a"}))))
    assert "## Harm: Denigration" in text
    assert "| Cell one: Gap | word a | 9.0 points \\[7.0, 11.0\\] | 1 of 1 test; n 300 in 60 clusters |" in text


def test_a_question_as_a_title_has_no_colon_after_it() -> None:
    asked = cell("one", Harm.SERVICE, estimate(9.0, {})).model_copy(update={"title": "Alike?: Faces"})
    (section,) = build_report(run(asked)).harms
    assert section.glances[0].cell_title == section.groups[0].blocks[0].cell_title == "Alike? Faces"
