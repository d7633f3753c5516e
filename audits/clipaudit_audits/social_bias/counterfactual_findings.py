"""From rows to estimates: categories, interactions, single phrases, the general drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clipaudit.contract import AuditSpec, Cell, MetricSpec
from clipaudit.results import Direction, Estimate, Interval, Null, Status, Test
from clipaudit.stats.multiple import correct
from clipaudit.stats.null import null_from_draws
from clipaudit.stats.permutation import p_value
from clipaudit_audits.scored_texts import from_rows
from clipaudit_audits.social_bias import counterfactual_sentences as say
from clipaudit_audits.social_bias.counterfactual_effects import (
    FEW_IDENTITIES,
    Effects,
    effects,
    random_poles,
    sign_flip_tests,
)
from clipaudit_audits.social_bias.counterfactual_lexicon import Category, words_of
from clipaudit_audits.social_bias.counterfactual_pairs import (
    Change,
    Floats,
    Table,
    category_scores,
    differences,
    pairs_within,
    read_table,
)
from clipaudit_audits.template_sensitivity import Sensitivity, agreement, marked, sensitivity

Role = Literal["primary", "secondary", "control"]
MAX_WORDS = 15  # single phrases reported as estimates; the heatmap shows all


@dataclass(frozen=True)
class Study:
    """Rows, made ready: the table, the lexicon, and the scores of each picture per category.

    categories: without phrases that the model refused; unjudged: those of which a pole has none left.
    alone: template -> the table under it alone; empty for one template.
    """

    spec: AuditSpec
    seed: int
    table: Table
    categories: tuple[Category, ...]
    words: tuple[str, ...]
    cluster: str
    interactions: tuple[tuple[str, ...], ...]
    alone: Mapping[str, Table] = field(default_factory=dict)
    unjudged: tuple[Category, ...] = ()

    @property
    def questions(self) -> list[Category]:
        return [category for category in self.categories if not category.checks]

    def checks_of(self, change: Change) -> list[Category]:
        return [
            category
            for category in self.categories
            if category.checks == change.attribute and (not category.levels or change.after in category.levels)
        ]

    def effects(self, changes: Sequence[Change], categories: Sequence[Category], joint: bool = False) -> Effects:
        return effects(self.table, category_scores(self.table.cosines, categories, self.words), changes, joint)

    def each_template(self, seen: Effects, weigh: Callable[[Floats], Floats]) -> list[Sensitivity | None]:
        """For each score of `seen`: the same effect under every template alone. weigh: (n, words) to (n, scores)."""
        means = {
            template: differences(weigh(table.cosines), seen.indices).mean(axis=0)
            for template, table in self.alone.items()
            if len(seen.indices)
        }
        return [
            sensitivity({template: float(values[j]) for template, values in means.items()}, seen.mean(j))
            for j in range(seen.deltas.shape[1])
        ]


@dataclass(frozen=True)
class Finding:
    """An estimate and what it is about. `stable`: the same under every template alone."""

    estimate: Estimate
    changes: tuple[Change, ...]
    category: Category | None = None
    word: str = ""
    stable: Sensitivity | None = None

    def with_estimate(self, **update: object) -> Finding:
        return replace(self, estimate=self.estimate.model_copy(update=update))


def study(cell: Cell, rows: pa.Table) -> Study:
    """The rows of a cell. Cluster and attributes are those of its parameters."""
    params = cell.params
    refused = frozenset(rows.filter(pc.equal(rows["kind"], "phrase"))["item"].to_pylist())
    images = rows.filter(pc.and_(pc.equal(rows["kind"], "image"), pc.is_null(rows["error"]))).sort_by("item")
    table = read_table(images, params.attributes, params.cluster, params.reference)
    every = words_of(params.categories)
    known = [word not in refused for word in every]
    words = [word for word in every if word not in refused]
    each = zip(dict.fromkeys(params.templates), from_rows(images["alone"], len(every)), strict=False)
    alone = {template: replace(table, cosines=cosines[:, known]) for template, cosines in each}
    if images.num_rows:
        table = replace(table, cosines=table.cosines[:, known])
    left = [(category, category.without(refused)) for category in params.categories]
    return Study(
        cell.spec, cell.seed, table, tuple(kept for _, kept in left if kept), tuple(words), params.cluster,
        params.interactions, alone, tuple(category for category, kept in left if kept is None),
    )  # fmt: skip


def all_findings(made: Study) -> list[Finding]:
    """Categories, intersections and interactions (one family, Benjamini-Hochberg), checks, phrases that moved most,
    drift, the summary over templates, and what was refused."""
    changes = made.table.changes()
    asked = [f for change in changes for f in _on_categories(made, (change,), made.questions, "primary")]
    for names in made.interactions:
        together = _extremes(made.table, names)
        asked += _on_categories(made, together, made.questions, "secondary", joint=True)
        asked += _on_categories(made, together, made.questions, "secondary")
    checks = [f for change in changes for f in _on_categories(made, (change,), made.checks_of(change), "control")]
    checks = _spoken(made, _corrected(checks, "checks"))
    asked = _spoken(made, _warned(_corrected(asked, "effects on categories"), checks))
    summary = agreement([(f.estimate, f.stable) for f in asked], of="effects on categories")
    return [
        *asked,
        *_shares(made, asked),
        *checks,
        *top_words(made),
        *_drift(made, changes),
        *(Finding(estimate, ()) for estimate in summary),
        *_refused(made),
    ]


def _refused(made: Study) -> list[Finding]:
    metric = made.spec.metric("effect")
    return [
        Finding(
            Estimate(
                metric=metric.name, title=category.label, value=None, unit=metric.unit, direction=metric.direction,
                role="secondary", subgroup={"words": category.label}, n=0, status=Status.TOO_SMALL,
                sentence=f"{category.label}: not judged, for the model refuses every phrase of one of its poles.",
            ),
            (),
            category,
        )
        for category in made.unjudged
    ]  # fmt: skip


def word_findings(made: Study) -> list[Finding]:
    """Every change on every phrase, corrected as one family; without intervals and sentences."""
    found = []
    for change in made.table.changes():
        seen = effects(made.table, made.table.cosines, (change,))
        metric = made.spec.metric("word_effect")
        stable = made.each_template(seen, np.asarray)
        for j, (word, test) in enumerate(zip(made.words, _tests(seen, made.seed), strict=True)):
            base = _estimate(made, metric, seen, j, test, "secondary", word)
            found.append(Finding(base, (change,), None, word, stable[j]))
    return _corrected(found, "effects on phrases")


def top_words(made: Study) -> list[Finding]:
    """The phrases that moved most among those with an effect, with interval and sentence."""
    every = [f for f in word_findings(made) if f.estimate.status is Status.EFFECT]
    every.sort(key=lambda f: (-abs(f.estimate.value or 0.0), f.changes[0].attribute, f.changes[0].after, f.word))
    result = []
    for finding in every[:MAX_WORDS]:
        change, word = finding.changes[0], made.words.index(finding.word)
        seen, j = effects(made.table, made.table.cosines[:, [word]], (change,)), 0
        estimate = finding.estimate.model_copy(
            update={
                "interval": seen.interval(j, made.seed),
                "minimum_detectable": seen.minimum_detectable(j),
                "notes": (f"One of the {min(MAX_WORDS, len(every))} largest of {len(every)} effects on phrases.",),
            }
        )
        spoken = estimate.model_copy(update={"sentence": say.word_sentence(estimate, change, finding.word)})
        result.append(replace(finding, estimate=marked(spoken, finding.stable)))
    return result


def _on_categories(
    made: Study, changes: tuple[Change, ...], categories: Sequence[Category], role: Role, joint: bool = False
) -> list[Finding]:
    if not changes or not categories:
        return []
    seen = made.effects(changes, categories, joint)
    shifts = differences(made.table.cosines, seen.indices).mean(axis=0) if seen.big_enough else None
    metric = made.spec.metric("effect" if len(changes) == 1 else "joint_effect" if joint else "interaction")
    stable = made.each_template(seen, lambda cosines: category_scores(cosines, categories, made.words))
    found = []
    for j, (category, test) in enumerate(zip(categories, _tests(seen, made.seed), strict=True)):
        base = _estimate(made, metric, seen, j, test, role, category.label)
        if shifts is not None:
            null, against_words = _random_poles(made, shifts, category, base.value or 0.0)
            extra = {
                "interval": seen.interval(j, made.seed),
                "minimum_detectable": seen.minimum_detectable(j),
                "null": null,
                "other_tests": (against_words,),
            }
            base = base.model_copy(update=extra)
        found.append(Finding(base, changes, category, stable=stable[j]))
    return found


def _random_poles(made: Study, shifts: Floats, category: Category, value: float) -> tuple[Null, Test]:
    """What words at random give: `shifts` (words,) of all phrases, drawn into poles of the category's sizes."""
    draws = random_poles(shifts, len(category.plus), len(category.minus), made.seed)
    method = f"poles of {len(category.plus)} and {len(category.minus)} phrases of the lexicon, {len(draws):,} at random"
    test = Test(p=p_value(draws, value, exact=False), method=method, smallest_p=1 / (len(draws) + 1))
    return null_from_draws(draws, method), test


def _warned(findings: Sequence[Finding], checks: Sequence[Finding]) -> list[Finding]:
    """A note on every effect of a change whose check failed."""
    failed = {f.changes[0] for f in checks if not say.check_holds(f.estimate)}
    result = []
    for finding in findings:
        notes = [say.failed_check(change) for change in finding.changes if change in failed]
        result.append(finding.with_estimate(notes=(*finding.estimate.notes, *notes)))
    return result


def _estimate(
    made: Study, metric: MetricSpec, seen: Effects, score: int, test: Test | None, role: Role, target: str
) -> Estimate:
    notes = []
    if seen.big_enough and seen.identities <= FEW_IDENTITIES:
        notes.append(f"With {seen.identities} identities the bootstrap interval tends to be too short.")
    return Estimate(
        metric=metric.name,
        title=f"{say.name_of(seen.changes, seen.joint)}: {target}",
        value=seen.mean(score),
        unit=metric.unit,
        direction=Direction.DESCRIPTIVE if role == "control" else metric.direction,
        role=role,
        subgroup={
            "attribute": " x ".join(change.attribute.replace("_", " ") for change in seen.changes),
            "change": say.name_of(seen.changes, seen.joint),
            "words": target,
        },
        n=len(seen.deltas),
        clusters=seen.identities,
        cluster_key=made.cluster,
        null_value=0.0,
        test=test,
        status=Status.DESCRIBED if seen.big_enough else Status.TOO_SMALL,
        notes=tuple(notes),
    )


def _tests(seen: Effects, seed: int) -> list[Test] | list[None]:
    if not seen.big_enough:
        return [None] * seen.deltas.shape[1]
    return sign_flip_tests(seen.deltas, seen.clusters, seed)


def _corrected(findings: Sequence[Finding], family: str) -> list[Finding]:
    done = correct([finding.estimate for finding in findings], "benjamini-hochberg", family)
    return [replace(f, estimate=e) for e, f in zip(done, findings, strict=True)]


def _spoken(made: Study, findings: Sequence[Finding]) -> list[Finding]:
    shares = pairs_within(made.table.cosines, [abs(finding.estimate.value or 0.0) for finding in findings])
    result = []
    for finding, share in zip(findings, shares, strict=True):
        assert finding.category is not None
        sentence = say.category_sentence(finding.estimate, finding.changes, finding.category, float(share))
        spoken = finding.estimate.model_copy(update={"sentence": sentence})
        result.append(replace(finding, estimate=marked(spoken, finding.stable)))
    return result


def _shares(made: Study, findings: Sequence[Finding]) -> list[Finding]:
    """The effects with a test result in units of the model's own spread: values and interval ends, mapped."""
    metric = made.spec.metric("pairs_crossed")
    chosen = [f for f in findings if f.estimate.status is Status.EFFECT and f.estimate.metric != "interaction"]
    sizes = [size for finding in chosen for size in _sizes(finding.estimate)]
    shares = 100 * pairs_within(made.table.cosines, sizes).reshape(-1, 3)
    result = []
    for finding, (value, low, high) in zip(chosen, shares.tolist(), strict=True):
        source = finding.estimate
        assert finding.category is not None
        assert source.interval is not None
        estimate = Estimate(
            metric=metric.name, title=f"{source.title}, in pairs of phrases", value=value, unit=metric.unit,
            direction=metric.direction, role="secondary", subgroup=source.subgroup,
            interval=Interval(low=low, high=high, method=f"ends of the effect's interval ({source.interval.method})"),
            n=source.n, clusters=source.clusters, cluster_key=source.cluster_key,
            sentence=say.share_sentence(value, finding.changes, finding.category),
        )  # fmt: skip
        result.append(Finding(estimate, finding.changes, finding.category))
    return result


def _sizes(estimate: Estimate) -> tuple[float, float, float]:
    """|value| and the smallest and largest |effect| within the interval."""
    value, interval = abs(estimate.value or 0.0), estimate.interval
    if interval is None or interval.low is None or interval.high is None:
        return value, value, value
    ends = sorted((abs(interval.low), abs(interval.high)))
    return value, 0.0 if interval.low <= 0 <= interval.high else ends[0], ends[1]


def _drift(made: Study, changes: Sequence[Change]) -> list[Finding]:
    metric = made.spec.metric("drift")
    overall = made.table.cosines.mean(axis=1, keepdims=True)
    found = []
    for change in changes:
        seen = effects(made.table, overall, (change,))
        estimate = _estimate(made, metric, seen, 0, None, "secondary", "all phrases")
        if seen.big_enough:
            estimate = estimate.model_copy(update={"interval": seen.interval(0, made.seed)})
        sentence = say.drift_sentence(estimate, (change,))
        found.append(Finding(estimate.model_copy(update={"sentence": sentence}), (change,)))
    return found


def _extremes(table: Table, names: Sequence[str]) -> tuple[Change, ...]:
    """Each attribute from its reference to its last level; nothing if one of them has a single level, or none."""
    levels = [table.levels.get(name, ()) for name in names]
    if any(len(each) < 2 for each in levels):
        return ()
    return tuple(Change(name, each[0], each[-1]) for name, each in zip(names, levels, strict=True))
