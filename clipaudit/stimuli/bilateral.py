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
    height, width = pixels.shape[:2]
    source = np.asarray(pixels, dtype=np.float32)
    padded = np.pad(source, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    total, weights = np.zeros_like(source), np.zeros((height, width, 1), dtype=np.float32)
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            distance = down * down + right * right
            if distance > radius * radius:
                continue
            moved = padded[radius + down : radius + down + height, radius + right : radius + right + width]
            apart = np.abs(moved - source).sum(axis=-1, keepdims=True)
            near = np.float32(-distance / (2 * sigma_space**2))
            weight = np.exp(near - apart * apart * np.float32(1 / (2 * sigma_colour**2)))
            total += weight * moved
            weights += weight
    return (total / weights).astype(np.float64)
