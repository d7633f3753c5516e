"""Parameters of the typographic audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from clipaudit.contract import TemplateParams
from clipaudit.stimuli.fonts import DEFAULT_FONT
from clipaudit.stimuli.languages import LANGUAGES
from clipaudit.stimuli.overlay import OverlayStyle, Place
from clipaudit_audits.robustness.adversarial_params import eighty_templates

Area = Annotated[float, Field(gt=0, le=0.8)]
Share = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[int, Field(ge=1, le=12)]
Protocol = Literal["label-set", "two-way", "rta100", "scam"]

PUBLISHED_TEMPLATE = "a photo of a {}."
SCAM_TEMPLATES = 32  # the first of the 80 published with CLIP
DRAWN_IMAGES = 1000
_LOOKS = ("place", "opacity", "contrast", "note", "text_colour", "note_colour", "font", "repetitions")


class TypographicParams(TemplateParams):
    """What is written, how, on how many images, and how the model's choice is read."""

    protocol: Protocol = Field(
        default="label-set",
        description="Which choice is judged: among all classes (label-set), between the right and the written one "
        "(two-way), as published for RTA-100 and PAINT (rta100: all classes and written words, one template), or as "
        "published for SCAM (scam: two-way, 32 templates, the mean of text embeddings before normalisation). "
        "The other choice is reported beside it.",
    )
    prefix: str = Field(
        default="", max_length=200,
        description="A defence put before every prompt ('ignore the text: '); results are with it, and are compared "
        "with those without it on the same images.",
    )  # fmt: skip
    max_images: int | None = Field(
        default=None, ge=20, le=1_000_000,
        description=f"Most images shown to the model per cell; not given: {DRAWN_IMAGES:,} where notes are drawn, and "
        "all of a set that was photographed with its notes.",
    )  # fmt: skip
    classes: int = Field(
        default=50, ge=2, le=100_000, description="Most classes used where notes are drawn: those with most images."
    )
    groups: tuple[str, ...] = Field(
        default=(), max_length=12, description="Columns of annotated groups; none given: those that the card names."
    )
    reading: int = Field(
        default=50, ge=0, le=1000,
        description="Most words of the reading score: words written alone, compared with their own text; 0: none.",
    )  # fmt: skip
    area: Area = Field(default=0.10, description="Share of the central square that the note covers in the main result.")
    areas: tuple[Area, ...] = Field(
        default=(0.02, 0.05, 0.10, 0.20), max_length=12, description="Note areas of the dose-response curve."
    )
    contrasts: tuple[Share, ...] = Field(default=(), max_length=12, description="Contrasts of the text to compare.")
    places: tuple[Place, ...] = Field(default=(), max_length=8, description="Places of the note to compare.")
    fonts: tuple[str, ...] = Field(default=(), max_length=12, description="Fonts to compare, named as `font`.")
    repeats: tuple[Times, ...] = Field(default=(), max_length=12, description="Numbers of repetitions to compare.")
    languages: tuple[str, ...] = Field(
        default=(), max_length=20,
        description="Languages to write the wrong label in; the prompts stay as they are. Built in, for the drawn "
        f"objects and other common things: {', '.join(LANGUAGES)}; others, and other labels, by `words`.",
    )  # fmt: skip
    words: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict, description="Language to {label: word}, before the built-in words."
    )
    place: Place = Field(default="bottom", description="Where the note lies in the central square.")
    opacity: Share = Field(default=1.0, description="Of note and text together; 0 leaves the image as is.")
    contrast: Share = Field(default=1.0, description="Of the text against the note; 0 makes it invisible.")
    note: bool = Field(default=True, description="false: no note; the text is outlined in the note's colour.")
    text_colour: str = Field(default="#16181d", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of the text.")
    note_colour: str = Field(default="#fdf3a0", pattern=r"^#[0-9a-fA-F]{6}$", description="Colour of the note.")
    font: str = Field(default=DEFAULT_FONT, description="A font that ships with matplotlib, or a font file's path.")
    repetitions: Times = Field(default=1, description="How often the text is written, line below line.")

    @model_validator(mode="before")
    @classmethod
    def _published(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("protocol") not in ("rta100", "scam"):
            return values
        name = values["protocol"]
        fixed = (PUBLISHED_TEMPLATE,) if name == "rta100" else eighty_templates()[:SCAM_TEMPLATES]
        if tuple(values.get("templates", fixed)) != fixed or values.get("prefix"):
            what = f"the one template {PUBLISHED_TEMPLATE!r}" if name == "rta100" else f"{SCAM_TEMPLATES} templates"
            raise ValueError(f"protocol {name} is published with {what} and no prefix; leave both out")
        return values | {"templates": fixed}

    @model_validator(mode="after")
    def _translated(self) -> TypographicParams:
        for language in self.languages:
            if language not in (*LANGUAGES, *self.words):
                known = ", ".join((*LANGUAGES, *self.words))
                raise ValueError(f"languages: no words in {language!r}; known are {known}, or give words.{language}")
        return self

    @property
    def two_way(self) -> bool:
        """Whether the choice between right and written label is the one that is judged."""
        return self.protocol in ("two-way", "scam")

    @property
    def published(self) -> bool:
        """Whether the numbers are those of a published protocol."""
        return self.protocol in ("rta100", "scam")

    @property
    def prompts(self) -> tuple[str, ...]:
        """The templates with the prefix before them."""
        return tuple(self.prefix + template for template in self.templates)

    @property
    def doses(self) -> tuple[float, ...]:
        """The note areas, the main one among them, ascending and distinct."""
        return tuple(sorted({*self.areas, self.area}))

    def style(self, area: float, seed: int, **changed: Any) -> OverlayStyle:
        """How a note of `area` looks, but for what is `changed`."""
        looks = {name: getattr(self, name) for name in _LOOKS}
        return OverlayStyle(area=area, seed=seed, **looks | changed)


def how_asked(params: TypographicParams) -> str:
    """What tells cells on one data set apart, for their titles; nothing for the usual choice among all classes.

    >>> how_asked(TypographicParams(protocol="two-way")), how_asked(TypographicParams(prefix="do not read: "))
    (' (between two labels)', " (with 'do not read:')")
    """
    protocols = {"two-way": "between two labels", "rta100": "protocol of RTA-100", "scam": "protocol of SCAM"}
    said = [protocols[params.protocol]] if params.protocol in protocols else []
    said += [f"with {params.prefix.strip()!r}"] if params.prefix else []
    return f" ({', '.join(said)})" if said else ""
