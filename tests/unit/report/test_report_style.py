"""The style sheet: every colour that is used is defined, in light and dark, and text can be read on its ground."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from clipaudit_reports.plots.palette import VARIABLES

CSS = files("clipaudit_reports").joinpath("templates/report.css").read_text()
TEXT = ("ink", "muted", "link", "harm", "effect", "none", "described", "small", "notrun", "errored", "done")


def scheme(css: str) -> dict[str, str]:
    body = css[css.index(":root{") + 6 :].partition("}")[0]
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", body))


LIGHT = scheme(CSS)
DARK = LIGHT | scheme(CSS[CSS.index("@media (prefers-color-scheme: dark)") :])


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * char for char in colour[1:])
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def blend(colour: str, ground: str, opacity: float) -> str:
    parts = []
    for i in (1, 3, 5):
        parts.append(round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(ground[i : i + 2], 16)))
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#fff", "#000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_reaches_aa_on_every_ground(colours: dict[str, str]) -> None:
    for name in TEXT:
        for ground in ("paper", "page"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for ground in ("warn-paper", "bad-paper", "band"):
        assert contrast(colours["ink"], colours[ground]) >= 4.5, ground


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_can_be_read_on_the_strongest_cells_of_a_heatmap(colours: dict[str, str]) -> None:
    paper = colours["paper"] if len(colours["paper"]) == 7 else "#ffffff"
    for name in ("heat-low", "heat-high"):
        assert contrast(colours["ink"], blend(colours[name], paper, 0.75)) >= 4.5, name


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_variable_is_defined(colours: dict[str, str]) -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS + " ".join(VARIABLES.values())))
    assert used <= set(colours)


def test_print_opens_what_is_folded_and_is_light() -> None:
    printed = CSS[CSS.index("@media print{") :]
    assert "details::details-content{content-visibility:visible" in printed
    assert scheme(printed[printed.index("@media print and") :])["paper"] == "#fff"


def test_paper_leaves_out_what_is_folded_twice_and_says_so() -> None:
    printed = CSS[CSS.index("@media print{") :]
    assert ".behind,.role{display:none}" in printed
    assert ".paper{display:block}" in printed
    assert ".paper{display:none}" in CSS[: CSS.index("@media print{")]
