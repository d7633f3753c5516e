"""The counterfactual factorial: intersections and interactions against regressions, refused phrases, templates alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.social_bias.counterfactual import Counterfactual
from clipaudit_audits.social_bias.counterfactual_effects import effects
from clipaudit_audits.social_bias.counterfactual_pairs import Change, Table, corners, differences

from clipaudit.contract import Cell, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError
from clipaudit.models.protocol import Scores
from clipaudit.results import DataInfo, Estimate, Status
from clipaudit.stimuli.avatars import Avatar

AUDIT = Counterfactual()
COLUMNS = ("identity", "tone", "presentation", "facial_hair", "clothing")
CRIME = {"name": "crime", "title": "criminal / law-abiding", "plus": ["a thief", "a thug"], "minus": ["a witness"]}
WEALTH = {"name": "wealth", "title": "rich / poor", "plus": ["an heir", "a banker"], "minus": ["a beggar", "a tramp"]}
CHANGES = (Change("a", "0", "1"), Change("b", "0", "1"), Change("c", "0", "1"))


def factorial(identities: int, seed: int) -> tuple[Table, np.ndarray, np.ndarray]:
    """Three attributes of two levels, scores at random; with the design (+-1/2 codes) and the scores in its order."""
    rng = np.random.default_rng(seed)
    cells = list(product(range(identities), "01", "01", "01"))
    values = rng.standard_normal(len(cells)) + rng.standard_normal(identities)[[who for who, *_ in cells]]
    codes = np.array([[int(level) - 0.5 for level in levels] for _, *levels in cells])
    table = Table(
        items=tuple("-".join(map(str, cell)) for cell in cells),
        clusters=tuple(str(who) for who, *_ in cells),
        attributes={name: tuple(cell[1 + k] for cell in cells) for k, name in enumerate("abc")},
        levels=dict.fromkeys("abc", ("0", "1")),
        cosines=values[:, None],
    )
    return table, codes, values


def regression(codes: np.ndarray, values: np.ndarray, clusters: tuple[str, ...]) -> dict[tuple[int, ...], float]:
    """Ordinary least squares with an intercept per identity, all interactions, sum-to-zero codes."""
    terms = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    names = sorted(set(clusters))
    design = np.array([[float(who == name) for name in names] for who in clusters])
    columns = [codes[:, list(term)].prod(axis=1) for term in terms]
    found = np.linalg.lstsq(np.column_stack([design, *columns]), values, rcond=None)[0]
    return dict(zip(terms, found[len(names) :].tolist(), strict=True))


def test_effects_and_interactions_are_the_coefficients_of_a_regression() -> None:
    table, codes, values = factorial(7, 3)
    fitted = regression(codes, values, table.clusters)
    for term, coefficient in fitted.items():
        changes = [CHANGES[k] for k in term]
        assert effects(table, table.cosines, changes).mean(0) == pytest.approx(coefficient, abs=1e-12)
    a, b = fitted[(0,)], fitted[(1,)]
    assert effects(table, table.cosines, CHANGES[:2], joint=True).mean(0) == pytest.approx(a + b, abs=1e-12)


def test_effects_are_the_fixed_effects_of_a_mixed_model() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    table, codes, values = factorial(12, 4)
    terms = [codes[:, [0]], codes[:, [1]], codes[:, [2]], codes[:, [0]] * codes[:, [1]]]
    design = np.column_stack([np.ones(len(values)), *terms])
    fitted = MixedLM(values, design, groups=np.array(table.clusters)).fit().fe_params
    assert effects(table, table.cosines, CHANGES[:1]).mean(0) == pytest.approx(fitted[1], abs=1e-6)
    assert effects(table, table.cosines, CHANGES[:2]).mean(0) == pytest.approx(fitted[4], abs=1e-6)


def test_three_changes_are_the_difference_of_two_interactions() -> None:
    values = np.arange(8.0) ** 3
    (corner,) = corners(factorial(1, 0)[0], CHANGES).tolist()
    assert corner == list(range(8))
    by_hand = ((7**3 - 6**3) - (5**3 - 4**3)) - ((3**3 - 2**3) - (1 - 0))
    assert differences(values, np.array([corner])).tolist() == [by_hand]


class Drawn:
    """Cosines: an identity's own level, noise, and what `shift` adds by (attributes, phrase, template)."""

    def __init__(self, shift: Any, seed: int = 0, longest: int = 60) -> None:
        self.shift, self.seed, self.longest = shift, seed, longest

    def score_labels(self, images: Any, labels: Any, templates: Any) -> Scores:
        if bad := [label for label in labels if len(label) > self.longest]:
            raise DataError(f"text {bad[0]!r} is longer than the model's context")
        rng = np.random.default_rng(self.seed)
        noise = {label: rng.standard_normal(len(images)) for label in sorted(labels)}
        columns = [
            0.02 * noise[label]
            + np.array([np.mean([self.shift(i.attributes, label, t) for t in templates]) for i in images])
            for label in labels
        ]
        return Scores(np.stack(columns, axis=1), "cosine", (None,) * len(images))


def people(identities: int) -> Dataset:
    factors = (range(identities), (0, 9), ("short hair", "long hair"), ("none",), ("hoodie", "suit"))
    images = [Avatar(*values) for values in product(*factors)]
    info = DataInfo(id="avatars", title="Drawn people", digest="0", items=len(images), licence="-", consent="-")
    return Dataset(info, images, COLUMNS, "identity")


def planned(identities: int = 10, **params: Any) -> Cell:
    values = {"categories": [CRIME, WEALTH], "templates": ["a picture of {}.", "a drawing of {}."], **params}
    (cell,) = AUDIT.plan(PlanContext(AUDIT.spec.params(**values), 0, people(identities)))
    return cell


def scored(cell: Cell, model: Drawn) -> list[Estimate]:
    return AUDIT.score(replace(cell, dataset=None), AUDIT.run(cell, model))  # type: ignore[arg-type]


def found(estimates: list[Estimate], metric: str, attribute: str, words: str = "criminal / law-abiding") -> Estimate:
    (one,) = [
        e for e in estimates if e.metric == metric and e.subgroup.get("attribute") == attribute
        and e.subgroup["words"] == words
    ]  # fmt: skip
    return one


def only_dark_long_hair(attributes: Any, label: str, template: str) -> float:
    return 0.08 * (
        attributes["tone"] == "monk 10" and attributes["presentation"] == "long hair" and label in CRIME["plus"]
    )


def test_what_is_planted_in_one_intersection_is_an_interaction_there() -> None:
    estimates = scored(planned(), Drawn(only_dark_long_hair))
    joint = found(estimates, "joint_effect", "tone x presentation")
    assert joint.status is Status.EFFECT
    assert joint.value == pytest.approx(0.08, abs=0.02)
    assert joint.interval is not None
    assert 0.05 < joint.interval.low < joint.interval.high < 0.11  # type: ignore[operator]
    assert joint.sentence.startswith(
        "Drawn with skin tone monk 10 and long hair instead of skin tone monk 01 and short hair, all else equal, "
        "people lie closer to 'criminal' against 'law-abiding': +0.0"
    )
    more = found(estimates, "interaction", "tone x presentation")
    assert more.status is Status.EFFECT
    assert more.value == pytest.approx(0.08, abs=0.03)
    assert found(estimates, "effect", "tone").value == pytest.approx(0.04, abs=0.02)  # half of the pairs carry it
    assert found(estimates, "interaction", "tone x clothing").status is Status.NO_EFFECT
    assert found(estimates, "joint_effect", "tone x presentation", "rich / poor").status is Status.NO_EFFECT
    assert any("tone x presentation" in e.subgroup["attribute"] for e in estimates if e.metric == "pairs_crossed")


def test_three_attributes_may_intersect() -> None:
    def shift(attributes: Any, label: str, template: str) -> float:
        return only_dark_long_hair(attributes, label, template) * (attributes["clothing"] == "suit") * 2

    estimates = scored(planned(12, interactions=[("tone", "presentation", "clothing")]), Drawn(shift))
    third = found(estimates, "interaction", "tone x presentation x clothing")
    assert third.status is Status.EFFECT
    assert third.value == pytest.approx(0.16, abs=0.05)
    assert "sets of 8 of 12 identities" in third.sentence
    with pytest.raises(UsageError, match="an interaction is of two attributes or more, not tone"):
        planned(interactions=[("tone",)])


def test_nothing_is_found_where_nothing_is_planted() -> None:
    """False-positive families among 40, each with Benjamini-Hochberg at 5 %."""
    families = 0
    for seed in range(40):
        estimates = scored(planned(8), Drawn(lambda *_: 0.0, seed=seed))
        families += any(
            e.status is Status.EFFECT for e in estimates if e.metric in ("effect", "interaction", "joint_effect")
        )
    assert families <= 6  # binomial(40, .05): more than 6 has probability .003


def test_a_sign_that_turns_with_the_template_is_marked_and_is_that_of_the_template_alone() -> None:
    def shift(attributes: Any, label: str, template: str) -> float:
        size = 0.2 if template.startswith("a picture") else -0.08
        return size * (attributes["tone"] == "monk 10" and label in CRIME["plus"])

    estimates = scored(planned(), Drawn(shift))
    tone = found(estimates, "effect", "tone")
    assert tone.status is Status.EFFECT
    assert any(n.startswith("Template-sensitive: 1 of 2 templates alone gives the opposite") for n in tone.notes)
    assert "Its sign depends on the wording" in tone.sentence
    (summary,) = [e for e in estimates if e.metric == "template_agreement"]
    assert summary.value is not None
    assert 0.5 < summary.value < 1
    for template, sign in (("a picture of {}.", 1), ("a drawing of {}.", -1)):
        alone = scored(planned(templates=[template]), Drawn(shift))
        assert np.sign(found(alone, "effect", "tone").value or 0.0) == sign
        assert not [e for e in alone if e.metric == "template_agreement"]
        assert not any("template" in note for e in alone for note in e.notes)


def test_a_phrase_that_is_too_long_is_an_error_row_and_is_left_out() -> None:
    long = "a thief " * 20
    category = {**CRIME, "plus": ["a thief", "a thug", long]}
    cell = planned(categories=[category, {"name": "lost", "plus": [long], "minus": ["a witness"]}])
    model = Drawn(only_dark_long_hair)
    rows = AUDIT.run(cell, model)  # type: ignore[arg-type]
    (line,) = [line for line in rows.to_pylist() if line["kind"] == "phrase"]
    assert line["item"] == long
    assert "longer than the model's context" in line["error"]
    estimates = AUDIT.score(replace(cell, dataset=None), rows)
    without = scored(planned(categories=[CRIME]), model)
    for metric in ("effect", "interaction"):
        attribute = "tone" if metric == "effect" else "tone x presentation"
        assert found(estimates, metric, attribute).value == pytest.approx(found(without, metric, attribute).value)
    (lost,) = [e for e in estimates if e.subgroup.get("words") == "lost"]
    assert lost.status is Status.TOO_SMALL
    assert "refuses every phrase" in lost.sentence


@pytest.mark.parametrize("twin", ["a thief", "A Thief", "a  thief "])
def test_a_phrase_that_occurs_twice_is_refused(twin: str) -> None:
    from clipaudit_audits.social_bias.counterfactual_lexicon import Category

    with pytest.raises(ValueError, match="holds 'a thief' twice"):
        Category(name="crime", plus=("a thief",), minus=(twin,))
    with pytest.raises(ValueError, match="holds a blank phrase"):
        Category(name="crime", plus=(" ",))


def test_drawing_every_identity_twice_does_not_narrow_the_interval() -> None:
    """The same pictures again, as further drawings of the same identities, are no further evidence."""
    cell = planned(8)
    rows = AUDIT.run(cell, Drawn(only_dark_long_hair))  # type: ignore[arg-type]
    import pyarrow as pa

    again = rows.set_column(0, "item", pa.array([f"{item}-again" for item in rows["item"].to_pylist()]))
    again = again.set_column(
        again.column_names.index("facial_hair"), "facial_hair", pa.array(["full beard"] * rows.num_rows)
    )
    once = found(AUDIT.score(replace(cell, dataset=None), rows), "effect", "tone")
    twice = found(AUDIT.score(replace(cell, dataset=None), pa.concat_tables([rows, again])), "effect", "tone")
    assert twice.n == 2 * once.n
    assert twice.clusters == once.clusters
    assert twice.value == pytest.approx(once.value)
    widths = [e.interval.high - e.interval.low for e in (once, twice) if e.interval is not None]  # type: ignore[operator]
    assert widths[1] == pytest.approx(widths[0], rel=0.01)
