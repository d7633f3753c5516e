"""Overlays: the note is as large as asked, inside the central square, and nothing else changes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from clipaudit.errors import DataError, ImageError
from clipaudit.images import ImageRef
from clipaudit.stimuli.fonts import check_glyphs, font_path
from clipaudit.stimuli.lettering import arrange, text_mask, tidy
from clipaudit.stimuli.overlay import Overlay, OverlayStyle, note_box
from clipaudit.stimuli.written import random_string, wrong_labels

PLACES = ["centre", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right", "random"]


@dataclass(frozen=True)
class Noise:
    """Grey noise around 90: no pixel equals note or ink."""

    size: tuple[int, int] = (300, 300)
    id: str = "noise"
    digest: str = "ab" * 32
    attributes: dict[str, str] = field(default_factory=lambda: {"label": "cat"})
    alpha: bool = False

    def load(self) -> Image.Image:
        grey = np.random.default_rng(0).integers(80, 100, (self.size[1], self.size[0], 3), dtype=np.uint8)
        image = Image.fromarray(grey)
        if self.alpha:
            image.putalpha(0)
        return image


def changed(overlay: Overlay) -> np.ndarray:
    before, after = np.asarray(overlay.base.load().convert("RGB")), np.asarray(overlay.load())
    return np.any(before != after, axis=-1)


@pytest.mark.parametrize("area", [0.02, 0.1, 0.35, 0.8])
@pytest.mark.parametrize("size", [(300, 300), (520, 260), (240, 700)])
@pytest.mark.parametrize("text", ["ox", "polar bear", "hippopotamus"])
def test_changed_pixels_are_the_area_asked_for(area: float, size: tuple[int, int], text: str) -> None:
    mask = changed(Overlay(Noise(size), text, OverlayStyle(area=area)))
    assert mask.sum() / min(size) ** 2 == pytest.approx(area, rel=0.03)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(300, 300), (520, 260), (240, 700)])
def test_note_is_a_rectangle_inside_the_central_square(place: str, size: tuple[int, int]) -> None:
    mask = changed(Overlay(Noise(size), "zebra", OverlayStyle(place=place)))
    rows, columns = np.nonzero(mask)
    side = min(size)
    assert columns.min() >= (size[0] - side) / 2
    assert columns.max() < (size[0] + side) / 2
    assert rows.min() >= (size[1] - side) / 2
    assert rows.max() < (size[1] + side) / 2
    assert mask.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_places_are_where_their_names_say() -> None:
    centres = {}
    for place in PLACES[:-1]:
        left, top, right, bottom = note_box((200, 200), 0.05, 2.0, place)
        centres[place] = ((left + right) / 2 - 100, (top + bottom) / 2 - 100)
    assert centres["centre"] == pytest.approx((0, 0), abs=1)
    assert centres["top"][1] < -50
    assert centres["bottom"][1] > 50
    assert centres["top-left"][0] < -50
    assert centres["top-left"][1] < -50
    assert centres["bottom-right"][0] > 50
    assert centres["bottom-right"][1] > 50


@given(st.floats(0.01, 0.8), st.floats(0.2, 8), st.integers(64, 900), st.integers(64, 900), st.integers(0, 9))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_note_box_property(area: float, aspect: float, width: int, height: int, seed: int) -> None:
    left, top, right, bottom = note_box((width, height), area, aspect, "random", seed)
    side = min(width, height)
    assert left >= (width - side) / 2
    assert right <= (width + side) / 2
    assert top >= (height - side) / 2
    assert bottom <= (height + side) / 2
    assert (right - left) * (bottom - top) == pytest.approx(area * side**2, rel=0.03, abs=1.5 * side)


def test_random_place_depends_on_seed_and_image_only() -> None:
    def box(seed: int, digest: str) -> tuple[int, ...]:
        rows, columns = np.nonzero(
            changed(Overlay(Noise(digest=digest), "ox", OverlayStyle(place="random", seed=seed)))
        )
        return int(rows.min()), int(columns.min())

    assert box(0, "a") == box(0, "a")
    assert len({box(seed, digest) for seed in range(3) for digest in "abc"}) == 9


def test_opacity_zero_is_the_image_and_a_half_is_half_way() -> None:
    base = Noise()
    assert not changed(Overlay(base, "ox", OverlayStyle(opacity=0))).any()
    full, half = (np.asarray(Overlay(base, "ox", OverlayStyle(opacity=o)).load(), dtype=float) for o in (1, 0.5))
    assert np.abs(half - (full + np.asarray(base.load(), dtype=float)) / 2).max() <= 1


def test_blank_has_the_note_of_the_word_and_no_ink() -> None:
    wrong, blank = Overlay(Noise(), "zebra"), Overlay(Noise(), "zebra", kind="blank")
    assert np.array_equal(changed(wrong), changed(blank))
    assert blank.attributes["written"] == ""
    ink = [np.all(np.asarray(o.load()) == (0x16, 0x18, 0x1D), axis=-1).sum() for o in (wrong, blank)]
    assert ink[0] > 500
    assert ink[1] == 0
    invisible = Overlay(Noise(), "zebra", OverlayStyle(contrast=0))
    assert np.array_equal(np.asarray(invisible.load()), np.asarray(blank.load()))


def test_without_note_only_letters_and_their_outline_change() -> None:
    with_note, without = (changed(Overlay(Noise(), "zebra", OverlayStyle(note=note))) for note in (True, False))
    assert 0.15 < without.sum() / with_note.sum() < 0.75
    assert not (without & ~with_note).any()


@pytest.mark.parametrize("text", ["ox", "mug", "hippopotamus", "polar bear", "a very long label of many words"])
@pytest.mark.parametrize("repetitions", [1, 4])
def test_text_fills_its_box_and_stays_inside(text: str, repetitions: int) -> None:
    lines, aspect = arrange(text, "DejaVuSans-Bold", repetitions)
    assert lines.replace("\n", " ") == " ".join([text] * repetitions)
    width = 400
    height = round(width / aspect)
    mask = np.asarray(text_mask(lines, "DejaVuSans-Bold", width, height)) > 0
    rows, columns = np.nonzero(mask)
    assert columns.min() > 0
    assert columns.max() < width - 1
    assert rows.min() > 0
    assert rows.max() < height - 1
    assert max((np.ptp(columns) + 1) / width, (np.ptp(rows) + 1) / height) > 0.5
    assert abs(columns.min() + columns.max() - width) <= 4  # centred
    assert abs(rows.min() + rows.max() - height) <= 4


def test_cut_outs_lie_on_white_and_small_images_are_enlarged() -> None:
    image = np.asarray(Overlay(Noise(size=(40, 80), alpha=True), "ox").load())
    assert image.shape == (448, 224, 3)
    assert tuple(image[0, 0]) == (255, 255, 255)
    with pytest.raises(ImageError, match=r"noise: .*too elongated"):
        Overlay(Noise(size=(1, 3000)), "ox").load()


def test_missing_glyphs_and_fonts_are_errors() -> None:
    with pytest.raises(DataError, match="no glyph for '猫'"):
        Overlay(Noise(), "猫")
    with pytest.raises(DataError, match="did you mean DejaVuSans"):
        OverlayStyle(font="DejaVuSanz") and font_path("DejaVuSanz")
    with pytest.raises(DataError, match=r"no-such\.ttf does not exist"):
        Overlay(Noise(), "ox", OverlayStyle(font="no-such.ttf"))
    with pytest.raises(DataError, match="no text to write"):
        Overlay(Noise(), "\x00\t")
    check_glyphs("Ærøskøbing żółw кошка γάτα", "DejaVuSans")


def test_broken_font_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    with pytest.raises(DataError, match="cannot be read") as caught:
        check_glyphs("ox", str(tmp_path / "broken.ttf"))
    assert "\n" not in str(caught.value)


def test_identity_attributes_and_markup() -> None:
    overlay = Overlay(Noise(), "<b>\x07 x ")
    assert isinstance(overlay, ImageRef)
    assert overlay.attributes == {"label": "cat", "written": "<b> x", "overlay": "wrong"}
    assert overlay.id == "noise|wrong=<b> x|area=0.10|place=bottom"
    assert tidy("a\n b") == "a b"


def test_digest_and_id_change_with_every_parameter() -> None:
    changes: dict[str, object] = {
        "area": 0.2, "place": "top", "opacity": 0.5, "contrast": 0.5, "note": False, "text_colour": "#ff0000",
        "note_colour": "#ffffff", "font": "DejaVuSerif", "repetitions": 2, "seed": 1,
    }  # fmt: skip
    assert set(changes) == set(OverlayStyle.model_fields)
    variants = [Overlay(Noise(), "ox"), Overlay(Noise(), "axe"), Overlay(Noise(), "ox", kind="blank")]
    variants += [Overlay(Noise(), "ox", OverlayStyle.model_validate({key: value})) for key, value in changes.items()]
    assert len({v.digest for v in variants}) == len(variants)
    assert len({v.id for v in variants}) == len(variants)
    assert Overlay(Noise(digest="cd" * 32), "ox").digest != variants[0].digest


def test_digest_and_pixels_are_the_same_in_another_process() -> None:
    code = (
        "import importlib.util, hashlib, sys\n"
        f"spec = importlib.util.spec_from_file_location('overlay_test', {__file__!r})\n"
        "m = importlib.util.module_from_spec(spec); sys.modules['overlay_test'] = m; spec.loader.exec_module(m)\n"
        "o = m.Overlay(m.Noise(), 'polar bear', m.OverlayStyle(place='random'))\n"
        "print(o.digest, hashlib.sha256(o.load().tobytes()).hexdigest(), m.random_string('polar bear', 3, 'x'))\n"
    )
    import hashlib

    mine = Overlay(Noise(), "polar bear", OverlayStyle(place="random"))
    here = [
        mine.digest,
        hashlib.sha256(mine.load().tobytes()).hexdigest(),
        *random_string("polar bear", 3, "x").split(),
    ]
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == here
    )


@given(
    st.lists(st.sampled_from("abcdefg"), min_size=2, max_size=80).filter(lambda x: len(set(x)) > 1), st.integers(0, 99)
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_wrong_labels_are_never_right_and_balanced(labels: list[str], seed: int) -> None:
    written = wrong_labels(labels, seed)
    assert written == wrong_labels(labels, seed)
    assert all(w != own for w, own in zip(written, labels, strict=True))
    assert set(written) <= set(labels)
    n, classes = len(labels), sorted(set(labels))
    counts, own = Counter(written), Counter(labels)
    high = -(-n // len(classes))
    if max(own.values()) + high <= n:  # otherwise no balanced choice exists
        assert all(n // len(classes) <= counts[c] <= high for c in classes)


def test_wrong_labels_mix_the_pairings() -> None:
    labels = [c for c in "abcdefghij" for _ in range(30)]
    met: dict[str, set[str]] = {}
    for own, word in zip(labels, wrong_labels(labels, 0), strict=True):
        met.setdefault(own, set()).add(word)
    assert min(len(words) for words in met.values()) >= 7
    assert wrong_labels(labels, 0) != wrong_labels(labels, 1)
    with pytest.raises(DataError, match="at least two classes"):
        wrong_labels(["a", "a"], 0)


def test_random_strings() -> None:
    drawn = random_string("Polar bear-2", 0, "item")
    assert len(drawn) == 12
    assert drawn[0].isupper()
    assert (drawn[5], drawn[10]) == (" ", "-")
    assert not set(drawn.lower()) & set("aeiouy")
    assert len({random_string("zebra", seed, key) for seed in range(5) for key in "abcde"}) == 25
    assert all(random_string("b", seed, "k") != "b" for seed in range(200))
