"""Parameters of the corruption audit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from clipaudit.contract import TemplateParams
from clipaudit.errors import DataError, UsageError, nearest
from clipaudit.images import ImageRef
from clipaudit.stimuli.corruption import COMMON, FURTHER, SEVERITIES
from clipaudit.stimuli.small_changes import AMOUNTS, Changed

Severity = Annotated[int, Field(ge=1, le=5)]


def small_change(image: ImageRef, text: str) -> Changed:
    """The change that "flip" or "jpeg=75" names, of an image. Raises UsageError for one that does not exist."""
    name, _, amount = text.partition("=")
    try:
        return Changed(image, name, float(amount or 1))  # type: ignore[arg-type]
    except ValueError:
        raise UsageError(f"small change {text!r}: {amount!r} is no number; write for example 'jpeg=75'") from None


class CorruptionParams(TemplateParams):
    """What is done to how many images. All of it costs (images x (1 + corruptions x severities + changes)) forward
    passes: 50 images and all 19 corruptions at 5 severities are 5,050."""

    target: str = Field(default="label", min_length=1, description="Column of the data set that holds the class.")
    images: int = Field(default=50, ge=2, le=1_000_000, description="Images of the data set that are corrupted.")
    classes: int = Field(default=1000, ge=2, le=100_000, description="Most classes: those with most images.")
    corruptions: tuple[str, ...] = Field(
        default=(*COMMON, *FURTHER), min_length=1, description="Corruptions; the mean is over the common 15 of them."
    )
    severities: tuple[Severity, ...] = Field(default=SEVERITIES, min_length=1, description="Severities, 1 to 5.")
    changes: tuple[str, ...] = Field(
        default=("flip", "crop=0.9", "jpeg=75", "bilinear=200", "nearest=200"), max_length=20,
        description=f"Small natural changes, with their amounts: {', '.join(AMOUNTS)}.",
    )  # fmt: skip
    groups: tuple[str, ...] = Field(
        default=(), max_length=12, description="Columns of annotated groups; none given: those that the card names."
    )
    reference: str = Field(
        default="",
        description="TOML file with the errors of the model that the mean corruption error is relative to; empty: "
        "those of the reference model that ship, on the data they are for.",
    )

    @field_validator("corruptions")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = (*COMMON, *FURTHER)
        if unknown := next((name for name in names if name not in known), None):
            raise ValueError(f"there is no corruption {unknown!r}; {nearest(unknown, known)}")
        if not set(names) & set(COMMON):
            raise ValueError("none of the common 15 is among the corruptions, so that there is no mean")
        return tuple(name for name in known if name in names)

    @field_validator("severities")
    @classmethod
    def _ordered(cls, severities: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(severities)))

    @field_validator("changes")
    @classmethod
    def _possible(cls, changes: tuple[str, ...]) -> tuple[str, ...]:
        for text in changes:
            try:
                small_change(_NO_IMAGE, text)
            except (DataError, UsageError) as error:
                raise ValueError(str(error)) from error
        return tuple(dict.fromkeys(changes))


class _NoImage:
    """Stands in for an image while parameters are checked."""

    id = digest = ""
    attributes: dict[str, str] = {}  # noqa: RUF012

    def load(self) -> None:
        raise AssertionError("there is no image")


_NO_IMAGE: ImageRef = _NoImage()  # type: ignore[assignment]
