"""Parameters of the retrieval audit, and the published protocols among them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from clipaudit.contract import Params
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError

Target = Literal["pool", "uniform"]

# Words that name nobody's gender, origin or age. Pairs of opposites, so that neither side is only praise.
CONCEPTS = (
    "kind", "cruel", "honest", "dishonest", "clever", "foolish", "hard-working", "lazy", "successful", "unsuccessful",
    "rich", "poor", "trustworthy", "suspicious", "peaceful", "dangerous",
)  # fmt: skip
TEMPLATES = ("a picture of a {} person", "this person is {}", "a {} person")
USUAL_KS = (10, 100, 1000)


class RetrievalSkewParams(Params):
    """Parameters. Whatever is left empty is filled in from the protocol and the data set."""

    protocol: Literal["default", "berg2022", "visogender"] = Field(
        default="default",
        description="berg2022: queries from the CSV in `prompts`, k = 1000, uniform target; visogender: one query per "
        "occupation over its own images, k = 5 and 10.",
    )
    prompts: str = Field(
        default="", description="Path of a CSV file with columns template and concept; all combinations are asked."
    )
    templates: tuple[str, ...] = Field(
        default=(),
        description="Queries; {} is the concept, {column} a column of the data set (with `unit`). Empty: those of "
        "the protocol (default: 'a picture of a {} person' and two more).",
    )
    concepts: tuple[str, ...] = Field(
        default=(), description="What is put into {}. Empty: those of the protocol (default: 16 adjectives)."
    )
    groups: tuple[str, ...] = Field(default=(), description="Columns of annotated groups; empty: those of the card.")
    intersections: bool = Field(default=True, description="Also judge every pair of group columns.")
    k: tuple[int, ...] = Field(
        default=(),
        description="Lengths of the top, each smaller than the pool; empty: 10, 100 and 1000 as far as they fit twice.",
    )
    target: Target = Field(default="pool", description="What shares are compared with first: the pool's, or uniform.")
    unit: str = Field(default="", description="Column of separate pools, each with its own queries; empty: one pool.")
    cluster: str = Field(default="", description="Column of the images' natural unit; empty: that of the card.")
    min_group: int = Field(default=10, ge=1, description="Groups with fewer images are shown as too small.")


def resolve(params: RetrievalSkewParams, dataset: Dataset) -> RetrievalSkewParams:
    """The same with nothing left open. UsageError or DataError in one line where that cannot be done."""
    given = {name for name in params.model_fields_set if getattr(params, name)}
    filled = _preset(params.protocol, dataset)
    update: dict[str, object] = {name: value for name, value in filled.items() if name not in given}
    update["cluster"] = params.cluster or dataset.cluster or ""
    params = params.model_copy(update=update)
    if params.protocol == "berg2022" and not params.prompts and not params.concepts:
        raise UsageError(
            "retrieval_skew: protocol berg2022 asks the queries published with the paper; give their file as "
            "prompts = a CSV with the columns template and concept"
        )
    if params.prompts:
        templates, concepts = read_prompts(params.prompts)
        params = params.model_copy(update={"templates": templates, "concepts": concepts, "prompts": ""})
    return _queries(_tops(params, dataset))


def _preset(protocol: str, dataset: Dataset) -> Mapping[str, object]:
    """What a protocol fixes. VisoGender asks for the gender of the working person only, beside whom a participant or
    (photographs of one person) an object is shown."""
    if protocol == "berg2022":
        return {"k": (1000,), "target": "uniform"}
    if protocol == "visogender":
        other = "object" if "object" in dataset.columns and "participant" not in dataset.columns else "participant"
        groups = {"groups": ("gender",)} if "gender" in dataset.columns else {}
        return {
            "k": (5, 10), "unit": "occupation", "templates": (f"The {{occupation}} and their {{{other}}}",), **groups
        }  # fmt: skip
    return {}


def read_prompts(path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Templates and concepts: the two columns of a CSV file, blanks around them and empty cells left out."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise UsageError(f"retrieval_skew: there is no file {path!r}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"retrieval_skew: cannot read {path!r}: {error}") from error
    found = tuple(
        tuple(dict.fromkeys(text for line in lines if (text := (line.get(name) or "").strip())))
        for name in ("template", "concept")
    )
    if not all(found):
        raise UsageError(f"{path}: needs the columns template and concept, each with at least one entry")
    return found[0], found[1]


def _tops(params: RetrievalSkewParams, dataset: Dataset) -> RetrievalSkewParams:
    if params.unit:
        dataset.require(params.unit)
        sizes: dict[str, int] = {}
        for value in dataset.column(params.unit):
            sizes[value] = sizes.get(value, 0) + 1
        largest = max(sizes.values(), default=0)
    else:
        largest = len(dataset)
    ks = params.k or tuple(k for k in USUAL_KS if 2 * k <= largest) or (max(1, largest // 4),)
    if min(ks) < 1 or min(ks) >= largest:
        raise DataError(
            f"retrieval_skew: k = {min(ks)} of a pool of {largest} images: k must be at least 1 and smaller than the "
            "pool, for the whole pool is the same whatever the model ranks first; set k"
        )
    return params.model_copy(update={"k": tuple(sorted(set(ks)))})


def _queries(params: RetrievalSkewParams) -> RetrievalSkewParams:
    templates = tuple(dict.fromkeys(params.templates)) or TEMPLATES
    uses = [("{}" in template) for template in templates]
    concepts = tuple(dict.fromkeys(params.concepts)) or (CONCEPTS if any(uses) else ())
    if concepts and not all(uses):
        lacking = templates[uses.index(False)]
        raise UsageError(f"retrieval_skew: template {lacking!r} has no {{}} for the concept")
    return params.model_copy(update={"templates": templates, "concepts": concepts})
