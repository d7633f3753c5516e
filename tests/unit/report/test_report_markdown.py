"""Markdown says the same numbers as the page, and nothing in it is markup that a result brought along."""

from __future__ import annotations

import re

import pytest
from clipaudit_reports import build_report, render_markdown
from clipaudit_reports.markdown import escape

from clipaudit import numbers
from clipaudit.results import CellStatus, Manifest, RunResult
from clipaudit.verdict import summarise


@pytest.fixture(scope="module")
def text(result: RunResult, manifest: Manifest) -> str:
    return render_markdown(result, manifest)


def test_every_estimate_stands_in_a_row_with_its_interval_and_n(result: RunResult, text: str) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]
    for cell in result.cells:
        for estimate in cell.estimates:
            interval = estimate.interval
            spread = None if interval is None else numbers.half_width(interval.low, interval.high)
            wanted = [
                escape(", ".join(estimate.subgroup.values()) or estimate.title),
                escape(numbers.value_text(estimate.value, estimate.unit, spread=spread)),
                "" if interval is None else escape(numbers.interval_text(interval.low, interval.high, estimate.unit)),
                numbers.count_text(estimate.n),
            ]
            assert any(row[:4] == wanted for row in rows), wanted
            assert escape(estimate.sentence) in text


def test_verdict_scope_and_reasons(result: RunResult, text: str) -> None:
    assert escape(summarise(result).headline[1:]) in text
    for cell in result.cells:
        if cell.status is not CellStatus.DONE:
            assert f"| {cell.status.value} | {escape(cell.reason)} |" in text
    for said in (f"Adversarial images: {escape('How small a change deceives it?')}", "geographic", "retrieval"):
        assert f"\n- {said}\n" in text
    assert "3 of 640 rows could not be read" in text
    assert escape(result.model.warnings[0]) in text


def test_hostile_text_is_inert(hostile: RunResult) -> None:
    text = render_markdown(hostile)
    assert "<" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not re.search(r"(?<!\\)\$", text)
    assert text.count("alert\\(1\\)") > 10


def test_rendered_by_a_markdown_parser_it_has_no_html_and_the_right_tables(hostile: RunResult, text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    for source in (text, render_markdown(hostile)):
        tokens = parser.parse(source)
        inner = [child for token in tokens for child in token.children or ()]
        assert not [
            token
            for token in (*tokens, *inner)
            if token.type.startswith("html") or token.type in ("image", "link_open")
        ]
    blocks = [block for group in build_report(hostile).groups for block in group.blocks]
    tables = [token for token in parser.parse(render_markdown(hostile)) if token.type == "table_open"]
    assert len(tables) == 1 + len(blocks)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(hostile: RunResult, text: str) -> None:
    for source in (text, render_markdown(hostile)):
        width = 0
        for line in source.splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line))
            if line.startswith("| "):
                width = width or cells
                assert cells == width, line
            elif not line.startswith("|"):
                width = 0


def test_the_same_input_gives_the_same_text(result: RunResult, manifest: Manifest, text: str) -> None:
    assert render_markdown(result, manifest) == text
