"""Bilateral filter: smooths what is finer than a contour and leaves contours (Tomasi and Manduchi 1998).

Written out, for no library among the dependencies has it. Distances between colours are sums over the channels and the
window is a disc, as in OpenCV, with which tests compare it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def bilateral(
    pixels: npt.NDArray[np.float64], diameter: int, sigma_colour: float, sigma_space: float
) -> npt.NDArray[np.float64]:
    """(h, w, 3) smoothed, in the units of `pixels`.

    Args:
        pixels: (h, w, 3).
        diameter: of the window, px.
        sigma_colour: standard deviation of the weight by colour, in the units of `pixels`, summed over channels.
        sigma_space: standard deviation of the weight by distance, px.
    """
    radius = diameter // 2
    padded = np.pad(np.asarray(pixels, dtype=np.float32), ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    total, weights = padded.copy(), np.ones((*padded.shape[:2], 1), dtype=np.float32)
    scale = np.float32(1 / (2 * sigma_colour**2))
    for down, right in _half_window(radius):  # a weight is the same both ways
        here, there = _overlapping(padded.shape[0], padded.shape[1], down, right)
        first, second = padded[here], padded[there]
        apart = np.abs(first - second).sum(axis=-1, keepdims=True)
        weight = np.exp(np.float32(-(down * down + right * right) / (2 * sigma_space**2)) - apart * apart * scale)
        total[here] += weight * second
        total[there] += weight * first
        weights[here] += weight
        weights[there] += weight
    inner = slice(radius, -radius or None)
    return np.asarray(total[inner, inner] / weights[inner, inner], dtype=np.float64)


def _half_window(radius: int) -> list[tuple[int, int]]:
    """Steps (down, right) within a disc, one of each two opposite ones, without the centre."""
    steps = [(down, right) for down in range(radius + 1) for right in range(-radius, radius + 1)]
    return [(d, r) for d, r in steps if (d, r) > (0, 0) and d * d + r * r <= radius * radius]


def _overlapping(height: int, width: int, down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where pixels lie that have a neighbour at that step, and where these neighbours lie."""
    left, start = max(0, -right), max(0, right)
    columns = width - abs(right)
    here = (slice(0, height - down), slice(left, left + columns))
    return here, (slice(down, height), slice(start, start + columns))
