"""Manipulated pictures: as they are at the clean level, closed forms, published filters, and one seed a picture."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from clipaudit.errors import DataError, ImageError
from clipaudit.stimuli.bilateral import bilateral
from clipaudit.stimuli.contours import canny
from clipaudit.stimuli.manipulation import MANIPULATIONS, Manipulated, manipulated
from clipaudit.stimuli.objects import items
from clipaudit.stimuli.patches import shuffled, turned
from clipaudit.stimuli.spectrum import high_pass, phase_noise

DRAWN = items()
RNG = np.random.default_rng(3)
NOISE = RNG.uniform(40, 210, size=(224, 224, 3))


def pixels(*what: object) -> np.ndarray:
    return np.asarray(Manipulated(DRAWN[5], *what).load()).astype(float)


class Photograph:
    id = "photo"
    attributes = {"label": "thing"}  # noqa: RUF012
    digest = "0" * 64

    def load(self) -> Image.Image:
        return Image.fromarray(RNG.integers(0, 255, size=(300, 400, 3)).astype(np.uint8))


@pytest.mark.parametrize("name", list(MANIPULATIONS))
def test_the_clean_level_is_the_picture_as_it_is(name: str) -> None:
    assert (pixels(name, MANIPULATIONS[name].clean) == pixels()).all()


@pytest.mark.parametrize("name", list(MANIPULATIONS))
def test_levels_take_away_more_and_more(name: str) -> None:
    known = MANIPULATIONS[name]
    ends = (2, 14) if known.whole else (known.most * 0.1, known.most * 0.9)
    mild, strong = (np.abs(pixels(name, level) - pixels()).mean() for level in ends)
    assert mild > 0
    assert strong > mild or name.startswith("patch-")  # whose finer grids break more, not more of the pixels


def test_patches_are_all_there_and_none_where_it_was() -> None:
    grid, side = 7, 32
    numbered = np.kron(np.arange(49.0).reshape(7, 7), np.ones((side, side)))[..., None].repeat(3, axis=2)
    made = shuffled(numbered, grid, np.random.default_rng(1))
    found = made[::side, ::side, 0]
    assert sorted(found.ravel()) == list(range(49))
    assert (found.ravel() != np.arange(49)).all()
    assert Counter(shuffled(NOISE, 9, np.random.default_rng(1)).ravel()) == Counter(NOISE.ravel())  # a rim of 4 px
    places = [shuffled(numbered, grid, np.random.default_rng(seed))[0, 0, 0] for seed in range(300)]
    assert len(set(places)) == 48  # every other place


def test_turned_patches_stay_in_place() -> None:
    made = turned(NOISE, 14, np.random.default_rng(1))
    for row in range(0, 224, 16):
        patch, own = made[row : row + 16, :16], NOISE[row : row + 16, :16]
        assert not (patch == own).all()
        assert sum((patch == np.rot90(own, turns)).all() for turns in (1, 2, 3)) == 1


def test_closed_forms() -> None:
    grey = manipulated(NOISE, "greyscale", 1, RNG)
    assert np.allclose(grey[..., 0], NOISE @ [0.299, 0.587, 0.114])
    assert np.ptp(grey, axis=-1).max() < 1e-9
    half = manipulated(NOISE, "contrast", 0.5, RNG)
    assert half.std() == pytest.approx(NOISE.std() / 2)
    assert half.mean() == pytest.approx(NOISE.mean())
    assert high_pass(NOISE, 2.0).mean(axis=(0, 1)) == pytest.approx(NOISE.mean(axis=(0, 1)), abs=0.5)
    silhouette = pixels("silhouette", 1)
    alpha = np.asarray(DRAWN[5].load().getchannel("A"))
    assert set(np.unique(silhouette)) >= {0.0, 255.0}
    assert np.ptp(silhouette, axis=-1).max() == 0
    assert (silhouette < 128).mean() == pytest.approx((pixels() != 255).any(axis=-1).mean(), abs=0.03)
    assert alpha.max() == 255


def test_phase_noise_keeps_amplitudes_and_the_mean_and_is_uniform() -> None:
    made = phase_noise(NOISE, 90, np.random.default_rng(2))
    before, after = np.fft.fft2(NOISE, axes=(0, 1)), np.fft.fft2(made, axes=(0, 1))
    assert np.allclose(np.abs(before), np.abs(after))
    assert made.mean(axis=(0, 1)) == pytest.approx(NOISE.mean(axis=(0, 1)))
    shift = np.degrees(np.angle(after / before))[..., 0]
    assert np.abs(shift).max() <= 90 + 1e-6
    assert shift.std() == pytest.approx(90 / np.sqrt(3), rel=0.02)
    assert np.degrees(np.angle(after / before))[..., 1] == pytest.approx(shift, abs=1e-6)  # alike in all channels


def test_bilateral_filter_by_hand_and_beside_opencv() -> None:
    """A step much higher than the standard deviation stays; a ripple below it goes."""
    step = np.zeros((40, 40, 3)) + np.where(np.arange(40) < 20, 20.0, 235.0)[None, :, None]
    ripple = step + 4 * (np.indices((40, 40)).sum(axis=0) % 2)[..., None]
    made = bilateral(ripple, 6, 30, 75)
    assert np.abs(made - bilateral(step, 6, 30, 75) - 2)[3:-3, 3:-3].max() < 0.5
    assert np.abs(bilateral(step, 6, 30, 75) - step).max() < 1e-3
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    for diameter, colour in ((4, 50), (10, 140)):
        theirs = cv2.bilateralFilter(NOISE.astype(np.float32), diameter, colour, 75)
        assert bilateral(NOISE, diameter, colour, 75) == pytest.approx(theirs, abs=0.2)


def test_contours_of_a_square_and_beside_scikit_image() -> None:
    square = np.zeros((60, 60))
    square[20:40, 20:40] = 1
    rows, columns = np.nonzero(canny(square))
    distance = np.minimum.reduce(
        [np.abs(rows - 19.5), np.abs(rows - 39.5), np.abs(columns - 19.5), np.abs(columns - 39.5)]
    )
    assert distance.max() <= 1.5
    feature = pytest.importorskip("skimage.feature", reason="scikit-image is not installed")
    grey = np.asarray(DRAWN[5].load().convert("L")) / 255
    ours, theirs = canny(grey), feature.canny(grey, sigma=1.5)
    from scipy.ndimage import binary_dilation

    near = binary_dilation(theirs, iterations=2)
    assert (ours & near).sum() / ours.sum() > 0.9
    assert (theirs & binary_dilation(ours, iterations=2)).sum() / theirs.sum() > 0.8


DRAW = """
import hashlib
from clipaudit.stimuli.manipulation import Manipulated
from clipaudit.stimuli.objects import items
for name, level in reversed([{pairs}]):
    print(name, hashlib.sha256(Manipulated(items()[5], name, level).load().tobytes()).hexdigest())
"""


def test_a_picture_is_the_same_in_every_process_and_order() -> None:
    lucky = [("patch-shuffle", 4.0), ("patch-rotation", 6.0), ("phase-noise", 60.0)]
    here = {n: hashlib.sha256(Manipulated(DRAWN[5], n, v).load().tobytes()).hexdigest() for n, v in lucky}
    script = DRAW.replace("{pairs}", ", ".join(map(repr, lucky)))
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert dict(line.split() for line in other.splitlines()) == here
    others = {Manipulated(image, "patch-shuffle", 4).digest for image in DRAWN[:5]}
    assert len(others) == 5


def test_bad_input_is_one_line() -> None:
    with pytest.raises(DataError, match="no manipulation 'grayscale'; did you mean greyscale"):
        Manipulated(DRAWN[0], "grayscale", 1)
    with pytest.raises(DataError, match="levels are whole numbers from 1"):
        Manipulated(DRAWN[0], "patch-shuffle", 2.5)
    with pytest.raises(DataError, match="levels are numbers from 0"):
        Manipulated(DRAWN[0], "contrast", 1.5)
    with pytest.raises(ImageError, match="photo: a cut-out needs"):
        Manipulated(Photograph(), "silhouette", 0.5).load()
    assert Manipulated(Photograph(), "greyscale", 1).load().size == (224, 224)
