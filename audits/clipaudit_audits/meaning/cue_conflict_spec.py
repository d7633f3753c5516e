"""What the cue-conflict audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm, Reference
from clipaudit_audits.meaning.cue_conflict_categories import HUMAN_SHAPE_BIAS
from clipaudit_audits.meaning.cue_conflict_params import CueConflictParams, Protocol

_GEIRHOS = "Geirhos et al. 2019, recomputed from the published responses"
HUMANS = Reference(label="humans", value=HUMAN_SHAPE_BIAS, source=_GEIRHOS)
_CNN = (
    Reference(label="AlexNet", value=0.4294, source=_GEIRHOS),
    Reference(label="GoogLeNet", value=0.3119, source=_GEIRHOS),
    Reference(label="ResNet-50", value=0.2207, source=_GEIRHOS),
    Reference(label="VGG-16", value=0.1722, source=_GEIRHOS),
)
_80 = "OpenAI weights, 16 prompts x 80 templates, recomputed on all published stimuli"
_DIRECT = (
    Reference(label="CLIP ViT-L/14", value=0.610, source=_80),
    Reference(label="CLIP RN101", value=0.255, source=_80),
    Reference(label="CLIP RN50", value=0.197, source=_80),
)
_IMAGENET = (Reference(label="CLIP ViT-B/16", value=0.476, source="OpenAI weights, 1,000-way, published"),)

# Presets are kept apart: the same model has another shape bias under another way of deciding.
REFERENCES: dict[Protocol, tuple[Reference, ...]] = {
    "direct": (HUMANS, *_DIRECT),
    "caption-steered": (HUMANS, *_DIRECT),
    "imagenet1k": (HUMANS, *_CNN, *_IMAGENET),
}

METRICS = (
    MetricSpec(
        name="shape_bias", title="Shape bias", unit="proportion", direction=Direction.LOWER_IS_WORSE, range=(0, 1),
        null_value=0.5, min_n=10, formula="#shape / (#shape + #texture) of true conflicts",
    ),
    MetricSpec(
        name="cue_accuracy", title="Decided by either cue", unit="proportion", direction=Direction.LOWER_IS_WORSE,
        range=(0, 1), min_n=10, formula="(#shape + #texture) / n of true conflicts",
    ),
    MetricSpec(
        name="steering", title="Shape bias moved by the prompt", unit="points", direction=Direction.DESCRIPTIVE,
        range=(-100, 100), null_value=0.0, min_n=10,
        formula="100 (shape bias asked for the shape - shape bias asked for the texture)",
    ),
    MetricSpec(
        name="control_accuracy", title="Recognised", unit="proportion", direction=Direction.LOWER_IS_WORSE,
        range=(0, 1), min_n=10, formula="P(decision = class) on one cue alone, or on the intact object",
    ),
    MetricSpec(
        name="balance_strength", title="Strength at which shape and texture balance", unit="",
        direction=Direction.LOWER_IS_WORSE, range=(0, 1), min_n=10,
        formula="-a/b of logit P(shape | cue decision) = a + b strength",
    ),
)  # fmt: skip

SPEC = AuditSpec(
    id="cue_conflict",
    version="1",
    family="meaning",
    title="Shape or texture",
    question="When an object has the outline of one thing and the surface of another, which does the model name?",
    kind_of_harm=Harm.REASONS,
    harm="A model that names surfaces calls a drawing, a statue or an oddly coloured object something else, and fails "
    "under fog, blur or camouflage where people do not.",
    citations=(
        "Geirhos et al. 2019, ImageNet-trained CNNs are biased towards texture, ICLR",
        "Geirhos et al. 2021, Partial success in closing the gap between human and machine vision, NeurIPS",
        "Gavrikov et al. 2024, Are Vision Language Models Texture or Shape Biased and Can We Steer Them?",
        "Burgert et al. 2025, who dispute that forced-choice conflicts measure what a model relies on",
    ),
    needs=frozenset({Need.SCORES}),
    data=("cue-conflict", "objects", "tuxpaint-stamps"),
    columns=("label",),
    params=CueConflictParams,
    metrics=METRICS,
    limits=(
        "A forced choice between two cues says which wins, not how much of each the model uses.",
        "Shape bias counts only stimuli decided by one of the two cues; read it beside how many those are.",
        "The published stimuli are made by style transfer, which leaves some of the outline's own inside; ours are "
        "made otherwise and are not comparable with them number by number.",
        "A higher shape bias is nearer to people; it does not by itself make a model robust.",
    ),
    methods="Published stimuli are decided over their classes (16 prompts; or 1,000 ImageNet classes, with "
    "probabilities averaged within each category). Stimuli whose shape and texture are of one class are left out "
    "of the bias. Intervals: BCa over stimuli. Tests: exact binomial of shape against texture decisions, and of "
    "cue decisions against chance (2 of m classes); Holm over the tests of the cell. On cut-outs the outline of "
    "one object is filled with the texture of another at several strengths; the pair of sources is the unit (BCa "
    "over pairs, logistic curve with errors clustered by pair, Fieller's interval for the balance point). "
    "Sources occur in several pairs, so the intervals are somewhat too narrow. The intact objects, their grey "
    "silhouettes and their textures alone are shown as controls, and the bias is given once more for pairs whose "
    "intact sources are both recognised.",
)  # fmt: skip
