"""Fine and coarse detail taken from a picture, and its phases disturbed. All on (h, w, 3) in 0..255, not clipped."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float64]


def low_pass(pixels: Pixels, deviation: float) -> Pixels:
    """Blurred by a Gaussian with that standard deviation in px; 0 leaves the picture as it is."""
    from scipy.ndimage import gaussian_filter

    if deviation == 0:
        return pixels.copy()
    return np.asarray(gaussian_filter(pixels, (deviation, deviation, 0), mode="nearest"))


def high_pass(pixels: Pixels, deviation: float) -> Pixels:
    """What a blur with that standard deviation (px) takes away, on the picture's mean colour; infinity leaves it."""
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    blurred = mean if np.isinf(deviation) else low_pass(pixels, deviation)
    return np.asarray(pixels - blurred + mean)


def phase_noise(pixels: Pixels, width: float, rng: np.random.Generator) -> Pixels:
    """Phases of the spectrum shifted at random, uniformly within +-`width` degrees, alike in all channels; amplitudes
    and the mean colour stay (Geirhos et al. 2018, after Wichmann et al. 2006)."""
    if width == 0:
        return pixels.copy()
    shift = np.radians(_odd(rng.uniform(-width, width, size=pixels.shape[:2])))
    spectrum = np.fft.fft2(pixels, axes=(0, 1)) * np.exp(1j * shift)[..., None]
    return np.asarray(np.fft.ifft2(spectrum, axes=(0, 1)).real)


def _odd(field: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The field with the values of one of each two opposite frequencies, negated at the other: so that the picture
    stays real. Frequencies that are their own opposites get 0."""

    def opposite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.roll(values[::-1, ::-1], 1, axis=(0, 1))

    place = np.arange(field.size, dtype=np.float64).reshape(field.shape)
    other = opposite(place)
    return np.where(place < other, field, np.where(place > other, -opposite(field), 0.0))
