"""What the zero-shot audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.robustness.zero_shot_params import ZeroShotParams

MIN_N = 20


def _rate(name: str, title: str, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="proportion", direction=Direction.LOWER_IS_WORSE, range=(0, 1), min_n=MIN_N,
        formula=formula,
    )  # fmt: skip


METRICS = (
    _rate("accuracy", "Zero-shot accuracy", "P(prediction = label), among all classes"),
    _rate("accuracy_top5", "Zero-shot accuracy, first five", "P(label among the five classes with highest scores)"),
    _rate(
        "shared_accuracy", "Zero-shot accuracy on the probes' classes",
        "P(prediction = label), among the classes with enough images for probes",
    ),
    _rate("probe_accuracy", "Accuracy of a linear probe", "mean over splits of P(prediction = label), images left out"),
    MetricSpec(
        name="probe_gain", title="Accuracy gained by training", unit="points", direction=Direction.DESCRIPTIVE,
        range=(-100, 100), null_value=0.0, min_n=MIN_N, formula="100 (accuracy of the probe on all - zero-shot)",
    ),
    MetricSpec(
        name="shots_worth", title="Labelled images per class that zero-shot is worth", unit="images per class",
        direction=Direction.LOWER_IS_WORSE, range=(0, None), min_n=MIN_N,
        formula="shots at which the probes' accuracy first reaches zero-shot's, linear in log(shots)",
    ),
)  # fmt: skip

SPEC = AuditSpec(
    id="zero_shot",
    version="1",
    family="robustness",
    title="Zero-shot accuracy",
    question="How well does the model name what it is shown without training, and how much training is that worth?",
    kind_of_harm=Harm.FAILURE,
    harm="A model that is good on one kind of picture is trusted on another, where a handful of labelled images would "
    "have done better.",
    citations=(
        "Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, ICML, section 3.1",
        "Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2)",
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS}),
    data=("objects", "tuxpaint-stamps", "digits"),
    columns=("label",),
    params=ZeroShotParams,
    metrics=METRICS,
    limits=(
        "Accuracy belongs to these images, these class names and this wording of the prompt; each of them moves it.",
        "A linear probe is no upper bound: fine-tuning the whole model can do better.",
        "Images of the training data of the model may be among those shown; nobody can check that from outside.",
    ),
    methods="Zero-shot: the class whose prompts, averaged over the templates, are nearest. Chance is the accuracy "
    "after dealing the labels out anew, which keeps how often each class is named. Probes: scikit-learn's L2-penalised "
    "logistic regression on the frozen, normalised image embeddings. The images are cut into parts, stratified by "
    "class, so that no natural unit (source image, person) lies in two of them; each part is tested by a probe trained "
    "on the others, and all is repeated for several splits, so that every image is tested once per split. Few-shot "
    "probes take that many images of each class from the same training part, each from another unit; a number of shots "
    "is given only where every class has so many. Zero-shot is compared on the same images and among the same classes. "
    "Intervals of the probes resample units and splits; the gain is tested by flipping signs of whole units, given the "
    "trained probes.",
)
