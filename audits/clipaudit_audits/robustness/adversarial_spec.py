"""What the adversarial audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.robustness.adversarial_params import AdversarialParams
from clipaudit_audits.robustness.adversarial_subjects import MADE_ON

WORSE_HIGH, WORSE_LOW, PLAIN = Direction.HIGHER_IS_WORSE, Direction.LOWER_IS_WORSE, Direction.DESCRIPTIVE
MIN_N = 20


def _rate(name: str, title: str, direction: Direction, formula: str) -> MetricSpec:
    return MetricSpec(
        name=name, title=title, unit="proportion", direction=direction, range=(0, 1), min_n=MIN_N, formula=formula
    )


def _check(name: str, title: str, formula: str) -> MetricSpec:
    return MetricSpec(name=name, title=title, unit="proportion", range=(0, 1), min_n=1, formula=formula)


CHECKS = (
    _check("check_zero", "Check: radius 0 is clean accuracy", "share judged otherwise by the attack's own pass"),
    _check(
        "check_large", "Check: nothing stands at a large radius", "share of clean-correct that APGD leaves standing"
    ),
    _check("check_gradient", "Check: gradients lead uphill", "share whose margin a small step along does not shrink"),
    _check("check_black_box", "Check: scores alone find no more", "share broken by Square and by no gradient attack"),
    _check("check_steps", "Check: more steps do not hurt", "share broken in a quarter of the steps, not in all"),
    _check("check_restarts", "Check: random starts agree", "share broken from one of two random starts only"),
)

METRICS = (
    _rate("robust_accuracy", "Robust accuracy", WORSE_LOW, "P(right when clean and under every attack)"),
    _rate("group_robust_accuracy", "Robust accuracy by group", WORSE_LOW, "P(right when clean and under every attack), "
          "images of a group"),
    _rate("attack_success", "Attack success", WORSE_HIGH, "P(wrong under some attack | right when clean)"),
    MetricSpec(
        name="accuracy_drop", title="Accuracy lost to the attack", unit="points", direction=WORSE_HIGH,
        range=(-100, 100), null_value=0.0, min_n=MIN_N, formula="100 (clean - robust accuracy), same images",
    ),
    _rate("clean_accuracy", "Accuracy without attack", WORSE_LOW, "P(prediction = y), clean images"),
    _rate("black_box_success", "Success from scores alone", WORSE_HIGH, "P(wrong under Square | right when clean)"),
    _rate("noise_success", "Errors under random noise", PLAIN, "P(wrong under noise as large | right when clean)"),
    _rate("targeted_success", "Driven to a chosen text", WORSE_HIGH, "P(chosen text comes first)"),
    _rate("targeted_clean", "Chosen text first without attack", PLAIN, "P(chosen text comes first), clean images"),
    MetricSpec(
        name="cosine_text", title="Cosine to the chosen text", unit="cosine", direction=PLAIN, range=(-1, 1),
        min_n=MIN_N, formula="mean cosine of attacked image and chosen text, once it comes first",
    ),
    _rate("universal_success", "One change for all images", WORSE_HIGH, "P(wrong | right when clean), images not used"),
    _rate("patch_success", "One patch for all images", WORSE_HIGH, "P(wrong | right when clean), images not used"),
    _rate("patch_noise", "Errors under a patch of random colours", PLAIN, "P(wrong | right when clean), same places"),
    _rate("transfer_success", "Success on a second model", WORSE_HIGH, "P(second model wrong | both right when clean)"),
    *CHECKS,
)  # fmt: skip

SPEC = AuditSpec(
    id="adversarial",
    version="3",
    family="robustness",
    title="Adversarial images",
    question="How small a change of the pixels, chosen to deceive, makes the model wrong, or makes it see any text?",
    kind_of_harm=Harm.DECEPTION,
    harm="Somebody who can run the model, or one like it, can make a harmful picture pass a filter, or a harmless one "
    "be found under any words, without a visible change.",
    citations=(
        "Croce & Hein 2020, Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse "
        "Parameter-free Attacks (AutoAttack), ICML",
        "Croce & Hein 2020, Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack, ICML",
        "Andriushchenko et al. 2020, Square Attack, ECCV",
        "Schlarmann et al. 2024, Robust CLIP, ICML",
        "Shafahi et al. 2020, Universal Adversarial Training, AAAI",
        "Brown et al. 2017, Adversarial Patch, arXiv 1712.09665",
        "Carlini et al. 2019, On Evaluating Adversarial Robustness",
    ),
    needs=frozenset({Need.SCORES, Need.EMBEDDINGS, Need.GRADIENTS}),
    data=("objects", "tuxpaint-stamps"),
    columns=("label",),
    params=AdversarialParams,
    metrics=METRICS,
    limits=(
        "Robust accuracy is an upper bound: a stronger attack can only lower it.",
        "The pixels are attacked as floating-point numbers after resizing and cropping. Changes below 1/255 do not "
        "survive being saved as an 8-bit picture: small radii compare models, they describe no uploaded file.",
        "White-box attacks need the weights. What somebody without them can do is shown by Square and transfer alone.",
        "Changes are bounded per pixel, in sum, or to one square; rotations and repainting are not tested.",
    ),
    methods="Images are drawn evenly over the classes and classified by prompt-ensembled text weights; the mean and "
    "standard deviation of the checkpoint are applied inside the attacked network. At each radius, from small to "
    "large, APGD on cross-entropy, APGD on the targeted difference of logits ratio, FAB and Square follow each other, "
    "each on the images that still stand, and stop at an image's first success; what is broken at one radius is broken "
    "at all larger ones. Robust accuracy counts all images, attack success those that were right when clean. "
    "Cross-entropy depends on the logit scale, the other losses do not. A change or a patch for all images is made on "
    f"half of the images that the model gets right (at most {MADE_ON:,}) and shown on the other half, and "
    "the other way round; the patch lies at another place on each image. On the first images six checks are made of "
    "the measurement itself; where one fails, the cell's findings are inconclusive. Where the network computes in "
    "bfloat16 an example counts only if the same network in float32 agrees. Wilson intervals, or BCa over clusters.",
)  # fmt: skip
