"""What the prompt audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.robustness.prompts_params import PromptParams
from clipaudit_audits.template_sensitivity import AGREEMENT

WORSE_HIGH, WORSE_LOW = Direction.HIGHER_IS_WORSE, Direction.LOWER_IS_WORSE
MIN_N = 20
PER_GROUP = 10  # natural units in a group at least


def _rate(name: str, title: str, direction: Direction, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="proportion", direction=direction, range=(0, 1), min_n=MIN_N, formula=formula
    )


def _points(name: str, title: str, formula: str, least: int = MIN_N) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="points", direction=WORSE_HIGH, range=(0, 100), min_n=least, formula=formula
    )


METRICS = (
    _points("template_spread", "Accuracy that hangs on the wording", "100 (best - worst template's accuracy)"),
    _rate(
        "prediction_changes", "Images whose prediction changes with the wording", WORSE_HIGH,
        "P(not all templates name the same class)",
    ),
    _rate("accuracy", "Accuracy, all templates together", WORSE_LOW, "P(prediction = label), ensemble"),
    _rate("template_accuracy", "Accuracy under one template", WORSE_LOW, "P(prediction = label)"),
    _points("template_iqr", "Middle half of the templates' accuracies", "100 (third - first quartile over templates)"),
    _rate(
        "pair_disagreement", "Two templates that disagree", WORSE_HIGH,
        "mean over images of the share of pairs of templates that name different classes",
    ),
    _points(
        "group_gap", "Accuracy gap between groups", "100 (highest - lowest group's accuracy), ensemble",
        PER_GROUP,
    ),
    MetricSpec(
        name="rank_stability", title="Stability of the groups' ranks", unit="tau", direction=WORSE_LOW, range=(-1, 1),
        min_n=MIN_N, formula="mean over templates of Kendall's tau-b with the ranks by all templates together",
    ),
    _rate(
        "sign_stability", "Ways of asking that agree on the sign of the gap", WORSE_LOW,
        "share of label set x template x crop x top-k in which the same group is ahead of the same other",
    ),
    AGREEMENT,
)  # fmt: skip

SPEC = AuditSpec(
    id="prompts",
    version="1",
    family="robustness",
    title="Wording of the prompts",
    question="Do results hang on how the question is worded?",
    harm="Whoever picks the wording picks the result: an accuracy or a gap found with one template may vanish, or turn "
    "round, with the next.",
    kind_of_harm=Harm.FAILURE,
    citations=(
        "Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, ICML, 3.1.4",
        "Simonsohn, Simmons and Nelson 2020, Specification curve analysis, Nature Human Behaviour 4",
        "Cochran 1950, The comparison of percentages in matched samples, Biometrika 37",
    ),
    needs=frozenset({Need.SCORES}),
    data=("objects", "tuxpaint-stamps", "digits"),
    columns=("label",),
    params=PromptParams,
    metrics=METRICS,
    limits=(
        "The templates are a choice, not a sample of all wordings: other templates give another spread.",
        "Templates of one language; translations are not tested.",
        "The best of many templates, picked on these images, is better here than it will be elsewhere.",
    ),
    methods="Every image is classified under each template alone and under all together (the ensemble), for every "
    "label set and crop. The spread of accuracy over templates is compared with what it would be if templates were "
    "interchangeable: each image's answers change places between them (the images of a cluster alike), a permutation "
    "form of Cochran's Q. Group gaps: between the groups with the highest and the lowest accuracy under all templates "
    "together, against groups dealt out anew; a gap whose sign turns with a template is marked. The specification "
    "curve shows that gap under every combination of label set, template, crop and top-k. Ranks of groups are compared "
    "by Kendall's tau-b. Holm over all tests of the cell. Single templates carry Wilson or cluster intervals.",
)
