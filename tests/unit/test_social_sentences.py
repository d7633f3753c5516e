"""Sentences of findings judged against chance: effect, interval, n, and what is not shown, for either sign and one or
many."""

from __future__ import annotations

from math import log
from typing import Any

import pytest
from clipaudit_audits.social_bias import lexicon_sentences, occupation_sentences, retrieval_skew_sentences
from clipaudit_audits.social_bias.chance_sentences import beside_chance

from clipaudit.results import Estimate, Interval, Null, Status, Test
from clipaudit.stats.multiple import ALONE


def made(value: float, *, found: bool = True, **more: Any) -> Estimate:
    values: dict[str, Any] = {
        "metric": "max_skew", "title": "t", "n": 640, "clusters": 16, "cluster_key": "identity",
        "interval": Interval(low=value - 0.25, high=value + 0.25, method="bootstrap"),
        "null": Null(mean=0.02, low=-0.1, high=0.1, method="permutation"), "minimum_detectable": 0.3,
        "test": Test(p=0.001, p_adjusted=0.004 if found else 0.41, correction="Holm over 3 tests", method="permutation"),
        "status": Status.EFFECT if found else Status.NO_EFFECT,
    }  # fmt: skip
    return Estimate(value=value, **{**values, **more})


def said(estimate: Estimate) -> dict[str, str]:
    word = {"words": "harm words", "group": "A", "occupation": "nurse"}
    spoken = estimate.model_copy(update={"subgroup": word})
    return {
        "skew": retrieval_skew_sentences.skew_sentence(spoken, "tone", "A", 10, 48, "pool"),
        "ndkl": retrieval_skew_sentences.ndkl_sentence(spoken, "tone", 48),
        "bias": retrieval_skew_sentences.bias_sentence(spoken, "man", "woman", 10, 48),
        "group": retrieval_skew_sentences.group_sentence(spoken, "tone", "A", 10, 48),
        "category": lexicon_sentences.category_sentence(spoken, "tone", 64),
        "evenness": lexicon_sentences.category_sentence(spoken.model_copy(update={"metric": "entropy"}), "tone", 64),
        "margin": occupation_sentences.margin_sentence(spoken, {"nurse": 0.88}),
        "correlation": occupation_sentences.correlation_sentence(spoken),
        "gap": occupation_sentences.gap_sentence(spoken),
    }


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("value", [0.5, -0.5])
def test_every_sentence_has_effect_interval_and_n_and_says_what_it_does_not_show(value: float, found: bool) -> None:
    for name, text in said(made(value, found=found)).items():
        number = f"{value:.2f}".replace("-", "−")
        ends = [f"{value + half:.2f}".replace("-", "−") for half in (-0.25, 0.25)]
        assert f" {number}, 95 % interval {ends[0]} to {ends[1]}; 640 " in text, name
        if name != "correlation":
            assert "640 images of 16 identities" in text
        if not found:
            assert "not shown" in text or "no difference from chance is shown" in text
            assert "0.3" in text
            assert "is missed in more than one of five such tests" in text
        else:
            assert "not shown" not in text, name
            assert "is missed" not in text, name


def test_the_sign_decides_the_words() -> None:
    above, below = said(made(0.5)), said(made(-0.5))
    assert "'man' makes up 75.0 % on average and 'woman' the rest" in above["bias"]
    assert "'woman' makes up 75.0 % on average and 'man' the rest" in below["bias"]
    assert "closer to men" in above["margin"]
    assert "closer to women" in below["margin"]
    assert "better for men" in above["gap"]
    assert "better for women" in below["gap"]
    assert "against the labour statistics" in above["correlation"]
    assert "as in the labour statistics" in below["correlation"]


def test_a_mean_of_logarithms_is_said_as_a_factor() -> None:
    assert "holds on average 2.00 times its share of the pool" in said(made(log(2)))["group"]
    assert "holds on average 0.50 times its share of the pool" in said(made(-log(2)))["category"]
    least = made(-log(4), metric="min_skew")
    assert "most under-represented holds on average 0.25 times its share of an even split (MinSkew@5" in (
        retrieval_skew_sentences.skew_sentence(least, "tone", "A", 5, 3, "uniform")
    )


def test_one_is_singular() -> None:
    one = made(0.5, n=1, clusters=1)
    texts = [*said(one).values(), retrieval_skew_sentences.skew_sentence(one, "tone", "A", 1, 1, "pool")]
    assert all("1 images" not in text and "1 identities" not in text for text in texts)
    assert "Among the first 1 image for 1 neutral query," in texts[-1]
    small = made(0.0, n=1, status=Status.TOO_SMALL)
    assert "1 readable image is too few" in retrieval_skew_sentences.group_sentence(small, "tone", "A", 10, 48)
    assert "1 image of men with an occupation is too few" in occupation_sentences.share_sentence(
        small, "men", ("his",), "annotated"
    )


def test_chance_is_said_with_the_p_that_decides() -> None:
    assert beside_chance(made(0.5)) == (
        " Labels dealt out at random would give 0.02 (95 % of the time −0.10 to 0.10): the difference is larger than "
        "chance explains (p = .004 after correction)."
    )
    alone = Test(p=0.03, p_adjusted=0.03, correction=ALONE, method="permutation")
    assert beside_chance(made(0.5, test=alone)).endswith("(p = .030).")
    assert beside_chance(made(0.5, null=None)) == ""
    assert beside_chance(made(0.5, test=None)) == ""
