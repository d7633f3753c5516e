"""Parameters of the adversarial audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clipaudit.contract import TemplateParams

Part = Literal["linf", "l2", "targeted", "universal", "patch", "transfer"]
AttackName = Literal["apgd-ce", "apgd-t", "fab-t", "square"]

PUBLISHED: dict[str, Any] = {
    "attacks": ("apgd-ce", "apgd-t"),
    "steps": 100,
    "restarts": 5,
    "targets": 9,
    "prune": False,
    "scaled": True,
}


def _fraction(value: object) -> object:
    """ "1/255" as a number; anything else as it is."""
    if not isinstance(value, str):
        return value
    above, slash, below = value.partition("/")
    try:
        return float(above) / (float(below) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        raise ValueError("write a number or a fraction such as '1/255'") from None


Eps = Annotated[float, BeforeValidator(_fraction), Field(ge=0, le=1)]
Radius = Annotated[float, BeforeValidator(_fraction), Field(ge=0, le=1000)]


class AdversarialParams(TemplateParams):
    """What is attacked, how far the pixels may move, and what the attacks may spend."""

    protocol: Literal["autoattack", "robustvlm"] = Field(
        default="autoattack",
        description="autoattack: the attacks and budget below. robustvlm: as published for robust vision-language "
        "models, APGD with 5 restarts and targeted APGD with 9 targets, 100 steps, 80 templates.",
    )
    parts: tuple[Part, ...] = Field(
        default=("linf", "l2", "targeted", "universal", "patch"), min_length=1,
        description="linf, l2: robust accuracy; targeted: any image to any text; universal: one change for all images; "
        "patch: one square stuck on all images; transfer: examples made on this model shown to `second`. Each is a "
        "cell.",
    )  # fmt: skip
    eps_linf: tuple[Eps, ...] = Field(
        default=(0.25 / 255, 0.5 / 255, 1 / 255, 2 / 255, 4 / 255), min_length=1, max_length=20,
        description="Most that a pixel may change, pixels from 0 to 1; a number or '1/255'.",
    )  # fmt: skip
    eps_l2: tuple[Radius, ...] = Field(
        default=(0.25, 0.5, 1.0), min_length=1, max_length=20,
        description="Most that an image may change, as the root of summed squares, pixels from 0 to 1.",
    )  # fmt: skip
    images: int = Field(default=200, ge=2, le=1_000_000, description="Images drawn, evenly over the classes.")
    classes: int = Field(default=50, ge=2, le=100_000, description="Most classes used: those with most images.")
    attacks: tuple[AttackName, ...] = Field(
        default=("apgd-ce", "apgd-t", "fab-t", "square"), min_length=1,
        description="In this order, each on what the ones before it left standing.",
    )  # fmt: skip
    steps: int = Field(default=100, ge=1, le=10_000, description="Gradient steps of an attack from one start.")
    restarts: int = Field(default=1, ge=1, le=100, description="Random starts of APGD on cross-entropy.")
    targets: int = Field(default=9, ge=1, le=1000, description="Wrong classes tried by targeted attacks, best first.")
    prune: bool = Field(
        default=True,
        description="Targeted APGD goes on, after its first checkpoint (a fifth of the steps), with the third of the "
        "targets that are nearest to success; false: with all of them.",
    )
    queries: int = Field(default=1000, ge=1, le=100_000, description="Queries that Square may make for one image.")
    groups: tuple[str, ...] = Field(
        default=(), max_length=12, description="Columns of annotated groups; none given: those that the card names."
    )
    native: bool = Field(
        default=False,
        description="Attack small square pictures at their own size; they are then enlarged inside the network.",
    )
    scaled: bool = Field(default=True, description="Cross-entropy at the model's logit scale; false: at scale 1.")
    wanted: tuple[str, ...] = Field(
        default=(
            "a screenshot of a web page", "a plate of spaghetti", "an aerial view of a harbour at night",
            "a handwritten shopping list",
        ),
        min_length=1, max_length=100, description="Texts that images are driven to; one is dealt to each image.",
    )  # fmt: skip
    universal_eps: Eps = Field(default=8 / 255, description="Most that one change for all images may change a pixel.")
    patch_area: float = Field(default=0.05, gt=0, le=1, description="Share of the image that the patch covers.")
    rounds: int = Field(
        default=10, ge=1, le=1000, description="Passes over the images that a change or a patch for all is made on."
    )
    second: str = Field(default="", description="Model specification of the second model, for the part transfer.")

    @model_validator(mode="before")
    @classmethod
    def _published(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("protocol") != "robustvlm":
            return values
        fixed = PUBLISHED | {"templates": eighty_templates()}
        for name, value in fixed.items():
            given = values.get(name, value)
            if (tuple(given) if isinstance(given, list) else given) != value:
                raise ValueError(f"protocol robustvlm fixes {name}; leave it out, or choose protocol autoattack")
        return values | fixed

    @model_validator(mode="after")
    def _consistent(self) -> AdversarialParams:
        if "apgd-ce" not in self.attacks:
            raise ValueError("attacks: 'apgd-ce' must be among them, the checks of the gradient rest on it")
        if "transfer" in self.parts and not self.second:
            raise ValueError("the part transfer needs the parameter second, a model specification")
        return self

    def eps(self, norm: Literal["linf", "l2"]) -> tuple[float, ...]:
        """Radii of one norm, ascending and distinct."""
        return tuple(sorted(set(self.eps_linf if norm == "linf" else self.eps_l2)))


def eighty_templates() -> tuple[str, ...]:
    """The 80 prompt templates published with CLIP for ImageNet, as open_clip ships them."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    return tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)
