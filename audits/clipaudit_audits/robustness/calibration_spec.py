"""What the calibration audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.robustness.calibration_params import CalibrationParams

WORSE_HIGH, WORSE_LOW, PLAIN = Direction.HIGHER_IS_WORSE, Direction.LOWER_IS_WORSE, Direction.DESCRIPTIVE
MIN_N = 30


def _metric(
    name: str, title: str, direction: Direction, formula: str, unit: str = "proportion", bound: float = 1.0
) -> MetricSpec:
    low = -bound if unit == "points" and direction is Direction.AWAY_FROM_NULL_IS_WORSE else 0.0
    return MetricSpec(
        name=name, title=title, unit=unit, direction=direction, range=(low, bound), min_n=MIN_N, formula=formula,
        null_value=0.0 if unit == "points" else None,
    )  # fmt: skip


METRICS = (
    _metric(
        "ece", "Calibration error", WORSE_HIGH,
        "sum over bins of equal mass of n_b / n |confidence_b - accuracy_b|, less its bias (Kumar et al. 2019)",
    ),
    _metric("ece_plug_in", "Calibration error as usually computed", WORSE_HIGH, "the same, its bias left in"),
    _metric(
        "rms_error", "Calibration error, root of the mean square", WORSE_HIGH,
        "sqrt(max(0, sum over bins of n_b / n (gap_b^2 - a_b (1 - a_b) / (n_b - 1))))",
    ),
    _metric(
        "overconfidence", "Confidence above accuracy", Direction.AWAY_FROM_NULL_IS_WORSE,
        "100 (mean confidence - accuracy)", "points", 100.0,
    ),
    _metric("brier", "Brier score", WORSE_HIGH, "mean over images of sum over classes of (p - y)^2", "", 2.0),
    _metric("accuracy", "Accuracy", WORSE_LOW, "P(prediction = label)"),
    _metric(
        "selective_accuracy", "Accuracy where the model is most confident", WORSE_LOW,
        "P(prediction = label | among the given share of most confident images)",
    ),
    MetricSpec(
        name="selective_gain", title="Accuracy gained by leaving out the less confident half", unit="points",
        direction=WORSE_LOW, range=(-100, 100), null_value=0.0, min_n=MIN_N,
        formula="100 (selective accuracy at 50 % - accuracy)",
    ),
    MetricSpec(
        name="group_spread", title="Difference in overconfidence between groups", unit="points", direction=WORSE_HIGH,
        range=(0, 200), min_n=MIN_N, formula="max - min over groups of 100 (mean confidence - accuracy)",
    ),
)  # fmt: skip

SPEC = AuditSpec(
    id="calibration",
    version="2",
    family="robustness",
    title="Calibration",
    question="When the model says that it is 80 % sure, is it right 80 % of the time, and for every group?",
    harm="A confidence that does not mean what it says lets wrong answers pass every threshold; where that differs by "
    "group, the same threshold fails some people more.",
    kind_of_harm=Harm.FAILURE,
    citations=(
        "Naeini et al. 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI",
        "Guo et al. 2017, On Calibration of Modern Neural Networks, ICML",
        "Kumar, Liang and Ma 2019, Verified Uncertainty Calibration, NeurIPS",
        "Broecker and Smith 2007, Increasing the Reliability of Reliability Diagrams, Weather and Forecasting 22(3)",
    ),
    needs=frozenset({Need.SCORES}),
    data=("objects", "tuxpaint-stamps", "digits"),
    columns=("label",),
    params=CalibrationParams,
    metrics=METRICS,
    limits=(
        "Confidence is a softmax over this label set; other labels, or more of them, give other confidences.",
        "Only the confidence in the first choice is judged, not the whole distribution (the Brier score does both).",
        "A model calibrated on one kind of picture need not be on another.",
    ),
    methods="Confidence is the largest probability of the softmax over the labels, with the model's own logit scale "
    "(recorded probabilities are taken as they are, scaled to sum to one over the labels). Bins hold equally many "
    "images; equal confidences share a bin. The error is given with its bias removed, as usually computed, and as the "
    "root of an unbiased mean square. Chance is what a calibrated model with the same confidences would show, answers "
    "being drawn right with the stated confidence (the images of a cluster sharing their luck). Selective accuracy "
    "keeps the most confident images; against chance, correct answers are dealt out anew. Groups are those "
    "of the data; the difference between them is compared with that after dealing the groups out anew. Intervals: BCa "
    "bootstrap over natural units, bins fixed; of the error, bounds that hold however it is spread over the bins. Holm "
    "over all tests of the cell.",
)
