"""What can be set in `control:NAME?key=value&...`. Unknown keys and values out of range are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


Words = Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ControlParams(BaseModel):
    """Base: what every control model has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(default=0, ge=0, description="Another seed, another model of the same kind.")


class NullParams(ControlParams):
    """`null`: every image and every text a random unit vector of its own. There is nothing to find.

    A cosine has mean 0 and standard deviation 1/sqrt(dim).
    """

    dim: int = Field(default=128, ge=4, le=4096, description="Dimensions.")


class NetworkParams(ControlParams):
    """Base of controls that look at pixels."""

    dim: int = Field(default=32, ge=4, le=1024, description="Dimensions.")
    side: int = Field(default=24, ge=8, le=256, description="Side of the input in pixels.")


class LinearParams(NetworkParams):
    """`linear`: a network that looks at pixels, with gradients: how far an image is from each class is known exactly.

    Images are embedded by orthonormal directions of pixel space, texts as random unit vectors of their own.
    """

    masked: int = Field(
        default=0,
        ge=0,
        le=255,
        description="Round pixels to so many steps first, which hides the gradient; 0: no.",
    )


class ClassifierParams(ControlParams):
    """`classifier`: decides for an image's `label` with probability `accuracy`, else for another one, each as likely.

    Blind to written words and to groups. Images are decided independently, pairs of images as well.
    """

    accuracy: Share = Field(default=1.0, description="Probability of the right label.")


class ReaderParams(ClassifierParams):
    """`reader`: decides for the word written on an image with probability `weight`, else as `classifier`."""

    weight: Share = Field(default=1.0, description="Probability that the written word wins.")


class ShapeParams(ClassifierParams):
    """`shape`: decides a cue conflict by `shape` with probability `q`, else by `texture`; others by their `label`.

    With probability 1 - `accuracy` it then decides for another label than that, each as likely.
    """

    q: Share = Field(default=0.5, description="Probability that the shape decides.")


class AssociationParams(ControlParams):
    """`association`: groups X and Y differ in their association with the words `a` against the words `b` by `d`.

    Vectors have a common axis. An item of X or Y lies at height h = m + spread * z on it, z standard normal and its
    own, m = +delta/2 in X and -delta/2 in Y, delta = d * spread / sqrt(1 - d^2 / 4). Words of `a` lie at a positive
    height c, words of `b` at -c, and share no other dimension with the items, so that s(w) = 2 c h exactly and the
    effect size over X u Y (equal sizes) is d: (delta / sqrt(spread^2 + delta^2 / 4)). Everything else has height 0.
    """

    d: float = Field(default=1.0, gt=-2, lt=2, description="Effect size between X and Y.")
    attribute: str = Field(default="", description="Column that x and y are values of; empty: x and y are words.")
    x: Words = Field(description="Group X: values of the attribute, or words, comma-separated.")
    y: Words = Field(description="Group Y.")
    a: Words = Field(description="Words of the first pole.")
    b: Words = Field(description="Words of the second pole.")
    spread: float = Field(default=0.1, gt=0, le=0.2, description="Standard deviation of items within a group.")
    dim: int = Field(default=128, ge=8, le=4096, description="Dimensions.")


class CounterfactualParams(ControlParams):
    """`counterfactual`: images whose `attribute` is `level` are closer to each of the `words`, in cosine, by `effect`.

    The effect is exact in the mean; a single cosine has a standard deviation of about 1/sqrt(dim). A prompt counts as
    one of the words if it holds it as a whole word. Nothing else is planted.
    """

    attribute: str = Field(min_length=1, description="Column that is looked at.")
    level: Words = Field(description="Values of the attribute that are shifted, comma-separated.")
    words: Words = Field(description="Words they are shifted towards.")
    effect: float = Field(default=0.05, ge=-0.5, le=0.5, description="Shift in cosine.")
    dim: int = Field(default=512, ge=8, le=4096, description="Dimensions.")


class LeaningParams(ControlParams):
    """`leaning`: prompts that hold one of `words` are closer to prompts that hold one of `towards`, by `effect`.

    Texts alone: every image is a random unit vector of its own. The effect, a cosine, is exact in the mean; a single
    cosine has a standard deviation of about 1/sqrt(dim). Every prompt has a direction of its own.
    """

    words: Words = Field(description="Words of the prompts that lean, comma-separated.")
    towards: Words = Field(description="Words of the prompts that they lean to, comma-separated.")
    effect: float = Field(default=0.05, ge=-0.5, le=0.5, description="Shift in cosine.")
    dim: int = Field(default=512, ge=8, le=4096, description="Dimensions.")


class VariedParams(ClassifierParams):
    """`varied`: as `classifier`, with probabilities; another accuracy where all of the words `when` are met.

    A word is met if the template holds it, or if it is a value of one of the image's attributes (a corruption, a
    group). The label that is decided for gets the probability `confidence`, the others share the rest evenly; so the
    calibration error is |confidence - accuracy| exactly. An image keeps its luck: what is right at the lower of the two
    accuracies is right at the higher one as well. With luck by template it keeps it under one template only, so that
    templates of one accuracy differ by chance.
    """

    confidence: float = Field(default=0.9, gt=0, le=1, description="Probability given to the decided label.")
    when: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        default=(), description="Words of a template or values of attributes, comma-separated; empty: never."
    )
    then: Share = Field(default=0.5, description="Accuracy where all of these are met.")
    luck: Literal["image", "template"] = Field(
        default="image", description="What draws anew whether an answer is right: the image, or image and template."
    )


class PreferringParams(ControlParams):
    """`preferring`: the labels `words` score above all others for a share `rate` of the images of one group.

    For images whose `attribute` is none of `level` the share is `otherwise`; for all remaining images these labels
    score below all others. So the share holds in every label set that has one of the words and one other label.
    """

    attribute: str = Field(min_length=1, description="Column that is looked at.")
    level: Words = Field(description="Values of the attribute with the share `rate`, comma-separated.")
    words: Words = Field(description="Labels that are preferred, each as it is asked for, comma-separated.")
    rate: Share = Field(default=0.3, description="Share of the images of these values.")
    otherwise: Share = Field(default=0.1, description="Share of all other images.")


class PrototypeParams(ControlParams):
    """`prototypes`: images lie around their label's centre; the texts of a share `known` of the labels lie there too.

    Centres are orthogonal in the mean (random directions). An image is its centre plus `spread` times a random
    direction of its own; the text of an unknown label is a random direction. Without spread zero-shot is right on
    images of known labels and, by chance alone, on others, and one labelled image per class is enough for a probe.
    """

    labels: Words = Field(description="Labels whose texts are placed, comma-separated.")
    known: Share = Field(default=1.0, description="Share of the labels whose texts lie at their centres.")
    spread: float = Field(default=0.0, ge=0, le=100, description="Length of an image's own part; its centre's is 1.")
    dim: int = Field(default=128, ge=8, le=4096, description="Dimensions.")
