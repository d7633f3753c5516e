"""Every registered audit keeps the contract, on small built-in data and with a model that carries a planted effect."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from captioned import captioned, negated, paired

from clipaudit.contract import Audit
from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataUnavailable
from clipaudit.models.control import load_control
from clipaudit.models.load import open_model
from clipaudit.plugins import AUDITS, PluginUnavailable, load_audit, names
from clipaudit.stimuli import avatars
from clipaudit.testing import check_audit

CRIME = {"name": "crime", "title": "criminal / law-abiding", "plus": ["a thief", "a thug"], "minus": ["a witness"]}
CHECK = {"name": "check", "title": "dark / light", "checks": "tone", "plus": ["dark skin"], "minus": ["light skin"]}
WORDS = {"name": "words", "words": ["a thief", "a judge", "a beggar"]}
SHARES = {"baker": 0.6, "nurse": 0.9, "judge": 0.4, "pilot": 0.1, "cook": 0.5}


def drawn_people() -> Dataset:
    """Six identities, two tones: 96 drawings that are only named, never drawn."""
    try:
        dataset = DataRegistry({}).open("avatars")
        images = avatars.items(identities=6, tones=2)
    except DataUnavailable as error:
        pytest.skip(str(error))
    return replace(dataset, images=images, info=dataset.info.model_copy(update={"items": len(images)}))


def drawn_objects() -> Dataset:
    return DataRegistry({}).open("objects")


def few_objects() -> Dataset:
    """Five drawings of each of four objects: few enough to look at their pixels."""
    dataset, labels = drawn_objects(), {"banana", "hammer", "teapot", "mushroom"}
    kept = [i for i in dataset.images if i.attributes["label"] in labels and int(i.attributes["variant"]) <= 5]
    return replace(dataset, images=kept)


@cache
def responses() -> str:
    """Path of a table in which two observers name the objects: one always right, one right on two thirds of them."""
    path = Path(tempfile.mkdtemp()) / "responses.csv"
    lines = ["observer,item,response"]
    for i, image in enumerate(drawn_objects().images):
        label = image.attributes["label"]
        lines += [f"first,{image.id},{label}", f"second,{image.id},{label if i % 3 else 'nothing'}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@dataclass(frozen=True)
class Trial:
    dataset: Callable[[], Dataset | None]
    models: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


TRIALS = {
    "association": Trial(
        drawn_people,
        ("null", "association?d=1.5&attribute=clothing&x=hoodie&y=suit&a=hoodie,casual&b=suit,formal"),
        {"preset": "avatars"},
    ),
    "counterfactual": Trial(
        drawn_people,
        ("null", "counterfactual?attribute=tone&level=monk 10&effect=0.1&words=thief,thug"),
        {"categories": [CRIME, CHECK], "templates": ["a drawing of {}."]},
    ),
    "disparity": Trial(
        drawn_people,
        ("null", "association?d=1.5&attribute=presentation&x=short hair&y=long hair&a=short hair&b=long hair"),
        {"target": "presentation", "groups": ["clothing", "tone"], "min_group": 3, "templates": ["a {}", "the {}."]},
    ),
    "retrieval_skew": Trial(
        drawn_people,
        ("null", "association?d=1.5&attribute=clothing&x=hoodie&y=suit&a=kind&b=cruel"),
        {"groups": ["clothing", "tone"], "concepts": ["kind", "honest"], "templates": ["a {} person", "{}"], "k": [10]},
    ),
    "lexicon": Trial(
        drawn_people,
        ("null", "association?d=1.5&attribute=clothing&x=hoodie&y=suit&a=thief&b=judge"),
        {"groups": ["clothing", "tone"], "categories": [WORDS], "intersections": False},
    ),
    "denigration": Trial(
        drawn_people,
        ("null", "counterfactual?attribute=clothing&level=hoodie&words=thief,criminal&effect=0.3"),
        {"groups": ["clothing", "tone"], "templates": ["a drawing of {}.", "{}"]},
    ),
    "markedness": Trial(
        drawn_people,
        ("null", "counterfactual?attribute=clothing&level=hoodie&words=a person in a hoodie&effect=0.3"),
        {"groups": ["clothing", "tone"], "min_group": 3},
    ),
    "occupation": Trial(
        drawn_people,
        ("null", "association?d=1.5&attribute=presentation&x=short hair&y=long hair&a=baker&b=nurse"),
        {
            "occupations": ["baker", "nurse", "judge"],
            "occupation": "clothing",
            "caption": "in a {clothing} and {pronoun} car",
        },
    ),
    "occupation_text": Trial(lambda: None, ("null",), {"shares": SHARES}),
    "adversarial": Trial(
        drawn_objects,
        ("linear", "linear?masked=16"),
        {"images": 24, "classes": 4, "steps": 5, "targets": 2, "queries": 5, "rounds": 2},
    ),
    "text_attacks": Trial(drawn_objects, ("null", "linear"), {"images": 30, "classes": 6}),
    "zero_shot": Trial(
        drawn_objects,
        ("null", "prototypes?labels=banana,hammer,teapot,mushroom&spread=0.5", "classifier?accuracy=0.7"),
        {"classes": 6, "splits": 2, "shots": [1, 2]},
    ),
    "calibration": Trial(drawn_objects, ("null", "varied?accuracy=0.7")),
    "prompts": Trial(
        drawn_objects,
        ("null", "varied?accuracy=0.7&when=there&then=0.3"),
        {
            "images": 60,
            "crops": [1.0, 0.8],
            "label_sets": {"sky": {"words": {"banana": "yellow banana"}, "extra": ["cloud"]}},
        },
    ),
    "corruptions": Trial(
        drawn_objects,
        ("null", "varied?accuracy=0.9&when=fog&then=0.2"),
        {"images": 20, "corruptions": ["gaussian_noise", "fog", "spatter"], "changes": ["flip"]},
    ),
    "typographic": Trial(drawn_objects, ("null", "reader?weight=0.5&accuracy=0.9"), {"areas": [0.05, 0.1]}),
    "attention_shift": Trial(drawn_objects, ("null", "linear"), {"images": 12, "checked": 10, "grid": 4}),
    "modality_gap": Trial(drawn_objects, ("null",), {"max_items": 60}),
    "similarity": Trial(few_objects, ("null", "prototypes?labels=banana,hammer,teapot,mushroom&spread=0.5")),
    "composition": Trial(negated, ("null",)),
    "word_order": Trial(captioned, ("null",)),
    "composition_matching": Trial(paired, ("null",)),
    "error_consistency": Trial(drawn_objects, ("null", "classifier?accuracy=0.7"), {"observers": responses()}),
    "manipulations": Trial(
        drawn_objects,
        ("null", "varied?accuracy=0.95&when=greyscale&then=0.05"),
        {"images": 20, "protocol": "suppression", "manipulations": ["greyscale", "patch-shuffle=2,7", "silhouette"]},
    ),
    "cue_conflict": Trial(drawn_objects, ("null", "shape?q=0.3&accuracy=0.9"), {"pairs": 30, "classes": 6}),
}
CASES = [
    pytest.param(name, model)
    for name in names(AUDITS)
    for model in (TRIALS[name].models if name in TRIALS else ("null",))
]


def loaded(name: str) -> Audit:
    try:
        return load_audit(name)
    except PluginUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "model"), CASES)
def test_audit_keeps_the_contract(name: str, model: str, tmp_path: Path) -> None:
    audit = loaded(name)
    trial = TRIALS.get(name)
    if trial is None:
        check_audit(audit, model=load_control(model))
    else:
        check_audit(audit, trial.dataset(), open_model(f"control:{model}", cache_dir=tmp_path), params=trial.params)


def test_words_need_no_data() -> None:
    check_audit(loaded("association"), None, load_control("null"), params={"preset": "weat"})
