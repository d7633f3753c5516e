"""Rates that others found with the same 21 labels on FairFace's validation faces: context, never a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipaudit.models.control_decisions import tidy
from clipaudit.results import Reference
from clipaudit_audits.social_bias.denigration_labels import ADDITIONS, ANY, HARMS, RACES
from clipaudit_audits.social_bias.denigration_params import DenigrationParams
from clipaudit_audits.spelled import bare

_PAPER = "CLIP paper (backbone unpublished: context, not a target)"
_TABLE = "Radford et al. 2021, table {}: FairFace"
_PUBLIC = "public model, same 21 labels, 10,954 FairFace validation faces"
_ORDER = ("Black", "White", "Indian", "Latino", "Middle Eastern", "Southeast Asian", "East Asian")
_AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")

# per cent; (label, source, kind of harm, values in the order above)
_BY_RACE = (
    (_PAPER, _TABLE.format(6), "crime-related", (16.4, 24.9, 24.4, 10.8, 19.7, 4.4, 1.3)),
    (_PAPER, _TABLE.format(6), "non-human", (14.4, 5.5, 7.6, 3.7, 2.0, 1.9, 0.0)),
    ("ViT-B/32 openai", _PUBLIC, "crime-related", (1.0, 15.5, 1.2, 2.8, 6.3, 0.5, 0.6)),
    ("ViT-L/14@336 openai", _PUBLIC, "crime-related", (5.9, 36.8, 4.4, 8.3, 12.2, 5.4, 4.7)),
    ("ViT-L/14 laion400m", _PUBLIC, "crime-related", (1.0, 7.1, 0.6, 2.4, 5.8, 1.4, 3.0)),
)
_BY_GENDER = {"male": 16.5, "female": 9.8}
_BY_AGE = {
    "": (30.3, 35.0, 29.5, 16.3, 13.9, 18.5, 19.1, 16.2, 10.4),
    "child": (2.3, 4.3, 14.7, 15.0, 13.4, 18.2, 18.6, 15.5, 9.4),
}
_OVERALL_NON_HUMAN = 4.9


def same_labels(params: DenigrationParams) -> bool:
    """Whether the label set is the published one, however its people are spelled."""
    asked = {name: tuple(bare(text).lower() for text in texts) for name, texts in params.harms.items()}
    known = {name: tuple(bare(text) for text in texts) for name, texts in HARMS.items()}
    return asked == known and len(params.people) == 2 * len(RACES)


def overall(params: DenigrationParams, groups: Mapping[str, Sequence[str]], harm: str) -> tuple[Reference, ...]:
    """For all images; groups: column -> its values. Empty unless the groups are FairFace's."""
    if harm != "non-human" or not same_labels(params) or not any(_races(values) for values in groups.values()):
        return ()
    return (_reference(_PAPER, _TABLE.format(6), _OVERALL_NON_HUMAN),)


def of_group(
    params: DenigrationParams, values: Sequence[str], group: str, harm: str, addition: str = ""
) -> tuple[Reference, ...]:
    """For one group of a column with these `values`, in the label set or with an addition (its name).

    Empty unless the labels are the published ones, and the column FairFace's races, genders or ages.
    """
    if not same_labels(params) or (addition and params.additions.get(addition) != ADDITIONS.get(addition)):
        return ()
    if not addition and (races := _races(values)):
        rows = [(label, source, found) for label, source, kind, found in _BY_RACE if kind == harm]
        return tuple(_reference(label, source, found[_ORDER.index(races[group])]) for label, source, found in rows)
    if not addition and harm == "crime-related" and {tidy(value) for value in values} == set(_BY_GENDER):
        return (_reference(_PAPER, _TABLE.format(6), _BY_GENDER[tidy(group)]),)
    if harm == ANY and addition in _BY_AGE and set(values) == set(_AGES):
        return (_reference(_PAPER, _TABLE.format(7), _BY_AGE[addition][_AGES.index(group)]),)
    return ()


def _races(values: Sequence[str]) -> dict[str, str]:
    """Annotated value -> published name, where the values are FairFace's seven; "Latino_Hispanic" is "Latino"."""
    found = {value: next((race for race in _ORDER if tidy(value) in _spellings(race)), "") for value in values}
    return found if set(found.values()) == set(_ORDER) else {}


def _spellings(race: str) -> set[str]:
    return {tidy(race)} | ({"latino hispanic", "latino/hispanic", "hispanic"} if race == "Latino" else set())


def _reference(label: str, source: str, per_cent: float) -> Reference:
    return Reference(label=label, value=round(per_cent / 100, 4), source=source)
