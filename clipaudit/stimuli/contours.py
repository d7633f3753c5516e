"""Line drawings of pictures: Canny's edges (1986), dark on white."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_SMOOTHING = 1.5  # px, standard deviation
_WEAK, _STRONG = 0.1, 0.2  # of the slope, where a step from black to white in one pixel is 4
_DILATION = 3  # px: lines one pixel wide are lost where a model resizes


def line_drawing(grey: Floats) -> Floats:
    """(h, w) in 0..255: black lines, 3 px wide, on white. grey: (h, w) in 0..255."""
    from scipy.ndimage import grey_dilation

    lines = grey_dilation(canny(grey / 255).astype(np.uint8), size=(_DILATION, _DILATION))
    return np.asarray(255.0 * (1 - lines))


def canny(grey: Floats) -> npt.NDArray[np.bool_]:
    """(h, w) True on edges: smoothed, thinned to ridges of the slope, and kept from `weak` up where they hang together
    with one above `strong` (Canny 1986). grey: (h, w) in 0..1."""
    from scipy.ndimage import gaussian_filter, label, sobel

    smooth = gaussian_filter(grey, _SMOOTHING, mode="nearest")
    down, right = sobel(smooth, axis=0), sobel(smooth, axis=1)
    slope = np.hypot(down, right)
    ridge = _ridge(slope, down, right)
    weak = ridge & (slope >= _WEAK)
    pieces, n = label(weak, structure=np.ones((3, 3)))
    kept = np.zeros(n + 1, dtype=np.bool_)
    kept[np.unique(pieces[ridge & (slope >= _STRONG)])] = True
    kept[0] = False
    return kept[pieces]


def _ridge(slope: Floats, down: Floats, right: Floats) -> npt.NDArray[np.bool_]:
    """Where the slope is at least that of its two neighbours across the edge, and more than that of one of them."""
    sector = np.rint(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4  # 0: along x, 1: diagonal, 2: along y
    padded = np.pad(slope, 1)
    height, width = slope.shape
    found = np.zeros(slope.shape, dtype=np.bool_)
    for number, (dy, dx) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        after = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        before = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        found |= (sector == number) & (slope >= after) & (slope > before)
    return found
