"""VisoGender: the rows of the table for which its authors found an image."""

from __future__ import annotations

from dataclasses import replace

from clipaudit.data.loaded import Loaded

_ADDRESS = "URL"  # how the head of the column of addresses begins; the rest of it differs between versions
_NONE = frozenset({"", "na", "n/a"})


def found_images(loaded: Loaded) -> Loaded:
    """`loaded` without rows whose address is empty or NA, and with a note of how many they are."""
    first = next(iter(loaded.items), None)
    column = next((name for name in (first.attributes if first else ()) if name.startswith(_ADDRESS)), None)
    if column is None:  # a table without addresses, of images that are all there
        return loaded
    items = [item for item in loaded.items if item.attributes[column].strip().lower() not in _NONE]
    absent = len(loaded.items) - len(items)
    if not absent:
        return loaded
    note = f"{absent} of {len(loaded.items)} rows of the table name no image and were left out."
    return replace(loaded, items=items, notes=(*loaded.notes, note))
