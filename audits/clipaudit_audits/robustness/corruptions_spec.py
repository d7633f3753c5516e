"""What the corruption audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.robustness.corruptions_params import CorruptionParams

WORSE_HIGH, WORSE_LOW = Direction.HIGHER_IS_WORSE, Direction.LOWER_IS_WORSE
MIN_N = 20


def _rate(name: str, title: str, direction: Direction, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="proportion", direction=direction, range=(0, 1), min_n=MIN_N, formula=formula
    )


def _points(name: str, title: str, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="points", direction=WORSE_HIGH, range=(-100, 100), null_value=0.0, min_n=MIN_N,
        formula=formula,
    )  # fmt: skip


METRICS = (
    _points("corruption_drop", "Accuracy lost to corruptions", "100 (clean - corrupted accuracy), paired"),
    _rate(
        "any_change", "Images whose prediction flips under a small change", WORSE_HIGH,
        "P(a prediction under some small change differs from that on the image as it is)",
    ),
    MetricSpec(
        name="mce", title="Mean corruption error", unit="%", direction=WORSE_HIGH, range=(0, None), null_value=100.0,
        min_n=MIN_N, formula="100 mean over corruptions of sum_s E / sum_s E(reference model)",
    ),
    MetricSpec(
        name="relative_mce", title="Relative mean corruption error", unit="%", direction=WORSE_HIGH,
        range=(None, None), null_value=100.0, min_n=MIN_N,
        formula="100 mean over corruptions of sum_s (E - E_clean) / sum_s (E - E_clean)(reference model)",
    ),
    _rate("clean_accuracy", "Accuracy on clean images", WORSE_LOW, "P(prediction = label)"),
    _rate("corrupted_accuracy", "Accuracy on corrupted images", WORSE_LOW, "mean over corruptions and severities"),
    _rate("change_flips", "Predictions flipped by a small change", WORSE_HIGH, "P(prediction differs from clean)"),
    _points("change_drop", "Accuracy lost to a small change", "100 (clean - changed accuracy), paired"),
)  # fmt: skip

SPEC = AuditSpec(
    id="corruptions",
    version="2",
    family="robustness",
    title="Corruptions and small changes",
    question="Does the model still see what it saw when the picture is noisy, blurred, foggy, or merely saved again?",
    harm="Cameras, weather and re-saving change pictures all the time; a model that then sees something else fails "
    "without anybody attacking it.",
    kind_of_harm=Harm.FAILURE,
    citations=(
        "Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and "
        "Perturbations, ICLR",
        "Michaelis et al. 2019, Benchmarking Robustness in Object Detection (the package imagecorruptions)",
        "Azulay and Weiss 2019, Why do deep convolutional networks generalize so poorly to small image "
        "transformations?, JMLR 20",
    ),
    needs=frozenset({Need.SCORES}),
    data=("objects", "tuxpaint-stamps"),
    columns=("label",),
    params=CorruptionParams,
    metrics=METRICS,
    limits=(
        "Synthetic corruptions stand for real ones; real rain and real cameras differ from them.",
        "Few images by default, since each is shown about a hundred times: intervals are wide.",
        "The mean corruption error is relative to one reference model on one data set; it compares with no published "
        "mCE, which is relative to AlexNet on ImageNet.",
    ),
    methods="The central square of each image, at 224 px, is shown as it is and under each corruption at each "
    "severity (drawn by the package imagecorruptions-imaug; the luck of a picture follows from image, corruption and "
    "severity alone), and under small changes of it. All is paired by image: drops are tested by flipping signs of "
    "whole natural units, with BCa intervals; Holm over all tests of the cell. The mean is over the common 15; the "
    "four further corruptions stand beside it. The mean corruption error divides summed errors by the reference "
    "model's, corruption by corruption; its interval leaves out the reference's own uncertainty.",
)
