"""Words alone, fonts that have their characters, and words in other languages."""

from __future__ import annotations

import numpy as np
import pytest

from clipaudit.errors import DataError
from clipaudit.stimuli.fonts import _bundled, check_glyphs, font_with
from clipaudit.stimuli.languages import _WORDS, LANGUAGES, translated
from clipaudit.stimuli.objects import items
from clipaudit.stimuli.word import SIDE, WrittenWord, written_word


@pytest.mark.parametrize("text", ["cat", "acoustic guitar", "fire extinguisher", "internationalisation", "γάτα"])
def test_a_word_is_whole_and_in_the_middle(text: str) -> None:
    page = WrittenWord(text).load()
    ink = np.asarray(page.convert("L")) < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert page.size == (SIDE, SIDE)
    assert columns[0] >= 5
    assert columns[-1] <= SIDE - 6
    assert abs(columns[0] + columns[-1] - SIDE) <= 3
    assert abs(rows[0] + rows[-1] - SIDE) <= 12  # letters hang below the line or do not


def test_the_size_is_32_px() -> None:
    height = np.flatnonzero((np.asarray(WrittenWord("HH").load().convert("L")) < 128).any(axis=1))
    assert len(height) == pytest.approx(0.729 * 32, abs=1.5)  # height of capitals in DejaVu Sans


def test_identity_of_a_word() -> None:
    assert WrittenWord("cat").digest == WrittenWord(" cat ").digest != WrittenWord("dog").digest
    assert WrittenWord("cat").attributes["written"] == "cat"
    with pytest.raises(DataError, match="no text to write"):
        WrittenWord(" ")


def test_a_word_in_a_script_without_a_font_is_left_out() -> None:
    assert written_word("кошка").font == "DejaVuSans"
    assert written_word("\U000e01ef") is None  # a character that no font draws


def test_the_error_names_font_character_and_a_font_that_has_it() -> None:
    with pytest.raises(
        DataError, match=r"font cmr10 has no glyph for 'я' \(U\+044F\) in 'я'; take font DejaVuSans-Bold"
    ):
        check_glyphs("я", "cmr10")
    assert font_with(frozenset("я")) == "DejaVuSans-Bold"


@pytest.mark.skipif("LastResortHE-Regular" not in _bundled(), reason="ships with matplotlib 3.11")
def test_a_font_of_boxes_has_no_glyphs() -> None:
    """One that ships with matplotlib draws a box for every character there is."""
    with pytest.raises(DataError, match="font LastResortHE-Regular has no glyph for 'a'"):
        check_glyphs("a", "LastResortHE-Regular")


def test_every_word_has_all_languages_and_the_usual_font_but_for_chinese() -> None:
    for label, words in _WORDS.items():
        assert len(words) == len(LANGUAGES)
        for language, word in zip(LANGUAGES, words, strict=True):
            assert translated(label, language, {}) == word
            if language != "zh":
                check_glyphs(word, "DejaVuSans-Bold")


def test_every_drawn_object_has_a_word() -> None:
    labels = {item.attributes["label"] for item in items()}
    assert all(translated(label, language, {}) for label in labels for language in LANGUAGES)
