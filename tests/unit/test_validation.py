"""Validation: what is counted, which figures leave their band, and what findings then say."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from clipaudit_reports.validation import render
from scipy.stats import binom

from clipaudit import plugins
from clipaudit.contract import Audit, AuditSpec, Cell, MetricSpec, Params, Workload
from clipaudit.data.dataset import Dataset
from clipaudit.errors import ImageError, UsageError
from clipaudit.models.protocol import Model
from clipaudit.results import Estimate, Interval, Status
from clipaudit.validation import stored as carried
from clipaudit.validation.judge import Standing, band, bias, clopper_pearson, proportions
from clipaudit.validation.plan import Planted, Validation, items
from clipaudit.validation.results import AuditValidation, Curve, Level, ValidationResult, as_json
from clipaudit.validation.run import level_of, validate
from clipaudit.validation.scenario import APART, measure, scenarios
from clipaudit.validation.trial import Trial, trial
from clipaudit.validation.words import cautions, summary

pa = pytest.importorskip("pyarrow")

N = 80
METRICS = (
    MetricSpec(name="accuracy", title="Accuracy", unit="proportion", null_value=0.5),
    MetricSpec(name="narrow", title="The same with half the interval", unit="proportion", null_value=0.5),
)


class Coin(Audit):
    """Accuracy with a normal interval, and with half of it."""

    spec = AuditSpec(
        id="coin", version="1", family="social bias", title="Coin", question="?", harm="none", metrics=METRICS
    )

    def workload(self, cell: Cell) -> Workload:
        return Workload(cell.require_dataset().images, ("x", "y"))

    def run(self, cell: Cell, model: Model) -> pa.Table:
        images = list(cell.require_dataset().images)
        values = model.score_labels(images, ("x", "y"), ("{}",)).values
        right = [bool(row[0] > row[1]) for row in values]
        return pa.table({"item": [image.id for image in images], "error": [None] * len(images), "right": right})

    def score(self, cell: Cell, rows: pa.Table) -> list[Estimate]:
        right = rows["right"].to_pylist()
        p = sum(right) / len(right)
        half = 1.96 * (p * (1 - p) / len(right)) ** 0.5
        return [
            Estimate(
                metric=name, title=name, value=p, unit="proportion", n=len(right), subgroup={"who": "all", "how": name},
                interval=Interval(low=p - k * half, high=p + k * half, method=f"normal x {k}"),
                status=Status.EFFECT if abs(p - 0.5) > half else Status.NO_EFFECT,
            )
            for name, k in (("accuracy", 1.0), ("narrow", 0.5))
        ]  # fmt: skip

    def validation(self) -> Sequence[Validation]:
        levels = tuple(Planted(f"classifier?accuracy={p}&seed={{seed}}", p - 0.5, p) for p in (0.5, 0.6, 0.7))
        return tuple(
            Validation(name, "Right with a known probability", things, levels) for name in ("accuracy", "narrow")
        )


def things() -> Dataset:
    return items([{"label": "x"}] * N)


@pytest.fixture(scope="module")
def coin() -> AuditValidation:
    return validate([Coin()], seeds=150).audits[0]


def test_a_sound_interval_stays_inside_and_a_narrow_one_is_caught(coin: AuditValidation) -> None:
    sound, narrow = ([one for one in proportions(coin) if one.curve.metric == name] for name in ("accuracy", "narrow"))
    assert {one.standing for one in sound} == {Standing.INSIDE}
    assert {one.standing for one in narrow} == {Standing.OUTSIDE}
    assert [one.level for one in narrow if one.kind == "coverage"] == [0, 1, 2, None]
    overall = next(one for one in narrow if one.kind == "coverage" and one.overall)
    assert overall.share == pytest.approx(0.673, abs=0.06)  # 2 Phi(.98) - 1
    assert (overall.hits, overall.n) == (sum(level.covered for level in narrow[0].curve.levels), 300 + 2 * 150)


def test_counts_power_and_bias_of_a_coin(coin: AuditValidation) -> None:
    curve = coin.curves[0]
    assert [level.runs for level in curve.levels] == [300, 150, 150]
    assert (curve.n, curve.interval, curve.model) == (N, "normal x 1.0", "classifier?accuracy=0.5&seed={seed}")
    # The interval leaves .5 out where |hits - 40| exceeds about 8.6: exact from the binomial, by planted accuracy.
    for level, p in zip(curve.levels, (0.5, 0.6, 0.7), strict=True):
        power = binom.cdf(31, N, p) + binom.sf(48, N, p)
        low, high = (binom.ppf(q, level.runs, power) for q in (0.0005, 0.9995))
        assert low <= level.rejected <= high
        assert level.found == level.rejected == level.any_found
        away, least, most = bias(level) or (1.0, 1.0, 1.0)
        assert least < away < most
        assert abs(away) < 4 * (p * (1 - p) / N / level.runs) ** 0.5


def test_another_process_gives_the_same(coin: AuditValidation) -> None:
    """Batches, order and processes play no part."""
    again = [row for seeds in (range(10, 15), range(10)) for row in measure(Coin(), 0, 1, seeds)]
    together = measure(Coin(), 0, 1, range(15))
    assert again == [*together[10:], *together[:10]]
    audit = plugins.load_audit("occupation_text")
    one, two = (validate([audit], seeds=1, jobs=jobs) for jobs in (1, 2))
    assert as_json(one) == as_json(two)


def test_plans_on_the_same_models_share_their_runs() -> None:
    (one,) = scenarios(Coin().validation())
    assert one.plans == (0, 1)
    assert (one.count(0, 100), one.count(1, 100)) == (200, 100)
    other = [*Coin().validation(), Validation("accuracy", "Elsewhere", lambda: None, Coin().validation()[0].levels)]
    assert [each.plans for each in scenarios(other)] == [(0, 1), (2,)]
    with pytest.raises(UsageError, match="'Empty' has no level"):
        scenarios([Validation("accuracy", "Empty", things, ())])


def test_levels_have_seeds_of_their_own() -> None:
    seen: list[int] = []

    class Watched(Coin):
        def run(self, cell: Cell, model: Model) -> pa.Table:
            seen.append(cell.seed)
            return super().run(cell, model)

    measure(Watched(), 0, 2, range(3, 5))
    assert seen == [2 * APART + 3, 2 * APART + 4]


def test_an_estimate_is_found_by_all_values_of_its_subgroup() -> None:
    found = Coin().score(Cell(Coin.spec, Params(), 0), pa.table({"right": [True, False]}))
    plan = Validation("narrow", "t", things, (), subgroup=("all", "narrow"))
    assert trial(Coin.spec, plan, found).interval == "normal x 0.5"
    with pytest.raises(UsageError, match="looks for 'narrow' of 'nobody'; there is all, narrow"):
        trial(Coin.spec, Validation("narrow", "t", things, (), subgroup="nobody"), found)


def made(value: float | None, low: float | None, high: float | None, rejects: bool | None = None) -> Trial:
    return Trial(value, low, high, rejects, False, False, "", "", "", 1, None)


def test_bounds_undefined_values_and_unknown_truth() -> None:
    trials = [made(1.0, 0.5, None), made(2.0, 1.5, None), made(None, None, None), made(3.0, None, None, True)]
    level = level_of(Planted("null", 0.1, 1.2), trials)
    assert (level.runs, level.undefined, level.judged_intervals, level.covered) == (3, 1, 2, 1)
    assert (level.mean, level.sd, level.judged_tests, level.rejected) == (2.0, 1.0, 1, 1)
    unknown = level_of(Planted("null", 0.1), trials)
    assert (unknown.truth, unknown.truth_is_mean, unknown.covered) == (2.0, True, 2)
    assert bias(unknown) is None
    assert (bias(level) or (0.0,))[0] == pytest.approx(0.8)


def test_bands_by_hand() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    low, high = band(200, 0.05, 4)
    inside = binom.cdf(round(200 * high), 200, 0.05) - binom.cdf(round(200 * low) - 1, 200, 0.05)
    narrower = binom.cdf(round(200 * high) - 1, 200, 0.05) - binom.cdf(round(200 * low), 200, 0.05)
    assert narrower < 1 - 0.01 / 4 <= inside


# --- what is carried, and said ------------------------------------------------------------------------------------------


def curve(covered: int, rejected: int = 5, metric: str = "accuracy") -> Curve:
    levels = (
        Level(effect=0, truth=0, runs=100, mean=0.0, sd=1.0, judged_intervals=100, covered=covered, judged_tests=100,
              rejected=rejected),
    )  # fmt: skip
    return Curve(metric=metric, title="<b>t</b>", x_label="x", model="null?seed={seed}", null=True, levels=levels)


def result(*curves: Curve) -> ValidationResult:
    one = AuditValidation(audit="coin", version="1", title="Coin", family="social bias", curves=curves)
    return ValidationResult(clipaudit_version="0", audits=(one,))


def test_cautions_say_which_way() -> None:
    audit = result(curve(60), curve(95, 40, "narrow"), curve(100, 0, "wide")).audits[0]
    said = cautions(audit)
    assert list(said) == ["accuracy", "narrow"]  # 100 of 100 and 0 of 100 are no rarities
    assert said["accuracy"][0].startswith(
        "Validation: on models with a known effect (planted effect 0) the 95 % interval of this metric held the truth in "
        "60.0 % [49.7, 69.7] of 100 runs: it is too narrow."
    )
    assert "rejected at .05 in 40.0 %" in said["narrow"][0]
    assert summary(audit).endswith("2 of 6 figures outside the binomial band")


def test_findings_carry_the_caution_of_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Coin().score(Cell(Coin.spec, Params(), 0), pa.table({"right": [True, False]}))
    assert carried.cautioned(Coin(), found) == found  # this package carries none
    carried._cautions.cache_clear()
    monkeypatch.setattr(carried, "_carried", lambda package: result(curve(60)))
    noted = carried.cautioned(Coin(), found)
    assert noted[0].notes == cautions(result(curve(60)).audits[0])["accuracy"]
    assert noted[1] == found[1]

    class Newer(Coin):
        spec = Coin.spec.model_copy(update={"version": "2"})

    assert carried.stored(Newer()) is None
    assert carried.cautioned(Newer(), found) == found
    carried._cautions.cache_clear()


@pytest.mark.parametrize("content", [None, "{", '{"schema_version": "9", "audits": 3}'])
def test_a_package_without_figures_that_can_be_read_carries_none(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "carries_nothing"
    package.mkdir()
    (package / "__init__.py").touch()
    if content is not None:
        (package / "validation.json").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "carries_nothing", raising=False)
    assert carried._carried.__wrapped__("carries_nothing") is None


def test_json_is_whole_and_one_line_a_level(coin: AuditValidation) -> None:
    whole = ValidationResult(clipaudit_version="0", audits=(coin, coin))
    text = as_json(whole)
    assert ValidationResult.model_validate_json(text) == whole
    assert sum(line.startswith('   {"effect"') for line in text.splitlines()) == 2 * 2 * 3
    assert json.loads(text)["schema_version"] == "1"


def test_the_page_says_it_all_and_escapes(coin: AuditValidation) -> None:
    page = render(ValidationResult(clipaudit_version="0", audits=(coin, *result(curve(60)).audits)))
    assert "2 audits, 3 curves: 1 inside, 0 cautious, 2 outside." in page
    assert "&lt;b&gt;t&lt;/b&gt;" in page
    assert "<b>t</b>" not in page
    assert page.count('class="scroll plot"') == (1 + 2 * 3) + (1 + 3)  # a forest each, and three plots a curve
    assert "://" not in page.replace("http://www.w3.org/", "")


def test_planted_items_have_no_pixels() -> None:
    data = items([{"tone": "a"}, {"tone": "b"}], groups=("tone",), cluster=None)
    assert (data.columns, data.column("tone"), data.info.groups_are) == (("tone",), ["a", "b"], "drawn")
    assert data.images[0].digest != data.images[1].digest
    with pytest.raises(ImageError, match="00000: planted for a control model"):
        data.images[0].load()
