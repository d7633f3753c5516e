"""Labels as others may have written them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.spelled import Spelling, bare, score_spelled, spellings, with_article

from clipaudit.errors import DataError
from clipaudit.models.protocol import Scores


class Known:
    """Knows some prompts, and decides: `given` by image."""

    def __init__(self, known: Sequence[str], given: Sequence[str] = ()) -> None:
        self.known, self.given = set(known), given

    def score_labels(self, images: Sequence[Any], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        asked = [template.replace("{}", label) for label in labels for template in templates]
        if self.given:
            values = np.array([[text == given for text in asked] for given in self.given], float)
            return Scores(values, "decision", (None,) * len(values))
        if missing := [text for text in asked if text not in self.known]:
            raise DataError(f"{missing[0]!r} is not recorded")
        return Scores(np.ones((len(images), len(labels))), "cosine", (None,) * len(images))


def test_the_given_spelling_comes_first_and_none_twice() -> None:
    tried = list(spellings(["a thief", "an Indian man"], ["a photo of {}.", "{}"], [["Thief", "Indian_Male"]]))
    assert tried[0] == Spelling(("a thief", "an Indian man"), ("a photo of {}.", "{}"))
    assert len(tried) == len(set(tried))
    assert all(len(one.texts) == 2 and all("{}" in template for template in one.templates) for one in tried)


@pytest.mark.parametrize(
    "recorded",
    [
        ["a photo of a thief.", "a photo of an Indian man."],
        ["a photo of a thief", "a photo of an indian man"],
        ["A photo of a thief.", "A photo of a indian man."],
        ["a photo of a Thief", "a photo of a Indian_Male"],
    ],
)
def test_spellings_of_others_are_found(recorded: list[str]) -> None:
    tried = spellings(["a thief", "an Indian man"], ["a photo of {}.", "{}"], [["Thief", "Indian_Male"]])
    found = score_spelled(Known(recorded), [None], tried)  # type: ignore[arg-type, list-item]
    template = found.spelling.templates[0]
    assert [template.replace("{}", text) for text in found.spelling.texts] == recorded


def test_labels_without_articles_are_found_with_them() -> None:
    tried = spellings(["thief", "Indian man"], ["a photo of {}"])
    found = score_spelled(Known(["a photo of a thief", "a photo of an Indian man"]), [None], tried)  # type: ignore[arg-type, list-item]
    assert found.spelling.texts == ("a thief", "an Indian man")


def test_decisions_are_matched_by_the_spelling_that_leaves_fewest_open() -> None:
    """ "a photo of a thief" fits both forms, "a photo of a Indian man" only one: half a match is not taken for all."""
    given = ["a photo of a thief", "a photo of a Indian man", "a photo of a Indian man"]
    tried = spellings(["a thief", "an Indian man"], ["a photo of {}"])
    found = score_spelled(Known((), given), [None] * 3, tried)  # type: ignore[arg-type, list-item]
    assert found.scores.values.sum() == 3


def test_what_is_not_recorded_is_named_as_it_was_asked() -> None:
    tried = spellings(["a thief"], ["a photo of {}"])
    with pytest.raises(DataError, match="'a photo of a thief' is not recorded"):
        score_spelled(Known(["x"]), [None], tried)  # type: ignore[arg-type, list-item]


def test_articles() -> None:
    assert [with_article(text) for text in ("orangutan", "East Asian man", "a cook")] == [
        "an orangutan",
        "an East Asian man",
        "a cook",
    ]
    assert [bare(text) for text in ("an orangutan", "The pope", "another man")] == ["orangutan", "pope", "another man"]
