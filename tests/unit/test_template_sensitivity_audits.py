"""Every social audit on prompts, with a finding that one template of two turns round: marked, and true of each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from clipaudit_audits.social_bias.lexicon import Lexicon
from clipaudit_audits.social_bias.occupation import Occupation
from clipaudit_audits.social_bias.occupation_text import OccupationText
from clipaudit_audits.social_bias.retrieval_skew import RetrievalSkew

from clipaudit.contract import Audit, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.results import DataInfo, Estimate, Status

STRONG, WEAK = "a photo of {}.", "a sketch of {}."
WORDS = tuple(f"a {name}" for name in ("thief", "judge", "cook", "clown", "baker", "pilot"))


class Item:
    def __init__(self, number: int) -> None:
        self.id = self.digest = f"image {number:03d}"
        self.attributes = {"gender": "man" if number % 2 else "woman", "number": str(number)}


def people(n: int = 120) -> Dataset:
    items = [Item(k) for k in range(n)]
    info = DataInfo(id="people", title="People", digest="0", items=n, licence="CC0-1.0", consent="drawings")
    return Dataset(info, items, ("gender", "number"), None)


class Turned:
    """Draws men to all words under one template; under another women, less strongly. `person` moves nobody."""

    capabilities = frozenset({Need.SCORES, Need.EMBEDDINGS})

    def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
        noise = np.random.default_rng(0).standard_normal((200, 400))
        men = np.array([image.attributes["gender"] == "man" for image in images])
        rows = [int(image.attributes["number"]) for image in images]
        columns = []
        for label in labels:
            seen = [template.replace("{}", label) for template in templates]
            shift = np.mean([self.shift(text) for text in seen])
            columns.append(0.3 * noise[rows, sum(map(ord, label)) % 400] + shift * (men - 0.5))
        return Scores(np.stack(columns, axis=1), "cosine", (None,) * len(images))

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        rng = np.random.default_rng(1)
        rows = 0.05 * rng.standard_normal((len(texts), 8))
        rows[:, 1] += 1.0
        for row, text in zip(rows, texts, strict=True):
            named = {"man", "male", "gentleman", "guy", "father", "boy"} & set(text.rstrip(".").split())
            other = {"woman", "female", "lady", "gal", "mother", "girl"} & set(text.rstrip(".").split())
            row[0] += 0.5 * (bool(named) - bool(other)) or self.shift(text)
        return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), (None,) * len(texts))

    @staticmethod
    def shift(text: str) -> float:
        if "person" in text:
            return 0.0
        return 0.9 if text.startswith("a photo") else -0.4


def scored(audit: Audit, dataset: Dataset | None, **params: Any) -> list[Estimate]:
    (cell,) = audit.plan(PlanContext(audit.spec.params(**params), 0, dataset))
    return audit.score(replace(cell, dataset=None), audit.run(cell, Turned()))  # type: ignore[arg-type]


CASES: Mapping[str, tuple[Audit, dict[str, Any], str]] = {
    "lexicon": (
        Lexicon(), {"categories": [{"name": "all", "words": WORDS}], "groups": ("gender",), "k": 20}, "category_skew"
    ),
    "occupation": (
        Occupation(), {"occupations": ("baker", "cook", "pilot", "judge", "clown"), "gender": "gender"}, "margin"
    ),
    "occupation_text": (OccupationText(), {"occupations": ("baker", "cook", "pilot", "judge", "clown")}, "margin"),
    "retrieval_skew": (
        RetrievalSkew(), {"concepts": WORDS, "groups": ("gender",), "k": (20,)}, "group_skew"
    ),
}  # fmt: skip


def chosen(estimates: list[Estimate], metric: str) -> dict[str, Estimate]:
    return {e.title: e for e in estimates if e.metric == metric and e.value is not None}


@pytest.mark.parametrize("name", CASES)
def test_a_finding_that_a_template_turns_round_is_marked_and_is_that_of_the_template_alone(name: str) -> None:
    audit, params, metric = CASES[name]
    data = None if name == "occupation_text" else people()
    estimates = scored(audit, data, templates=(STRONG, WEAK), **params)
    pooled = chosen(estimates, metric)
    assert pooled
    alone = {t: chosen(scored(audit, data, templates=(t,), **params), metric) for t in (STRONG, WEAK)}
    turned = 0
    for title, estimate in pooled.items():
        signs = [np.sign(alone[t][title].value or 0.0) for t in (STRONG, WEAK)]
        if signs[0] == signs[1]:
            continue
        turned += 1
        assert any(note.startswith("Template-sensitive: 1 of 2 templates alone") for note in estimate.notes)
        assert ("depends on the wording of the prompt" in estimate.sentence) == (estimate.status is Status.EFFECT)
    assert turned
    (summary, *_) = [e for e in estimates if e.metric == "template_agreement"]
    assert summary.value is not None
    assert summary.value < 1
    assert summary.n >= 2 * turned


@pytest.mark.parametrize("name", CASES)
def test_one_template_has_no_sensitivity(name: str) -> None:
    audit, params, _ = CASES[name]
    estimates = scored(audit, None if name == "occupation_text" else people(), templates=(STRONG,), **params)
    assert not [e for e in estimates if e.metric == "template_agreement"]
    assert not any("templates alone" in note for e in estimates for note in e.notes)


def test_scores_recorded_by_label_do_not_pretend_to_templates() -> None:
    class ByLabel(Turned):
        def score_labels(self, images: Sequence[Item], labels: Sequence[str], templates: Sequence[str]) -> Scores:
            return replace(super().score_labels(images, labels, (STRONG,)), text_source="label")

    audit, params, _ = CASES["lexicon"]
    (cell,) = audit.plan(PlanContext(audit.spec.params(templates=(STRONG, WEAK), **params), 0, people()))
    rows = audit.run(cell, ByLabel())  # type: ignore[arg-type]
    assert set(rows["alone"].to_pylist()) == {None}
    assert not [e for e in audit.score(cell, rows) if e.metric == "template_agreement"]
