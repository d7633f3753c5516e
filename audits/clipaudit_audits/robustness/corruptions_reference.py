"""The reference model's errors under each corruption, against which the mean corruption error is taken.

The file that ships was made by these two commands, from the toolkit's own default model:

    clipaudit run corruptions --data objects --model reference --set corruptions.images=40 --out RUN
    python -m clipaudit_audits.robustness.corruptions_reference RUN
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from clipaudit.errors import DataError
from clipaudit.reading import toml_values
from clipaudit.results import HeatmapFigure, RunResult
from clipaudit.stimuli.corruption import COMMON, FURTHER, SEVERITIES
from clipaudit.text import printable

SHIPPED = "corruptions_reference.toml"


@dataclass(frozen=True)
class ReferenceCells:
    """model, data: who was measured on what. clean: error without corruption. errors: corruption to (5,) errors."""

    model: str
    data: str
    images: int
    clean: float
    errors: Mapping[str, tuple[float, ...]]


def load_reference(path: str, data: str) -> ReferenceCells | None:
    """The cells in `path`, or those that ship; None where these are for another data set than `data`.

    Raises DataError in one line for a file that cannot be used.
    """
    if path:
        return parse_reference(_read(Path(path)), path)
    cells = parse_reference((files(__package__) / SHIPPED).read_text(encoding="utf-8"), SHIPPED)
    return cells if cells.data == data else None


def written(result: RunResult) -> str:
    """A file of reference cells (TOML) from a run that holds the audit on one data set, at all severities.

    Raises DataError where it does not.
    """
    for cell in result.cells:
        grids = [figure for figure in cell.figures if isinstance(figure, HeatmapFigure) and figure.id == "matrix"]
        clean = next((e for e in cell.estimates if e.metric == "clean_accuracy"), None)
        if cell.audit.id != "corruptions" or cell.data is None or not grids or clean is None or clean.value is None:
            continue
        if len(grids[0].columns) != len(SEVERITIES):
            raise DataError(f"{cell.slug}: reference cells need all of the severities {list(SEVERITIES)}")
        lines = [
            f'model = "{result.model.name}"', f'fingerprint = "{result.model.fingerprint}"', f'data = "{cell.data.id}"',
            f"images = {clean.n}", f"clean = {1 - clean.value:.4f}", "", "[errors]",
        ]  # fmt: skip
        for name, values in zip(grids[0].rows, grids[0].values, strict=True):
            errors = ", ".join(f"{1 - (value or 0.0):.4f}" for value in values)
            lines.append(f"{name.replace(' ', '_')} = [{errors}]")
        return "\n".join(lines) + "\n"
    raise DataError("the run holds no finished cell of the audit 'corruptions'")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{printable(path)}: cannot be read as a file of reference cells ({error})") from error


def parse_reference(text: str, name: str) -> ReferenceCells:
    """From TOML: model, data, images, clean, and a table `errors` of five numbers per corruption."""
    try:
        found = toml_values(text, DataError, printable(name))
        errors = {key: tuple(float(value) for value in values) for key, values in found["errors"].items()}
        cells = ReferenceCells(found["model"], found["data"], int(found["images"]), float(found["clean"]), errors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{printable(name)}: not a file of reference cells (needs model, data, images, clean, and a table 'errors' "
            f"of five numbers per corruption): {error}"
        ) from error
    for key, values in errors.items():
        if key not in (*COMMON, *FURTHER) or len(values) != len(SEVERITIES) or not all(0 <= v <= 1 for v in values):
            raise DataError(
                f"{printable(name)}: errors.{printable(key)} must be five errors from 0 to 1, one a severity"
            )
    return cells


if __name__ == "__main__":
    print(written(RunResult.model_validate_json((Path(sys.argv[1]) / "result.json").read_text("utf-8"))), end="")
