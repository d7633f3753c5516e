"""The page says everything, says it once, escapes it, and stands alone."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from clipaudit_reports import build_report, render_html
from clipaudit_reports.budget import LADDER, PAGE
from clipaudit_reports.html import classed

from clipaudit import numbers
from clipaudit.results import CellStatus, Estimate, ForestFigure, Manifest, Point, RunResult
from clipaudit.verdict import summarise


class Page(HTMLParser):
    """Ids, links, tags, attributes and the text of a page; open tags are checked as a stack."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.hrefs: list[tuple[str, str]] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.stack: list[str] = []
        self.words: list[str] = []
        self.script = ""
        self.tables: list[list[list[str]]] = []
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "xlink:href"):
                self.hrefs.append((tag, value or ""))
        if tag not in self.VOID:
            self.stack.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr" and self.tables:
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack[-1:] == [tag], f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack[-1:] == ["script"]:
            self.script += data
        elif self.stack and self.stack[-1] != "style":
            self.words.append(data)
            if any(tag in ("td", "th") for tag in self.stack):
                self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def text(result: RunResult, manifest: Manifest) -> str:
    return render_html(result, manifest, {})


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def hostile_text(hostile: RunResult, manifest: Manifest) -> str:
    return render_html(hostile, manifest.model_copy(update={"command": ("x", "<script>"), "platform": "<i>"}), {})


def squeeze(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def estimates(result: RunResult) -> list[Estimate]:
    return [estimate for cell in result.cells for estimate in cell.estimates]


def test_every_estimate_stands_with_its_numbers_in_one_row_of_a_table(result: RunResult, page: Page) -> None:
    rows = [tuple(cell.strip() for cell in row) for table in page.tables for row in table]
    for estimate in estimates(result):
        interval = estimate.interval
        spread = None if interval is None else numbers.half_width(interval.low, interval.high)
        value = numbers.value_text(estimate.value, estimate.unit, spread=spread)
        bare = value if estimate.value is None else value.removesuffix(f" {numbers.unit_word(estimate.unit)}")
        wanted = {bare, numbers.count_text(estimate.n)}
        if interval is not None:
            wanted.add(numbers.interval_text(interval.low, interval.high, estimate.unit))
        if estimate.clusters is not None:
            wanted.add(numbers.count_text(estimate.clusters))
        if estimate.test is not None:
            wanted |= {
                numbers.p_text(p).removeprefix("p ").removeprefix("= ")
                for p in (estimate.test.p, estimate.test.p_adjusted)
                if p is not None
            }
        if estimate.minimum_detectable is not None:
            word = numbers.unit_word(estimate.unit)
            wanted.add(numbers.value_text(estimate.minimum_detectable, estimate.unit).removesuffix(f" {word}"))
        name = next(iter(estimate.subgroup.values()), estimate.title)
        assert any(wanted <= set(row) for row in rows if row[0] in (name, "all", estimate.title)), (name, wanted)


def test_primary_findings_are_said_in_words_with_correction_and_chance(result: RunResult, page: Page) -> None:
    said = squeeze(page.text)
    for estimate in estimates(result):
        if estimate.sentence:
            assert squeeze(estimate.sentence) in said
        for reference in estimate.references:
            assert f"{reference.label} " in said
            assert reference.source in said
        for note in estimate.notes:
            assert note in said
    assert "corrected p = .004" in said
    assert "Holm over 16 tests" in said
    assert "chance gives 3.0 % [1.0, 5.0]" in said
    assert "smallest detectable effect 5.0 %" in said


def test_verdict_warnings_and_what_was_not_tested_open_the_page(result: RunResult, page: Page) -> None:
    said = squeeze(page.text)
    first, findings = said.index("INCOMPLETE"), said.index("Each bar is an interval")
    headline = summarise(result).headline
    assert first < said.index(headline[1:]) < findings
    for warning in result.model.warnings:
        assert first < said.index(squeeze(warning)) < findings
    for cell in result.cells:
        if cell.status is not CellStatus.DONE:
            assert first < said.index(f"{cell.status.value}, because {cell.reason}") < findings
    for name in result.not_tested:
        assert first < said.index(name) < findings
    assert "Adversarial images How small a change deceives it? adversarial, deception" in said


def test_a_plot_without_values_is_said_not_drawn(result: RunResult) -> None:
    figure = ForestFigure(id="f", title="Nothing", x_label="x", points=(Point(label="a", value=None, n=0),))
    cell = result.cells[0].model_copy(update={"figures": (figure,)})
    page = Page(render_html(result.model_copy(update={"cells": (cell,)})))
    assert "Not drawn: no value is defined." in page.text
    assert [["", "value", "n"], ["a", "–", "0"]] in page.tables


def test_error_rows_are_counted_and_the_first_ones_named(page: Page) -> None:
    said = squeeze(page.text)
    assert "3 of 640 rows could not be read (0.5 %)" in said
    assert "faces/b.png: zero bytes" in said
    assert "stamps/broken.png: truncated file" in said


def test_a_table_with_the_same_numbers_stands_behind_every_plot(result: RunResult, page: Page) -> None:
    tables = {tuple(tuple(cell.strip() for cell in row) for row in table) for table in page.tables}
    plots = [plot for cell in build_report(result).done for plot in cell.plots]
    assert len(plots) == 9
    for plot in plots:
        assert (plot.table.head, *plot.table.rows) in tables


def test_alt_texts_state_a_number(page: Page) -> None:
    alts = [value for tag, name, value in page.attributes if name == "aria-label" and tag == "div"]
    assert len(alts) == 9
    assert all(re.search(r"\d", alt) for alt in alts)


def test_ids_are_unique_and_every_internal_link_has_its_target(page: Page, hostile_text: str) -> None:
    for parsed in (page, Page(hostile_text)):
        assert not parsed.stack
        assert [name for name, count in Counter(parsed.ids).items() if count > 1] == []
        targets = {href[1:] for _, href in parsed.hrefs if href.startswith("#")}
        used = {name for _, _, value in parsed.attributes for name in re.findall(r"url\(#([^)]+)\)", value)}
        assert targets | used <= set(parsed.ids)


def test_the_page_needs_no_other_file_and_runs_nothing(text: str, page: Page, hostile_text: str) -> None:
    for source, parsed in ((text, page), (hostile_text, Page(hostile_text))):
        digest = base64.b64encode(hashlib.sha256(parsed.script.encode()).digest()).decode()
        assert parsed.tags["script"] == 1
        assert f"script-src 'sha256-{digest}';" in source, "the policy names the digest of the one script"
        assert not {"link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
        assert all(href.startswith("#") for tag, href in parsed.hrefs if tag != "a")
        assert all(re.match(r"#|https?://", href) for _, href in parsed.hrefs)
        assert all(value.startswith("data:image/") for _, name, value in parsed.attributes if name in ("src", "srcset"))
        assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
        styles = source.partition("<style>")[2].partition("</style>")[0]
        assert "url(" not in styles
        assert "@import" not in styles
        assert "default-src &#39;none&#39;" in source or "default-src 'none'" in source


def test_hostile_text_is_shown_as_text_everywhere(hostile_text: str) -> None:
    parsed = Page(hostile_text)
    assert hostile_text.count("<script") == 1, "our own"
    assert "alert" not in parsed.script
    assert "<img" not in hostile_text
    assert "\x1b" not in hostile_text
    assert "\u202e" not in hostile_text
    shown = "".join(parsed.text.split())
    assert shown.count("<script>alert(1)</script>") > 30
    assert "\\x1b[31m\\u202e" in shown
    assert "$\\frac{1}{2}$" in shown
    assert "$x^2$" in shown
    assert "a_b^c$" in shown


def test_the_same_input_gives_the_same_bytes(result: RunResult, manifest: Manifest, text: str) -> None:
    assert render_html(result, manifest, {}) == text
    reread = RunResult.model_validate_json(result.model_dump_json())
    assert render_html(reread, manifest, {}) == text


def test_what_is_not_a_number_reads_as_after_storing(result: RunResult) -> None:
    cell = result.cells[0]
    broken = cell.estimates[0].model_copy(update={"value": float("nan")})
    changed = result.model_copy(update={"cells": (cell.model_copy(update={"estimates": (broken,), "figures": ()}),)})
    stored = RunResult.model_validate_json(changed.model_dump_json())
    assert render_html(changed) == render_html(stored)
    assert "not defined" in render_html(changed)


def test_without_manifest_and_without_cells(result: RunResult) -> None:
    page = Page(render_html(result.model_copy(update={"cells": (), "not_tested": ()}), None))
    assert "NOTHING JUDGED" in page.text
    assert "none was stored with this result" in page.text
    assert not page.stack


def test_full_detail_fits_easily(text: str) -> None:
    assert len(text.encode()) < PAGE / 4
    assert LADDER[0].full


def test_styles_of_plots_stand_in_the_page_once(text: str) -> None:
    plots = "".join(re.findall(r'<div class="scroll plot".*?</svg>', text, re.DOTALL))
    assert "<path" in plots
    assert not [style for style in re.findall(r'style="([^"]*)"', plots) if "url(" not in style]
    names = set(re.findall(r'class="(p\d+)"', plots))
    rules = re.findall(r"\.(p\d+)\{([^}]*)\}", text.partition("</style>")[0])
    assert names == {name for name, _ in rules}
    assert len({style for _, style in rules}) == len(rules)
    assert any("var(--ink)" in style for _, style in rules)


def test_only_tags_lose_their_style() -> None:
    page = '<style>\n</style><path d="M 1" style="fill: none; stroke: red" /><p>&lt;path style="x"&gt; style="y"</p>'
    assert classed(page) == (
        '<style>\n.p0{fill:none;stroke:red}\n</style><path d="M 1" class="p0" /><p>&lt;path style="x"&gt; style="y"</p>'
    )
