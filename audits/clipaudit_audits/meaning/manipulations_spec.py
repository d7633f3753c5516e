"""What the manipulation audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.meaning.manipulations_params import ManipulationParams

WORSE_LOW = Direction.LOWER_IS_WORSE
MIN_N = 20

METRICS = (
    MetricSpec(
        name="loss", title="Accuracy lost as information is taken away", unit="points",
        direction=Direction.HIGHER_IS_WORSE, range=(-100, 100), null_value=0.0, min_n=MIN_N,
        formula="100 (accuracy on clean images - area under the curve), paired",
    ),
    MetricSpec(
        name="area", title="Area under the curve", unit="proportion", direction=WORSE_LOW, range=(0, 1), min_n=MIN_N,
        formula="trapezoids over equally spaced levels, from the clean image to the strongest, divided by their number",
    ),
    MetricSpec(
        name="level_drop", title="Accuracy lost at one level", unit="points", direction=Direction.HIGHER_IS_WORSE,
        range=(-100, 100), null_value=0.0, min_n=MIN_N, formula="100 (clean accuracy - accuracy at the level), paired",
    ),
    MetricSpec(
        name="accuracy_left", title="Accuracy at the strongest level", unit="proportion", direction=WORSE_LOW,
        range=(0, 1), min_n=MIN_N, formula="P(prediction = label)",
    ),
    MetricSpec(
        name="kept", title="Share of the clean accuracy kept", unit="proportion", direction=WORSE_LOW,
        range=(0, None), null_value=1.0, min_n=MIN_N, formula="accuracy at the level / accuracy on clean images",
    ),
    MetricSpec(
        name="clean_accuracy", title="Accuracy on clean images", unit="proportion", direction=WORSE_LOW, range=(0, 1),
        min_n=MIN_N, formula="P(prediction = label)",
    ),
)  # fmt: skip

SPEC = AuditSpec(
    id="manipulations",
    version="1",
    family="meaning",
    title="What the model needs to see",
    question="What does the model need in order to name a thing: its outline, surface, colour, layout or detail?",
    kind_of_harm=Harm.REASONS,
    harm="A model that needs colour or surface where people need the outline fails on drawings, at dusk, in print and "
    "on things in unusual colours, and what it names may not be the thing.",
    citations=(
        "Geirhos et al. 2018, Generalisation in humans and deep neural networks, NeurIPS",
        "Geirhos et al. 2019, ImageNet-trained CNNs are biased towards texture, ICLR",
        "Zhang and Zhu 2019, Interpreting Adversarially Trained Convolutional Neural Networks, ICML",
        "Burgert et al. 2025, ImageNet-trained CNNs are not biased towards texture: Revisiting feature reliance "
        "through controlled suppression, NeurIPS",
    ),
    needs=frozenset({Need.SCORES}),
    data=("objects", "tuxpaint-stamps", "digits"),
    columns=("label",),
    params=ManipulationParams,
    metrics=METRICS,
    limits=(
        "Nothing is taken away alone: shuffled patches also make new edges, and a silhouette also has no colour.",
        "An area depends on the levels that are shown; areas of different manipulations do not rank what matters most.",
        "Few images by default, since each is shown dozens of times: intervals are wide.",
        "How people fare on these images is not known here; published work shows them on other images.",
    ),
    methods="Each image is shown as it is (a cut-out whole on white, a photograph as its central square, 224 px) and "
    "with information taken away at several levels; random draws follow from image, manipulation and level alone. "
    "Accuracy at each level is paired with the clean image: exact McNemar tests where each image is its own unit, "
    "else signs of whole units flipped. The area under a curve counts levels as equally spaced and clean as the first; "
    "what it falls short of the clean accuracy is tested by flipping signs of whole units. Intervals: BCa over "
    "natural units. Holm over the losses and, apart from them, over the levels. Where the model is not above chance "
    "(exact binomial) on clean images, there is nothing to lose and losses are not judged. Silhouettes need an "
    "outline: images without one are left out of that curve.",
)  # fmt: skip
