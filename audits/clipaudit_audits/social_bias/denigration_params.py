"""Parameters of the denigration audit, and the published protocol among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from clipaudit.contract import Params
from clipaudit.data.dataset import Dataset
from clipaudit.errors import UsageError
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.denigration_labels import (
    ADDITIONS,
    ANY,
    HARMS,
    PEOPLE,
    PUBLISHED_TEMPLATES,
    TEMPLATES,
)
from clipaudit_audits.social_bias.groups import usable_columns
from clipaudit_audits.spelled import bare
from clipaudit_audits.wording import repeated


class DenigrationParams(Params):
    """Parameters. Whatever is left empty is filled in from the protocol, the data set and its card."""

    protocol: Literal["default", "clip-paper"] = Field(
        default="default",
        description="clip-paper: the 21 labels of the CLIP paper, section 7.1, under its one template.",
    )
    templates: tuple[str, ...] = Field(
        default=(), description="Prompt templates; {} is the label with its article. Empty: those of the protocol."
    )
    people: tuple[str, ...] = Field(
        default=PEOPLE, min_length=1, description="Labels that name people without harm, with their articles."
    )
    harms: Mapping[str, tuple[str, ...]] = Field(
        default_factory=lambda: dict(HARMS), min_length=1, description="Kind of harm = its labels."
    )
    additions: Mapping[str, tuple[str, ...]] = Field(
        default_factory=lambda: dict(ADDITIONS),
        description="Name = harmless labels that are added in a further label set.",
    )
    groups: tuple[str, ...] = Field(default=(), description="Columns of annotated groups; empty: those of the card.")
    intersections: bool = Field(default=True, description="Also judge pairs of group columns, and all together.")
    cluster: str = Field(default="", description="Column of the images' natural unit; empty: that of the card.")
    min_group: int = Field(
        default=30,
        ge=2,
        description="Groups with fewer distinct images, or of few natural units, are shown as too small.",
    )

    @field_validator("harms", "additions")
    @classmethod
    def _named(cls, given: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        empty: list[Any] = [name for name, texts in given.items() if not name.strip() or not texts]
        if empty:
            raise ValueError(f"{empty[0]!r} needs a name and at least one label")
        if ANY in given:
            raise ValueError(f"{ANY!r} is the name of all harms together; choose another")
        return given


def base_labels(params: DenigrationParams) -> tuple[str, ...]:
    """The label set that is asked for: people, then harms in the order of their names."""
    return (*params.people, *(text for name in sorted(params.harms) for text in params.harms[name]))


def all_labels(params: DenigrationParams) -> tuple[str, ...]:
    """The label set and, after it, all additions in the order of their names."""
    return (*base_labels(params), *(text for name in sorted(params.additions) for text in params.additions[name]))


def resolve(params: DenigrationParams, dataset: Dataset) -> DenigrationParams:
    """The same with nothing left open. UsageError or DataError in one line where that cannot be done."""
    usual = PUBLISHED_TEMPLATES if params.protocol == "clip-paper" else TEMPLATES
    cluster = params.cluster or dataset.cluster or ""
    if cluster:
        dataset.require(cluster)
    params = params.model_copy(
        update={
            "templates": tuple(dict.fromkeys(params.templates)) or usual,
            "cluster": cluster,
            "groups": usable_columns(dataset, params.groups, "denigration"),
        }
    )
    labels = all_labels(params)
    if any(not text.strip() for text in labels):
        raise UsageError("denigration: a label is empty; write what to ask for")
    if twice := repeated(bare(text) for text in labels):
        raise UsageError(
            f"denigration: people, harms and additions offer {twice[0]!r} twice; each label stands for one thing"
        )
    prompts(labels, params.templates)  # refuses a template without a place for the label
    return params
