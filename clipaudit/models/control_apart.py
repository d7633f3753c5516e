"""A control whose images and texts lie apart."""

from __future__ import annotations

from pydantic import Field

from clipaudit.models.control_params import ControlParams
from clipaudit.models.control_vectors import Layout, Place


class ApartParams(ControlParams):
    """`apart`: images lie at height gap / 2 on a common axis, texts at -gap / 2, the rest of each by chance.

    So the mean image and the mean text are `gap` apart, but for the chance part of n and m vectors, whose means are
    apart by (1 - gap^2 / 4) (1 / n + 1 / m) in the mean of squares.
    """

    gap: float = Field(default=0.3, ge=0, le=1.9, description="Distance between the means.")
    dim: int = Field(default=64, ge=8, le=4096, description="Dimensions.")


def apart(params: ApartParams) -> Layout:
    """See ApartParams."""
    rest, height = params.dim - 1, params.gap / 2
    return Layout(
        params.dim,
        lambda image: Place(height, ("image", image.id), 0, rest),
        lambda text: Place(-height, ("text", text), 0, rest),
    )
