"""The change of a proportion over the same items: the score interval and test of Tango 1998.

Of n items, `gained` went from 0 to 1 and `lost` from 1 to 0; the change is (gained - lost) / n. Unlike a bootstrap it
has an interval where nothing changed, and its error rates hold with few changed items. statsmodels has McNemar's
test, that the change is zero, and Newcombe's interval, but no test against a margin that goes with an interval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_HALVINGS = 60  # of the bracket [-1, 1]: ends are exact to 2e-18


def change_score(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, change: ArrayLike) -> Floats:
    """Score statistic of the observed change against a true `change`: standard normal if that is the true one.

    Positive where more was gained. Arguments broadcast. Tango 1998, equations 9 to 13, Statistics in Medicine 17.
    At a true change of zero it is McNemar's (b - c) / sqrt(b + c).

    >>> float(change_score(9, 1, 100, 0.0).round(4))
    2.5298
    """
    b, c, size, delta = (np.asarray(part, dtype=np.float64) for part in (gained, lost, n, change))
    linear = -b - c + (2 * size - b + c) * delta
    constant = -c * delta * (1 - delta)
    likely = (np.sqrt(np.maximum(linear**2 - 8 * size * constant, 0)) - linear) / (4 * size)
    spread = np.sqrt(np.maximum(size * (2 * likely + delta * (1 - delta)), 0))
    distance = b - c - size * delta
    some = spread > 0
    certain = np.where(distance == 0, 0.0, np.copysign(np.inf, distance))
    return np.asarray(np.where(some, distance / np.where(some, spread, 1.0), certain))


def change_interval(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Ends of the score interval of the change: all true changes that the score test does not reject.

    >>> low, high = change_interval(0, 0, 100)
    >>> float(low.round(4)), float(high.round(4))
    (-0.037, 0.037)
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    b, c, size = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (gained, lost, n)))
    seen = (b - c) / size
    return _end(b, c, size, z, -np.ones_like(seen), seen), _end(b, c, size, -z, seen, np.ones_like(seen))


def _end(b: Floats, c: Floats, n: Floats, z: float, low: Floats, high: Floats) -> Floats:
    """Where the score, which falls as the true change rises, crosses z; between `low` and `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = change_score(b, c, n, middle) > z
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)
