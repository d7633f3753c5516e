"""Opening a card's source: drawn at run time, a folder of images, a table, or the hub."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from clipaudit.data.card import BuiltinSource, FolderSource, HubSource, Source, TableSource
from clipaudit.data.loaded import Loaded, Place
from clipaudit.errors import DataError
from clipaudit.text import printable


def open_source(source: Source, place: Place) -> Loaded:
    """Items of one source. DataUnavailable where it is not in reach here, DataError where it is damaged."""
    match source:
        case BuiltinSource():
            from clipaudit.data.sources_builtin import open_builtin

            return open_builtin(source)
        case FolderSource():
            from clipaudit.data.sources_folder import open_folder

            return open_folder(source, place)
        case TableSource():
            from clipaudit.data.sources_table import open_table

            return open_table(source, place)
        case HubSource():
            from clipaudit.data.sources_hub import open_hub

            return open_hub(source, offline=place.offline)


def source_reach(source: Source, place: Place) -> str | None:
    """Why a source is not in reach, in one line without a full stop; None where it is. Opens nothing large."""
    match source:
        case BuiltinSource():
            from clipaudit.data.sources_builtin import builtin_reach

            return builtin_reach(source)
        case FolderSource():
            from clipaudit.data.sources_folder import folder_reach

            return folder_reach(source, place)
        case TableSource():
            from clipaudit.data.sources_table import table_reach

            return table_reach(source, place)
        case HubSource():
            from clipaudit.data.sources_hub import hub_reach

            return hub_reach(source, offline=place.offline)


def refined(loaded: Loaded, name: str) -> Loaded:
    """`loaded` as the card's own function "module:function" makes it: columns mended, faults of the data noted."""
    module, _, function = name.partition(":")
    try:
        refine: Callable[[Loaded], Loaded] = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(f"the card's function {printable(name)} cannot be loaded ({printable(error)})") from error
    return refine(loaded)
