"""What the disparity audit declares."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.social_bias.disparity_params import DisparityParams
from clipaudit_audits.template_sensitivity import AGREEMENT

_WORSE, _BETTER = Direction.HIGHER_IS_WORSE, Direction.LOWER_IS_WORSE
_SHARE, _POINTS = (0.0, 1.0), (0.0, 100.0)


def _rate(name: str, title: str, formula: str, direction: Direction = Direction.DESCRIPTIVE) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="proportion",
        direction=direction,
        range=_SHARE,
        cluster_key="image",
        formula=formula,
    )


def _gap(name: str, title: str, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="points", direction=_WORSE, range=_POINTS, null_value=0.0, cluster_key="image",
        formula=formula,
    )  # fmt: skip


SPEC = AuditSpec(
    id="disparity",
    version="2",
    family="social bias",
    title="Recognised alike?",
    question="Is the model right about people of all groups, and does it give each class to all alike?",
    kind_of_harm=Harm.SERVICE,
    harm="People of some groups are labelled wrongly more often, or given one label more often, than others.",
    citations=(
        "Buolamwini, Gebru 2018, Gender Shades, FAT*",
        "Karkkainen, Joo 2021, FairFace, WACV",
        "Hardt, Price, Srebro 2016, Equality of Opportunity in Supervised Learning, NeurIPS",
        "Lum, Zhang, Bower 2022, De-biasing \"bias\" measurement, FAccT",
        "Hothorn, Bretz, Westfall 2008, Simultaneous Inference in General Parametric Models, Biometrical Journal",
        "Weerts et al. 2023, Fairlearn, JMLR",
    ),
    needs=frozenset({Need.SCORES}),
    data=("fairface", "utkface", "fairface-1.25", "fluent-people", "avatars"),
    params=DisparityParams,
    metrics=(
        _rate("accuracy", "Accuracy", "share of images given the annotated class", _BETTER),
        _gap("accuracy_gap", "Gap in accuracy", "largest minus smallest accuracy of a group"),
        MetricSpec(
            name="accuracy_ratio", title="Ratio of accuracies", direction=_BETTER, range=_SHARE, cluster_key="image",
            formula="smallest divided by largest accuracy of a group",
        ),
        _gap("mean_minus_worst", "Mean minus worst accuracy", "mean of the groups' accuracies minus the smallest"),
        _rate("worst_group_accuracy", "Accuracy of the worst group", "smallest accuracy of a group", _BETTER),
        MetricSpec(
            name="between_group_variance", title="Variance between groups", unit="points²", direction=_WORSE,
            null_value=0.0, cluster_key="image",
            formula="variance of the groups' rates minus the mean of their sampling variances; may be negative",
        ),
        _rate("selection_rate", "Selection rate", "share of a group's images given the class"),
        _rate("true_positive_rate", "True positive rate", "share of a group's images of the class given it", _BETTER),
        _rate("false_positive_rate", "False positive rate", "share of a group's other images given the class", _WORSE),
        _gap("demographic_parity_difference", "Demographic parity difference", "largest minus smallest selection rate"),
        MetricSpec(
            name="demographic_parity_ratio", title="Demographic parity ratio", direction=_BETTER, range=_SHARE,
            cluster_key="image", formula="smallest divided by largest selection rate",
        ),
        _gap("true_positive_gap", "Gap in true positive rates", "largest minus smallest true positive rate"),
        _gap("false_positive_gap", "Gap in false positive rates", "largest minus smallest false positive rate"),
        _gap("equalised_odds_difference", "Equalised odds difference", "the larger of both gaps"),
        AGREEMENT,
    ),
    limits=(
        "Groups and classes are annotations by others, or what was drawn; they are not how people see themselves.",
        "Right means agreeing with the annotation. Where annotators erred more for some groups, so does this.",
        "Rates belong to this label set, these prompts and these images; other prompts give other gaps.",
        "A gap is above 0 by chance, the more so the more and the smaller the groups: read it beside its chance value.",
        "That no gap was shown does not show that there is none; see what could have been detected.",
    ),
    methods="Each image is given the class whose text scores highest; a tie, or a decision for none, is no class and "
    "counts as wrong. Rates per group: fairlearn's MetricFrame; a group with fewer distinct images than the minimum is "
    "shown and not compared. Chance: groups are permuted over images (whole clusters where a cluster lies in one "
    "group, within clusters else); within true and within false for the rates of these. Lower bound of the true gap: "
    "max-|t| over all pairs under the joint normal distribution of the rates. Variance between groups: Lum et al., "
    "with a normal bootstrap. Wilson intervals per group, at the effective size under clusters. No bootstrap of the "
    "gap itself, which would be invalid. Benjamini-Hochberg over all gaps; lower bounds hold for one gap at a time.",
)  # fmt: skip
