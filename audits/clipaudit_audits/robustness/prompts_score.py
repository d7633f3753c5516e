"""The estimates of the prompt audit. Pure."""

from __future__ import annotations

import numpy as np

from clipaudit.results import Estimate
from clipaudit.stats.bootstrap import bca_mean
from clipaudit.stats.multiple import correct
from clipaudit.stats.power import mde_null
from clipaudit_audits.robustness.making import Maker, unit_of
from clipaudit_audits.robustness.prompts_groups import by_group
from clipaudit_audits.robustness.prompts_measures import Answers, changed, disagreement, spread_test
from clipaudit_audits.robustness.prompts_params import PromptParams
from clipaudit_audits.robustness.prompts_spec import SPEC
from clipaudit_audits.robustness.typographic_measures import share
from clipaudit_audits.template_sensitivity import agreement, marked
from clipaudit_audits.wording import between, percent, points_text

HIDES = "This does not show what templates that were not tried would do."


def estimates(found: Answers | None, params: PromptParams, seed: int) -> list[Estimate]:
    """Spread over templates, changed predictions, each template; then gaps between annotated groups. Corrected."""
    if found is None:
        said = "No image could be read."
        return [Maker(SPEC).estimate(n, None, 0, 0, None, sentence=said) for n in ("template_spread", "accuracy")]
    maker = Maker(SPEC, unit_of(len(set(found.clusters)), len(found.clusters)))
    gaps = [part for column in found.groups for part in by_group(maker, found, column, params, seed)]
    first = [_spread(maker, found, seed), _changes(maker, found, seed), *_accuracies(maker, found, seed)]
    tested = correct([*first, *(part.estimates[0] for part in gaps)], "holm", "tests")
    judged = list(zip(tested[len(first) :], gaps, strict=True))  # what is an effect is known only after correction
    return [
        *tested[: len(first)],
        *(e for gap, part in judged for e in (marked(gap, part.sensitivity), *part.estimates[1:])),
        *agreement([(gap, part.sensitivity) for gap, part in judged], of="group gaps"),
    ]


def _spread(maker: Maker, found: Answers, seed: int) -> Estimate:
    right = found.correct()[:, found.columns()]
    value, null, test = spread_test(right, found.clusters, seed)
    rates, names = right.mean(axis=0), found.templates
    best, worst = names[int(rates.argmax())], names[int(rates.argmin())]
    n, units = len(right), len(set(found.clusters))
    return maker.estimate(
        "template_spread", value, n, units, None, test=test, null=null,
        minimum_detectable=null.mean + mde_null(null.sd) if null.sd else None,
        notes=() if null.sd else ("Every image was right under all templates or under none.",),
        sentence=f"Over {len(names):,} templates, accuracy on the same {n:,} images runs from {percent(rates.min())} "
        f"({worst!r}) to {percent(rates.max())} ({best!r}): {points_text(value)}, where interchangeable templates "
        f"would differ by {points_text(null.mean)}. {HIDES}",
    )  # fmt: skip


def _changes(maker: Maker, found: Answers, seed: int) -> Estimate:
    moved = changed(found.predictions[:, found.columns()])
    return maker.rate(
        "prediction_changes", share(moved, list(found.clusters), seed),
        f"The prediction is not the same under all {len(found.templates):,} templates for {{}}. More templates can "
        "only raise this share.",
    )  # fmt: skip


def _accuracies(maker: Maker, found: Answers, seed: int) -> list[Estimate]:
    clusters, right = list(found.clusters), found.correct()
    columns, n, units = found.columns(), len(found.clusters), len(set(found.clusters))
    rates = 100 * right[:, columns].mean(axis=0)
    middle = float(np.subtract(*np.quantile(rates, [0.75, 0.25])))
    pairs = disagreement(found.predictions[:, columns])
    bounds = bca_mean(pairs, clusters, seed, unit=f"{maker.unit}s")
    whole = share(right[:, found.pooled()], clusters, seed)
    return [
        maker.rate(
            "accuracy", whole, "With all templates together the model was right on {}.", role="secondary"
        ),
        maker.estimate(
            "template_iqr", middle, n, units, None, role="secondary",
            sentence=f"Half of the {len(columns):,} templates lie within {points_text(middle)} of accuracy of each "
            f"other ({n:,} images).",
        ),
        maker.estimate(
            "pair_disagreement", float(pairs.mean()), n, units, bounds, role="secondary",
            sentence=f"Two templates name different things for an image in {percent(float(pairs.mean()))}"
            f"{between(bounds, 100)} of cases ({n:,} images).",
        ),
        *(
            maker.rate(
                "template_accuracy", share(right[:, column], clusters, seed),
                f"With the template {template!r} alone the model was right on {{}}.", role="secondary",
                subgroup={"template": template},
            )
            for column, template in zip(columns, found.templates, strict=True)
        ),
    ]  # fmt: skip
