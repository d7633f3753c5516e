"""A control that repeats somebody else's answers."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from clipaudit.images import ImageRef
from clipaudit.models.control_chance import pick, uniform
from clipaudit.models.control_decisions import Rule, known
from clipaudit.models.control_params import ClassifierParams, Share


class EchoParams(ClassifierParams):
    """`echo`: repeats, with probability `q`, the answer in an image's column `column`; else it decides alone.

    Alone it is right with probability `alone`, independently. If `alone` is the share of answers that are right, the
    error consistency (kappa) with whoever gave them is q.
    """

    q: Share = Field(default=0.5, description="Probability that the answer is repeated.")
    alone: Share = Field(default=0.6, description="Probability of the right label where it is not.")
    column: str = Field(default="answer", min_length=1, description="Column of the answers.")


def echo(params: EchoParams) -> Rule:
    """See EchoParams."""

    def rule(image: ImageRef, offered: Mapping[str, str]) -> str | None:
        if uniform(params.seed, "echo", image.id) < params.q:
            return known(image, params.column, offered)
        label = known(image, "label", offered)
        others = [name for name in offered.values() if name != label]
        if not others or uniform(params.seed, "alone", image.id) < params.alone:
            return label
        return pick(others, params.seed, "slip", image.id)

    return rule
