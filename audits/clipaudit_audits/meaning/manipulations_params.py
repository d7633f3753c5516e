"""Parameters of the manipulation audit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field, field_validator

from clipaudit.contract import TemplateParams
from clipaudit.errors import DataError
from clipaudit.stimuli.manipulation import MANIPULATIONS, check_level, check_manipulation

Protocol = Literal["information", "suppression"]
Levels = tuple[float, ...]

_GRIDS = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0)
LEVELS: Mapping[str, Levels] = MappingProxyType(
    {
        "silhouette": (0.25, 0.5, 0.75, 1.0),
        "edges": (0.25, 0.5, 0.75, 1.0),
        "greyscale": (0.25, 0.5, 0.75, 1.0),
        "low-pass": (1.0, 3.0, 5.0, 10.0, 15.0, 40.0),
        "high-pass": (0.1, 1 / 3, 2 / 3, 1.0, 1 / 0.7, 2.5),
        "patch-shuffle": (2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0),
        "contrast": (0.5, 0.7, 0.85, 0.9, 0.95, 0.97, 0.99),
        "phase-noise": (30.0, 60.0, 90.0, 120.0, 150.0, 180.0),
        "patch-rotation": _GRIDS,
        "bilateral": (4.0, 6.0, 8.0, 10.0, 12.0, 14.0),
    }
)
PROTOCOLS: Mapping[Protocol, Mapping[str, Levels]] = MappingProxyType(
    {
        "information": {name: LEVELS[name] for name in LEVELS if name not in ("patch-rotation", "bilateral")},
        # Burgert et al. 2025, single suppressions: layout, local shape, texture, colour.
        "suppression": {
            "patch-shuffle": _GRIDS,
            "patch-rotation": _GRIDS,
            "bilateral": LEVELS["bilateral"],
            "greyscale": (0.2, 0.4, 0.6, 0.8, 1.0),
        },
    }
)


def read(text: str) -> tuple[str, Levels]:
    """Name and levels of "patch-shuffle=2,4"; no levels for "greyscale", which has those of the audit.

    Raises DataError for a manipulation or level that does not exist, or a level that changes nothing.
    """
    name, _, given = text.partition("=")
    try:
        levels = tuple(sorted({float(level) for level in given.split(",")})) if given else ()
    except ValueError:
        raise DataError(f"manipulation {text!r}: levels are numbers; write for example 'patch-shuffle=2,4'") from None
    check_manipulation(name)
    for level in levels:
        check_level(name, level)
        if level == MANIPULATIONS[name].clean:
            raise DataError(f"{text!r}: level {level:g} is the picture as it is, which is always shown")
    return name, levels


class ManipulationParams(TemplateParams):
    """What is taken away from how many images. `information` shows 46 pictures of each image, `suppression` 28."""

    protocol: Protocol = Field(
        default="information",
        description="information: contours, surfaces, colour, detail, layout, contrast and phases are taken away by "
        "degrees. suppression: layout, local shape, texture and colour, as Burgert et al. 2025 suppress them.",
    )
    manipulations: tuple[str, ...] = Field(
        default=(), max_length=10, description="Some of silhouette, edges, greyscale, low-pass, high-pass, "
        "patch-shuffle, contrast, phase-noise, patch-rotation, bilateral; with levels of their own where given "
        "(patch-shuffle=2,4). Empty: those of the protocol.",
    )  # fmt: skip
    target: str = Field(default="label", min_length=1, description="Column of the data set that holds the class.")
    images: int = Field(default=60, ge=2, le=1_000_000, description="Images of the data set that are shown.")
    classes: int = Field(default=1000, ge=2, le=100_000, description="Most classes: those with most images.")

    @field_validator("manipulations")
    @classmethod
    def _known(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            names = [read(text)[0] for text in texts]
        except DataError as error:
            raise ValueError(str(error)) from error
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice!r} is given twice; give its levels together: '{twice}=A,B'")
        return texts

    def levels(self) -> dict[str, Levels]:
        """What is shown: levels by manipulation."""
        chosen = PROTOCOLS[self.protocol]
        if not self.manipulations:
            return dict(chosen)
        own = dict(read(text) for text in self.manipulations)
        return {name: levels or chosen.get(name, LEVELS[name]) for name, levels in own.items()}
