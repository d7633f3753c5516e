"""What each item contributes to a share or to a paired change, for the comparison of two runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipaudit.contract import Outcomes

Flags = NDArray[np.bool_]


def contributions(
    items: Sequence[str],
    clusters: Sequence[str],
    above: ArrayLike,
    seen: Flags,
    among: Flags | None = None,
    scale: float = 1.0,
) -> Outcomes:
    """Outcomes of the items (n,) that were `seen` (n,).

    above: (n,) what each adds. among: (n,) those that count below the line; all that were seen where None.
    """
    kept = np.flatnonzero(seen).tolist()
    counted = np.ones(len(items), dtype=bool) if among is None else among
    added = np.where(counted, np.asarray(above, dtype=np.float64), 0.0)
    return Outcomes(
        items=tuple(items[i] for i in kept),
        above=added[kept],
        below=counted[kept].astype(np.float64),
        clusters=tuple(str(clusters[i]) for i in kept),
        scale=scale,
    )
