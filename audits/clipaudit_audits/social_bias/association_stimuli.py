"""From a set of a test to what the model is shown: prompts or images, each with the unit (cluster) it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, nearest
from clipaudit.images import ImageRef
from clipaudit.zeroshot import fill
from clipaudit_audits.social_bias.association_tests import SIDES, StimulusSet, TestDefinition, TestFile
from clipaudit_audits.social_bias.occupation_params import with_article


@dataclass(frozen=True)
class Stimulus:
    """One text or image. `cluster` is the unit of resampling: the word, or the data set's cluster, or the image.
    `template` is that of a text."""

    item: str
    cluster: str
    template: str | None = None
    image: ImageRef | None = None


@dataclass(frozen=True)
class Side:
    """One set of a test, made concrete. `cluster_key` says what the clusters are ("word", "identity", "image")."""

    label: str
    kind: str  # "text" or "image"
    cluster_key: str
    stimuli: tuple[Stimulus, ...]


@dataclass(frozen=True)
class ConcreteTest:
    """A test with its four sets in the order X, Y, A, B."""

    definition: TestDefinition
    sides: tuple[Side, ...]


def concrete(
    tests: TestFile, dataset: Dataset | None, templates: Sequence[str], max_items: int, seed: int
) -> list[ConcreteTest]:
    """The tests with their stimuli; a set with more than `max_items` images keeps that many, drawn with `seed`.

    templates: in place of those of the tests; empty keeps these. A set may be empty (a --limit left none of it): the
    test is then too small. Raises DataError if a column is missing, an image is on both sides of a test, or every test
    has an empty set.
    """
    used = tuple(dict.fromkeys(templates or tests.templates))
    sides = {
        name: _texts(name, chosen, tests, used) if chosen.words else _images(name, chosen, dataset, max_items, seed)
        for name, chosen in tests.used.items()
    }
    made = [ConcreteTest(test, tuple(sides[getattr(test, side)] for side in SIDES)) for test in tests.tests]
    for test in made:
        _check_disjoint(test)
    if all(any(not side.stimuli for side in test.sides) for test in made):
        raise DataError(_why_empty(tests, sides, dataset))
    return made


def fill_word(template: str, word: str, tests: TestFile) -> str:
    """`word` in a template: {} the word, {a} its article or nothing; after " | " the form for a plural word.

    >>> tests = TestFile.model_construct(countable=("ant",), plural=("ants",))
    >>> [fill_word("It is {a} {}. | They are {}.", word, tests) for word in ("ant", "love", "ants")]
    ['It is an ant.', 'It is love.', 'They are ants.']
    """
    one, _, many = template.partition(" | ")
    if many and word in tests.plural:
        return fill(many, word)
    article = with_article(word).removesuffix(word) if word in tests.countable else ""
    return fill(one.replace("{a} ", article), word)


def distinct(tests: Sequence[ConcreteTest]) -> tuple[list[ImageRef], list[str]]:
    """Every image and every text of the tests once, in order of first use."""
    every = [stimulus for test in tests for side in test.sides for stimulus in side.stimuli]
    images = {stimulus.item: stimulus.image for stimulus in every if stimulus.image is not None}
    texts = dict.fromkeys(stimulus.item for stimulus in every if stimulus.image is None)
    return list(images.values()), list(texts)


def _label(name: str, chosen: StimulusSet) -> str:
    return chosen.label or name.replace("_", " ")


def _texts(name: str, chosen: StimulusSet, tests: TestFile, templates: Sequence[str]) -> Side:
    texts = [Stimulus(fill_word(t, word, tests), word, t) for word in chosen.words for t in templates]
    return Side(_label(name, chosen), "text", "word", tuple(texts))


def _images(name: str, chosen: StimulusSet, dataset: Dataset | None, max_items: int, seed: int) -> Side:
    if dataset is None:
        raise DataError(f"association: set {name!r} is made of images, but the audit has no data set")
    dataset.require(*chosen.images)
    wanted = {column: {value} if isinstance(value, str) else set(value) for column, value in chosen.images.items()}
    images = [i for i in dataset.images if all(i.attributes[column] in values for column, values in wanted.items())]
    if len(images) > max_items:
        kept = np.sort(np.random.default_rng(seed).choice(len(images), size=max_items, replace=False))
        images = [images[k] for k in kept]
    key = dataset.cluster if dataset.cluster in dataset.columns else None
    stimuli = [Stimulus(image.id, image.attributes[key] if key else image.id, image=image) for image in images]
    return Side(_label(name, chosen), "image", key or "image", tuple(stimuli))


def _check_disjoint(test: ConcreteTest) -> None:
    for one, other in ((0, 1), (2, 3)):
        shared = {s.item for s in test.sides[one].stimuli} & {s.item for s in test.sides[other].stimuli}
        if shared:
            raise DataError(
                f"association test {test.definition.name!r}: {min(shared)!r} is in both {SIDES[one]} and {SIDES[other]}"
            )


def _why_empty(tests: TestFile, sides: dict[str, Side], dataset: Dataset | None) -> str:
    """Names the first empty set, the value that no item has, and the nearest values there are."""
    name = next(name for name, side in sides.items() if not side.stimuli)
    assert dataset is not None
    for column, value in tests.sets[name].images.items():
        there = set(dataset.column(column))
        for each in (value,) if isinstance(value, str) else value:
            if each not in there:
                return (
                    f"association: set {name!r}: no item of data set {dataset.id!r} has {column} = {each!r}; "
                    f"{nearest(each, there)}"
                )
    return f"association: set {name!r} matches no item of data set {dataset.id!r}; every test has an empty set"
