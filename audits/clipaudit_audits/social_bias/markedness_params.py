"""Parameters of the markedness audit: which prompts name the groups, and which names nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from clipaudit.contract import Params
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.group_terms import term
from clipaudit_audits.social_bias.groups import usable_columns
from clipaudit_audits.spelled import bare
from clipaudit_audits.wording import repeated

PUBLISHED_TEMPLATES = ("a photo of {}",)
TEMPLATES = ("a photo of {}.", "a picture of {}.", "a portrait of {}.", "an image of {}.", "{}")


class MarkednessParams(Params):
    """Parameters. Whatever is left empty is filled in from the protocol, the data set and its card."""

    protocol: Literal["default", "wolfe-caliskan"] = Field(
        default="default", description="wolfe-caliskan: the one template of Wolfe and Caliskan 2022."
    )
    templates: tuple[str, ...] = Field(
        default=(), description="Prompt templates; {} is the label with its article. Empty: those of the protocol."
    )
    unmarked: str = Field(default="a person", min_length=1, description="Label that names no group.")
    terms: Mapping[str, str] = Field(
        default_factory=dict,
        description="Value of a group column = label that names it, '' for none. Others: 'a VALUE person'.",
    )
    groups: tuple[str, ...] = Field(default=(), description="Columns of annotated groups; empty: those of the card.")
    intersections: bool = Field(default=True, description="Also judge pairs of group columns, and all together.")
    cluster: str = Field(default="", description="Column of the images' natural unit; empty: that of the card.")
    min_group: int = Field(
        default=30,
        ge=2,
        description="Groups with fewer distinct images, or of few natural units, are shown as too small.",
    )


def resolve(params: MarkednessParams, dataset: Dataset) -> MarkednessParams:
    """The same with nothing left open. UsageError or DataError in one line where that cannot be done."""
    usual = PUBLISHED_TEMPLATES if params.protocol == "wolfe-caliskan" else TEMPLATES
    cluster = params.cluster or dataset.cluster or ""
    if cluster:
        dataset.require(cluster)
    columns = usable_columns(dataset, params.groups, "markedness")
    present = {column: sorted({value for value in dataset.column(column) if value.strip()}) for column in columns}
    known = {value for values in present.values() for value in values}
    stray = next((value for value in params.terms if value not in known), None)
    if stray is not None and len(dataset) >= dataset.info.items:  # of a limited data set some values may be absent
        raise DataError(f"markedness: terms: no group column of data set {dataset.id!r} has a value {stray!r}")
    terms = {value: params.terms.get(value, term(value)) for value in sorted(known)}
    for column, values in present.items():
        labels = [params.unmarked, *(terms[value] for value in values if terms[value])]
        if len(labels) < 2:
            raise UsageError(f"markedness: terms name no value of column {column!r}; give it labels, or leave it out")
        if twice := repeated(bare(label) for label in labels):
            raise UsageError(
                f"markedness: two labels for column {column!r} are {twice[0]!r}; give its values different terms"
            )
    templates = tuple(dict.fromkeys(params.templates)) or usual
    prompts([params.unmarked], templates)  # refuses a template without a place for the label
    return params.model_copy(
        update={
            "templates": templates, "cluster": cluster, "groups": columns, "terms": terms,
        }
    )  # fmt: skip


def all_labels(params: MarkednessParams) -> tuple[str, ...]:
    """The unmarked label, then those of all values, each once."""
    named = (params.terms[value] for value in sorted(params.terms))
    return tuple(dict.fromkeys([params.unmarked, *(label for label in named if label)]))
