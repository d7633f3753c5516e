"""The report in a real browser: quiet, self-contained, readable without scripts, accessible, and deaf to hostile text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clipaudit_reports import render_html
from clipaudit_reports.comparison import render_comparison
from comparison_sample import make_comparison, make_pictures
from report_sample import (
    HOSTILE,
    hostile_cell,
    make_gate,
    make_manifest,
    make_result,
    make_thumbnails,
    model,
)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# what would run if text became markup: each would open a dialog or load something
ATTACKS = (
    HOSTILE,
    "</script><script>alert(1)</script></style><svg onload=alert(2)>' onmouseover='alert(3)"
    "{{ cycler.__init__ }}<iframe src=//example.org>",
    "javascript:alert(4)",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the sample run's page, gated, with pictures."""
    result = make_result()
    return _stored(tmp_path_factory, render_html(result, make_manifest(), make_thumbnails(result), make_gate(result)))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page of a comparison of three runs."""
    return _stored(tmp_path_factory, render_comparison(make_comparison(), make_pictures()))


@pytest.fixture(scope="module", params=["report", "comparison"])
def either(request: pytest.FixtureRequest) -> str:
    """The address of one kind of page, then of the other."""
    address: str = request.getfixturevalue(request.param)
    return address


@pytest.fixture(scope="module", params=[*range(len(ATTACKS)), "comparison"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page on which an attack stands wherever text is free."""
    if request.param == "comparison":
        attacked = make_comparison("".join(ATTACKS), ATTACKS)
        return _stored(tmp_path_factory, render_comparison(attacked, make_pictures("".join(ATTACKS))))
    attack = ATTACKS[request.param]
    sample = make_result(hostile_cell(attack), suite_title=attack, model=model(name=attack, warnings=(attack,)),
                         not_tested=(attack,))  # fmt: skip
    gated = make_gate(make_result(), words=attack)
    return _stored(tmp_path_factory, render_html(sample, make_manifest(), {}, gated))


def _stored(folder: pytest.TempPathFactory, page: str) -> str:
    file = folder.mktemp("page") / "report.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()


class Watched:
    """A page and everything that it should not do: speak on the console, fail, ask for a file, open a dialog."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.context = browser.new_context(**({"viewport": WIDE} | settings))
        self.page = self.context.new_page()
        self.heard: list[str] = []
        self.page.on("console", lambda message: self.heard.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self._asked(request.url, address))
        self.page.goto(address)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _dismiss(self, dialog: Any) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str, address: str) -> None:
        if not url.startswith("data:") and url.partition("#")[0] != address:
            self.heard.append(f"request: {url}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_quiet_and_as_wide_as_the_screen(browser: Any, either: str, scheme: str, size: dict[str, int]) -> None:
    with Watched(browser, either, color_scheme=scheme, viewport=size) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") == size["width"]
        assert all(seen.page.evaluate("[...document.images].map((image) => image.complete && image.naturalWidth > 0)"))
        assert seen.heard == []


def test_light_dark_and_paper_look_different_and_none_is_blank(browser: Any, either: str, tmp_path: Path) -> None:
    shots = {}
    for name, media, scheme in (("light", "screen", "light"), ("dark", "screen", "dark"), ("print", "print", "dark")):
        with Watched(browser, either, color_scheme=scheme) as seen:
            seen.page.emulate_media(media=media, color_scheme=scheme)
            shots[name] = _shades(seen.page.screenshot(path=tmp_path / f"{name}.png"))
            assert seen.heard == []
    assert all(colours > 20 for _, colours in shots.values())
    assert shots["dark"][0] < 80 < 200 < shots["light"][0]
    assert shots["print"][0] > 200, "paper is white whatever the screen is"


def _shades(picture: bytes) -> tuple[float, int]:
    """Mean grey of a screenshot, and how many colours it has."""
    import io

    from PIL import Image, ImageStat

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return ImageStat.Stat(image.convert("L")).mean[0], len(image.getcolors(1 << 24) or ())


def test_paper_shows_what_is_folded_and_no_controls(browser: Any, report: str) -> None:
    with Watched(browser, report) as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.locator(".contents").is_hidden()
        assert seen.page.locator("details.all").is_hidden()
        assert seen.page.locator("#methods .card li").first.is_visible(), "folded on screen, open on paper"
        assert seen.page.pdf(format="A4").startswith(b"%PDF")


def test_everything_can_be_read_with_scripts_off(browser: Any, report: str) -> None:
    with Watched(browser, report, java_script_enabled=False) as seen:
        assert seen.page.locator("#verdict .state").inner_text() == "FAIL"
        assert seen.page.locator(".rules tbody tr").count() == 5
        assert seen.page.locator("#findings .finding").first.is_visible()
        assert seen.page.locator(".sort, .filters").count() == 0, "nothing is offered that does not work"
        seen.page.locator("details.group > summary").first.click()
        assert seen.page.locator("details.group .finding").first.is_visible()
        assert seen.heard == []


def test_a_comparison_can_be_read_with_scripts_off_and_on_paper(browser: Any, comparison: str) -> None:
    with Watched(browser, comparison, java_script_enabled=False) as seen:
        assert seen.page.locator(".changes tbody tr:visible").count() == 3, "the one of which nothing is told is folded"
        seen.page.locator("details.group.untold > summary").click()
        assert seen.page.locator("details.group.untold tbody tr").is_visible()
        assert seen.page.locator(".way img").first.is_visible()
        seen.page.emulate_media(media="print")
        assert seen.page.locator(".changes tbody tr:visible").count() == 4
        assert seen.heard == []


def test_a_flip_link_arrives_at_its_items(browser: Any, comparison: str) -> None:
    with Watched(browser, comparison) as seen:
        link = seen.page.locator(".changes a[href*='disparity']")
        target = str(link.get_attribute("href"))[1:]
        link.click()
        assert seen.page.locator(f"[id='{target}']").is_visible()
        assert seen.heard == []


def test_findings_can_be_sorted_and_filtered(browser: Any, report: str) -> None:
    with Watched(browser, report) as seen:
        page = seen.page
        page.locator(".all > summary").click()
        rows = page.locator(".findings tbody tr:visible")
        everything = rows.count()
        assert page.locator(".all [aria-live]").inner_text() == f"{everything} of {everything} findings"
        assert everything == page.locator(".cell .records tr[id]").count() > 20
        sort = page.locator(".findings th button", has_text="corrected p")
        sort.click()
        assert rows.first.locator("td").last.inner_text() == "< .001"
        sort.click()
        assert page.locator(".findings th[aria-sort]").get_attribute("aria-sort") == "descending"
        assert rows.first.locator("td").last.inner_text() == "1.000"
        page.get_by_label("no effect shown").uncheck()
        assert "no effect shown" not in " ".join(rows.all_inner_texts())
        page.get_by_label("with the words").fill("written OVEN")
        assert rows.count() == 1
        rows.locator("a").click()
        assert page.locator(":target").inner_text().startswith("oven")
        assert seen.heard == []


def test_numbers_are_sorted_as_numbers(browser: Any, report: str) -> None:
    with Watched(browser, report) as seen:
        seen.page.locator(".all > summary").click()
        seen.page.locator(".findings th button", has_text="value").click()
        *texts, last = seen.page.locator(".findings tbody td:nth-child(5)").all_inner_texts()
        values = [float(text.split()[0].replace("−", "-")) for text in texts]
        assert values == sorted(values)
        assert values[0] < 0 < values[-1]
        assert last == "not defined", "after everything that is"


def test_links_of_the_rules_arrive_at_their_findings(browser: Any, report: str) -> None:
    with Watched(browser, report) as seen:
        link = seen.page.locator("#rules a[href^='#finding--']").first
        target = str(link.get_attribute("href"))[1:]
        link.click()
        assert seen.page.locator(f"[id='{target}']").is_visible()
        assert seen.page.evaluate("location.hash.slice(1)") == target


@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})], ids=["light", "dark"]
)
def test_axe_finds_no_serious_violation(browser: Any, either: str, scheme: str, rules: dict[str, Any]) -> None:
    """Everything in light; in dark only the colours differ."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with Watched(browser, either, color_scheme=scheme) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found = axe.Axe().run(seen.page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    grave = [
        (entry["id"], entry["nodes"][0]["html"][:200], len(entry["nodes"]))
        for entry in found
        if entry["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_hostile_text_runs_nothing(browser: Any, hostile: str) -> None:
    with Watched(browser, hostile) as seen:
        page = seen.page
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        for button in page.locator(".sort:visible").all()[:4]:
            button.click()
        assert page.locator("script").count() == 1
        assert page.locator("iframe, object, embed, base, form, img[src^='x']").count() == 0
        assert page.evaluate(
            "[...document.querySelectorAll('*')].every((e) => [...e.attributes].every((a) => !a.name.startsWith('on')))"
        )
        assert page.evaluate("[...document.links].every((a) => /^(file|https?):/.test(a.protocol))")
        assert seen.heard == []


def test_the_policy_of_the_page_stops_a_script_that_is_not_ours(browser: Any, report: str, tmp_path: Path) -> None:
    """The second wall: even if text became markup, the browser would not run it."""
    source = Path(report.removeprefix("file://")).read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(source.replace("<main>", "<main><script>alert(1)</script><img src=x onerror=alert(2)>", 1))
    with Watched(browser, broken.as_uri()) as seen:
        assert not [entry for entry in seen.heard if entry.startswith("dialog")]
        assert any("Content Security Policy" in entry for entry in seen.heard)
