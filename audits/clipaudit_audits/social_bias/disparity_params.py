"""Parameters of the disparity audit: what is asked, of whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from clipaudit.contract import TemplateParams
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError, nearest
from clipaudit.zeroshot import prompts
from clipaudit_audits.social_bias.group_terms import class_text
from clipaudit_audits.social_bias.groups import spelled_once, usable_columns


class DisparityParams(TemplateParams):
    """Parameters. Whatever is left empty is filled in from the data set and its card."""

    target: str = Field(
        default="",
        description="Column with the annotated class; empty: label, else the card's group column with fewest values.",
    )
    labels: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Value of the target column = text that asks for it, or a list of texts; values with the same text "
        "are one class, other values are left out. A list of values asks for them as they are spelled. Empty: all, "
        "values of group columns in the words that name people so (Female = woman).",
    )
    others: tuple[str, ...] = Field(default=(), description="Further texts on offer, which are nobody's class.")
    groups: tuple[str, ...] = Field(default=(), description="Columns of annotated groups; empty: those of the card.")
    intersections: bool = Field(default=True, description="Also judge pairs of group columns, and all together.")
    cluster: str = Field(default="", description="Column of the images' natural unit; empty: that of the card.")
    min_group: int = Field(
        default=30,
        ge=2,
        description="Groups with fewer distinct images are too small (alike in natural unit and annotation: "
        "one image); so are those of fewer than ten natural units.",
    )

    @field_validator("labels", mode="before")
    @classmethod
    def _spread(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = [given]
        if isinstance(given, list | tuple):
            if repeated := [value for value in given if list(given).count(value) > 1]:
                raise ValueError(f"{repeated[0]!r} is given twice")
            return {value: (value,) for value in given}
        if isinstance(given, Mapping):
            return {key: (texts,) if isinstance(texts, str) else texts for key, texts in given.items()}
        return given


@dataclass(frozen=True)
class AskedClass:
    """One class: the annotated values that belong to it, and the texts that ask for it."""

    values: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def name(self) -> str:
        return " / ".join(self.values)


def classes(params: DisparityParams) -> list[AskedClass]:
    """The classes in the order of `labels`; values with the same texts are one class."""
    by_texts: dict[tuple[str, ...], list[str]] = {}
    for value, texts in params.labels.items():
        by_texts.setdefault(texts, []).append(value)
    return [AskedClass(tuple(values), texts) for texts, values in by_texts.items()]


def texts_asked(params: DisparityParams) -> list[str]:
    """All texts on offer: those of the classes, then the others."""
    return [*(text for one in classes(params) for text in one.texts), *params.others]


def resolve(params: DisparityParams, dataset: Dataset) -> DisparityParams:
    """The same with nothing left open. UsageError or DataError in one line where that cannot be done."""
    target = params.target or _usual_target(dataset)
    dataset.require(target)
    present = {value for value in dataset.column(target) if value.strip()}
    spelled_once(dataset.id, target, present)
    groups = usable_columns(dataset, params.groups, "disparity")
    worded = class_text if target in {*dataset.info.groups, *groups} else str
    labels = params.labels or {value: (worded(value),) for value in sorted(present)}
    missing = next((value for value in labels if value not in present), None)
    if missing is not None and len(dataset) >= dataset.info.items:  # of a limited data set some values may be absent
        raise DataError(
            f"disparity: labels: column {target!r} of data set {dataset.id!r} has no value {missing!r}; "
            f"{nearest(missing, present)}"
        )
    cluster = params.cluster or dataset.cluster or ""
    if cluster:
        dataset.require(cluster)
    params = params.model_copy(
        update={
            "target": target,
            "templates": tuple(dict.fromkeys(params.templates)),
            "labels": labels,
            "cluster": cluster,
            "groups": groups,
        }
    )
    if len(classes(params)) < 2:
        only = ", ".join(map(repr, labels)) or "none"
        raise DataError(f"disparity: classification needs two classes; column {target!r} and labels give: {only}")
    _distinct(texts_asked(params))
    prompts(texts_asked(params), params.templates)  # refuses a template without a place for the label
    return params


def _usual_target(dataset: Dataset) -> str:
    if "label" in dataset.columns:
        return "label"
    sizes = {
        column: len({value for value in dataset.column(column) if value.strip()}) for column in dataset.info.groups
    }
    judged = {column: size for column, size in sizes.items() if size > 1}
    if not judged:
        raise DataError(
            f"disparity: data set {dataset.id!r} has no column 'label' and no group column with two values; set target "
            f"to one of its columns ({', '.join(dataset.columns)})"
        )
    return min(judged, key=lambda column: (judged[column], column))


def _distinct(texts: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for text in texts:
        if not text.strip():
            raise UsageError("disparity: labels: a text is empty; write what to ask for")
        plain = " ".join(text.casefold().split())
        if plain in seen:
            same = f"{text!r} twice" if seen[plain] == text else f"{seen[plain]!r} and {text!r}, which are one text"
            raise UsageError(f"disparity: labels and others offer {same}; each text belongs to one class")
        seen[plain] = text
