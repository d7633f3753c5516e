"""The counterfactual audit on control models: it finds what is planted, at its size, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from clipaudit_audits.social_bias.counterfactual import Counterfactual
from clipaudit_audits.social_bias.counterfactual_effects import sign_flip_tests
from clipaudit_audits.social_bias.counterfactual_findings import Study, study
from clipaudit_audits.social_bias.counterfactual_pairs import Change
from scipy.stats import binom
from statsmodels.stats.power import TTestPower

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, NotSupported, UsageError
from clipaudit.models.control import load_control
from clipaudit.results import DataInfo, Estimate, Status
from clipaudit.stimuli.avatars import Avatar

AUDIT = Counterfactual()
COLUMNS = ("identity", "tone", "presentation", "facial_hair", "clothing")
CRIME = {"name": "crime", "title": "criminal / law-abiding", "plus": ["a thief", "a thug"], "minus": ["a witness"]}
WEALTH = {"name": "wealth", "title": "rich / poor", "plus": ["an heir", "a banker"], "minus": ["a beggar", "a tramp"]}
CHECK = {"name": "check", "title": "dark / light", "checks": "tone", "plus": ["dark skin"], "minus": ["light skin"]}
EFFECT = 0.06
PLANTED = f"counterfactual?attribute=tone&level=monk 10&words=thief,thug&effect={EFFECT}"
SMALL = {"categories": [CRIME, WEALTH, CHECK], "templates": ["a drawing of {}."]}


def people(identities: int, tones: tuple[int, ...] = (0, 9), beards: tuple[str, ...] = ("none",)) -> Dataset:
    factors = (range(identities), tones, ("short hair", "long hair"), beards, ("hoodie", "suit"))
    images = [Avatar(*values) for values in product(*factors)]
    info = DataInfo(id="avatars", title="Drawn people", digest="0", items=len(images), licence="-", consent="-")
    return Dataset(info, images, COLUMNS, "identity")


def planned(dataset: Dataset, seed: int = 0, **params: Any) -> Cell:
    (cell,) = AUDIT.plan(PlanContext(AUDIT.spec.params(**{**SMALL, **params}), seed, dataset))
    return cell


def estimates(cell: Cell, spec: str) -> list[Estimate]:
    return AUDIT.score(replace(cell, dataset=None), AUDIT.run(cell, load_control(spec)))


def one(found: list[Estimate], metric: str, attribute: str, words: str) -> Estimate:
    (estimate,) = [
        e for e in found if (e.metric, e.subgroup["attribute"], e.subgroup["words"]) == (metric, attribute, words)
    ]
    return estimate


def test_planted_effect_is_found_and_nothing_else() -> None:
    found = estimates(planned(people(16)), PLANTED)
    crime = one(found, "effect", "tone", "criminal / law-abiding")
    assert crime.status is Status.EFFECT
    assert crime.interval is not None
    assert crime.interval.low <= EFFECT <= crime.interval.high  # type: ignore[operator]
    assert (crime.n, crime.clusters, crime.cluster_key) == (64, 16, "identity")
    assert crime.sentence.startswith(
        "Drawn with skin tone monk 10 instead of skin tone monk 01, all else equal, people lie closer to 'criminal' "
        "against 'law-abiding': +0.0"
    )
    others = [e for e in found if e.metric in ("effect", "interaction") and e is not crime]
    assert len(others) == 2 * 3 - 1 + 2 * 2 + 1  # two categories on three attributes, two interactions each, one check
    assert all(e.status is Status.NO_EFFECT and e.minimum_detectable is not None for e in others)
    moved = [e.subgroup["words"] for e in found if e.metric == "word_effect"]
    assert sorted(moved) == ["a thief", "a thug"]


def test_effect_in_units_of_the_models_spread() -> None:
    found = estimates(planned(people(16)), PLANTED)
    share = one(found, "pairs_crossed", "tone", "criminal / law-abiding")
    assert share.interval is not None
    assert 0 < share.interval.low < share.value < share.interval.high < 100  # type: ignore[operator]


def test_failed_check_is_said_at_every_effect_of_that_attribute() -> None:
    found = estimates(planned(people(16)), PLANTED)
    assert one(found, "effect", "tone", "dark / light").sentence.startswith("Check failed. ")
    for estimate in found:
        warned = any("check failed" in note for note in estimate.notes)
        concerned = estimate.metric in ("effect", "joint_effect", "interaction") and estimate.role != "control"
        assert warned == (concerned and "tone" in estimate.subgroup["attribute"])
    seen = f"counterfactual?attribute=tone&level=monk 10&words=dark skin&effect={EFFECT}"
    passed = one(estimates(planned(people(16)), seen), "effect", "tone", "dark / light")
    assert passed.sentence.startswith("Check passed. ")


def test_a_shift_of_words_at_random_is_called_that() -> None:
    """Nothing but the words of one category moves in the one model; in the other, words at random do."""
    beyond = one(estimates(planned(people(16)), PLANTED), "effect", "tone", "criminal / law-abiding")
    assert beyond.null is not None
    # "a thief" moves up and so do two words outside the category.
    mixed = f"counterfactual?attribute=tone&level=monk 10&words=thief,heir,tramp,witness&effect={EFFECT}"
    within = one(estimates(planned(people(16)), mixed), "effect", "tone", "criminal / law-abiding")
    assert within.status is Status.EFFECT
    assert within.null is not None
    assert within.null.low < within.value < within.null.high  # type: ignore[operator]
    assert " No more than words at random would: " in within.sentence


def test_interval_covers_and_test_holds_its_level() -> None:
    """400 models: coverage of the planted effect, power, and the false-positive rate on a change without effect."""
    models, covered, detected, false, spread = 400, 0, 0, 0, 0.0
    dataset = people(14)
    for seed in range(models):
        made = _study(dataset, f"{PLANTED}&dim=64&seed={seed}", seed)
        category = made.questions[:1]
        tone = made.effects((Change("tone", "monk 01", "monk 10"),), category)
        interval = tone.interval(0, seed)
        covered += interval.low <= EFFECT <= interval.high  # type: ignore[operator]
        detected += sign_flip_tests(tone.deltas, tone.clusters, seed)[0].p <= 0.05
        spread += tone.deltas.reshape(14, -1).mean(axis=1).var(ddof=1) / models
        suit = made.effects((Change("clothing", "hoodie", "suit"),), category)
        false += sign_flip_tests(suit.deltas, suit.clusters, seed)[0].p <= 0.05
    # BCa over 14 identities covers less than 95 %, as its note says of few; it must not be worse than about 90.
    assert binom.ppf(0.001, models, 0.90) <= covered <= binom.ppf(0.999, models, 0.95)
    assert binom.ppf(0.005, models, 0.05) <= false <= binom.ppf(0.995, models, 0.05)
    promised = TTestPower().power(
        EFFECT / spread**0.5, nobs=14, alpha=0.05
    )  # what the minimum detectable effect rests on
    assert detected / models == pytest.approx(promised, abs=0.08)


def _study(dataset: Dataset, spec: str, seed: int) -> Study:
    cell = planned(dataset, seed, categories=[CRIME])
    return study(cell, AUDIT.run(cell, load_control(spec)))


def test_order_of_words_and_categories_changes_nothing() -> None:
    turned = [{**c, "plus": c["plus"][::-1], "minus": c["minus"][::-1]} for c in (CHECK, WEALTH, CRIME)]
    first = estimates(planned(people(8)), PLANTED)
    second = estimates(planned(people(8), categories=turned), PLANTED)
    for estimate in (e for e in first if e.metric == "effect"):
        twin = one(second, "effect", estimate.subgroup["attribute"], estimate.subgroup["words"])
        assert twin.value == pytest.approx(estimate.value, abs=1e-12)
        # Sums in another order differ in the last bit, which can move a resample to the other side of a tie.
        assert twin.interval.low == pytest.approx(estimate.interval.low, abs=5e-4)  # type: ignore[union-attr]
        assert (twin.status, twin.test.p) == (estimate.status, pytest.approx(estimate.test.p))  # type: ignore[union-attr]


def test_exchanging_the_poles_changes_the_sign() -> None:
    turned = {**CRIME, "plus": CRIME["minus"], "minus": CRIME["plus"]}
    first = estimates(planned(people(8), categories=[CRIME]), PLANTED)
    second = estimates(planned(people(8), categories=[turned]), PLANTED)
    values = [[e.value for e in found if e.metric in ("effect", "interaction")] for found in (first, second)]
    assert values[0] == pytest.approx([-value for value in values[1]])


def test_five_identities_are_too_few() -> None:
    found = estimates(planned(people(5)), PLANTED)
    assert {e.status for e in found} == {Status.TOO_SMALL}
    assert all(e.test is None and "too few" in e.sentence for e in found)
    assert all(e.status is not Status.TOO_SMALL for e in estimates(planned(people(6)), PLANTED))


def test_levels_and_identities_are_limited() -> None:
    dataset = people(5, tones=tuple(range(10)), beards=("none", "full beard"))
    cell = planned(dataset, max_levels=3, max_identities=2)
    images = AUDIT.workload(cell).images
    assert sorted({image.attributes["tone"] for image in images}) == ["monk 01", "monk 05", "monk 10"]
    assert sorted({image.attributes["identity"] for image in images}) == ["identity 01", "identity 02"]
    assert len(images) == 2 * 3 * 2 * 2 * 2


def test_lexicon_is_part_of_the_cell() -> None:
    full = planned(people(6), categories=[])
    assert [c.name for c in full.params.categories][:3] == ["valence", "competence", "crime"]
    assert full.key("m") != planned(people(6), categories=[CRIME]).key("m")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lexicon": "peple"}, "unknown lexicon 'peple'; did you mean people?"),
        ({"lexicon": "no.toml"}, "there is no file 'no.toml'"),
        ({"reference": {"tne": "monk 10"}}, "reference names 'tne', which is not among the attributes; did you mean tone?"),
        ({"interactions": [("tone", "hat")]}, "interactions names 'hat'"),
        ({"categories": [CRIME, CRIME]}, "two categories are called 'crime'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_clear_line(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        planned(people(6), **{"categories": [], **params})
    assert message in str(caught.value)


def test_data_without_the_columns_and_models_without_cosines() -> None:
    with pytest.raises(DataError, match="has no column 'hue'"):
        planned(people(6), attributes=["hue"])
    with pytest.raises(UsageError, match="give the audit a data set"):
        AUDIT.plan(PlanContext(AUDIT.spec.params(), 0, None))
    with pytest.raises(NotSupported, match="compares cosines; this model gives decisions"):
        AUDIT.run(planned(people(6)), _Decides())


class _Decides:
    """Scores of one label per image."""

    def score_labels(self, images: Any, labels: Any, templates: Any) -> Any:
        labelled = [_Labelled(image) for image in images]
        return load_control("classifier").score_labels(labelled, labels, templates)


class _Labelled:
    def __init__(self, image: Any) -> None:
        self.id, self.attributes, self.digest, self.load = image.id, {"label": "x"}, "", image.load


def test_figures_state_their_number() -> None:
    cell = planned(people(16))
    rows = AUDIT.run(cell, load_control(PLANTED))
    figures = {f.id: f for f in AUDIT.figures(cell, rows, AUDIT.score(cell, rows))}
    assert figures["effects-tone"].alt.startswith("1 of 2 effects differ from 0 after correction; the largest is +0.0")
    marked = figures["phrases"].marked
    assert [row for row, marks in zip(figures["phrases"].rows, marked, strict=True) if any(marks)] == [
        "a thief",
        "a thug",
    ]
    scores = [entry.score for entry in figures["pairs-tone"].entries]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
