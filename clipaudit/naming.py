"""Names that tell cells apart: one audit on one data set may be run several times with other parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipaudit.results import CellResult

Cell = tuple[str, Mapping[str, Any]]  # slug and parameters


def cell_names(cells: Sequence[Cell]) -> list[str]:
    """Each cell's slug; where others share it, with the parameter that tells them apart, or all in which they differ.

    Of several such parameters the one with the shortest values is taken.

    >>> cell_names([("attack", {"parts": ["l2"], "n": 4}), ("attack", {"parts": ["linf"], "n": 4}), ("words", {})])
    ['attack parts=l2', 'attack parts=linf', 'words']
    """
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for slug, params in cells:
        alike.setdefault(slug, []).append(params)
    telling = {slug: _telling(found) for slug, found in alike.items()}
    return [" ".join([slug, *(f"{key}={_text(params.get(key))}" for key in telling[slug])]) for slug, params in cells]


def names_by_key(cells: Sequence[CellResult]) -> dict[str, str]:
    """The names of a run's cells by their keys."""
    return dict(zip([cell.key for cell in cells], cell_names([(c.slug, c.params) for c in cells]), strict=True))


def _telling(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for params in cells for key in params)
    values = {key: [_text(params.get(key)) for params in cells] for key in keys}
    differing = [key for key in keys if len(set(values[key])) > 1]
    alone = [key for key in differing if len(set(values[key])) == len(cells)]
    return [min(alone, key=lambda key: sum(map(len, values[key])))] if alone else differing


def _text(value: Any) -> str:
    """A list as its members with "+" between them."""
    if isinstance(value, Mapping):
        return "+".join(f"{key}:{_text(each)}" for key, each in value.items())
    return "+".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
