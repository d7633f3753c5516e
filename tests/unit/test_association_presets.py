"""The packaged tests: against the word sets that were published, their grammar, and drawn people in intersections."""

from __future__ import annotations

import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from clipaudit_audits.social_bias.association import Association, AssociationParams
from clipaudit_audits.social_bias.association_catalogue import IEAT, PRESETS, inherited, packaged
from clipaudit_audits.social_bias.association_estimates import EFFECT, PUBLISHED
from clipaudit_audits.social_bias.association_stimuli import concrete, fill_word
from clipaudit_audits.social_bias.association_tests import TestFile, load_tests, parse_tests

from clipaudit.contract import Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.registry import DataRegistry
from clipaudit.errors import DataUnavailable, UsageError
from clipaudit.models.protocol import Embedded
from clipaudit.results import DataInfo, Status

WORDLISTS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "wordlists" / "WEAT.json"
# Test -> the names that the published file gives X, Y, A and B (Caliskan et al. 2017, table 1, in its order).
PUBLISHED_SETS = {
    "C1": ("flowers", "insects", "pleasant_5", "unpleasant_5a"),
    "C2": ("instruments", "weapons", "pleasant_5", "unpleasant_5a"),
    "C3": ("european_american_names_5", "african_american_names_5", "pleasant_5", "unpleasant_5b"),
    "C4": ("european_american_names_7", "african_american_names_7", "pleasant_5", "unpleasant_5b"),
    "C5": ("european_american_names_7", "african_american_names_7", "pleasant_9", "unpleasant_9"),
    "C6": ("male_names", "female_names", "career", "family"),
    "C7": ("math", "arts", "male_terms", "female_terms"),
    "C8": ("science", "arts_2", "male_terms_2", "female_terms_2"),
    "C9": ("mental_disease", "physical_disease", "temporary", "permanent"),
    "C10": ("young_people_names", "old_people_names", "pleasant_9", "unpleasant_9"),
}


def _any_people(identities: int = 1) -> Dataset:
    class Item:
        def __init__(self, number: int, **attributes: str) -> None:
            self.id = self.digest = f"{'-'.join(attributes.values())}-{number}"
            self.attributes = {**attributes, "identity": f"identity {number}"}

    columns = {
        "tone": ("monk 01", "monk 03", "monk 05", "monk 08", "monk 10"),
        "presentation": ("short hair", "long hair"),
        "facial_hair": ("none", "full beard"),
        "clothing": ("hoodie", "suit"),
    }
    items = [
        Item(k, **dict(zip(columns, values, strict=True)))
        for k in range(identities)
        for values in product(*columns.values())
    ]
    info = DataInfo(id="avatars", title="-", digest="0", items=len(items), licence="CC0-1.0", consent="drawings")
    return Dataset(info, items, (*columns, "identity"), "identity")


@pytest.mark.skipif(not WORDLISTS.exists(), reason="the published word sets are not there")
def test_weat_holds_the_published_words() -> None:
    words = json.loads(WORDLISTS.read_text(encoding="utf-8"))
    tests = load_tests("weat", None)
    assert [test.name.split(":")[0] for test in tests.tests] == list(PUBLISHED_SETS)
    for test in tests.tests:
        own = [list(tests.sets[getattr(test, side)].words) for side in ("X", "Y", "A", "B")]
        assert own == [words[name] for name in PUBLISHED_SETS[test.name.split(":")[0]]]
    assert tests.templates == ("{}",)
    assert all(test.published is not None and test.published.d > 1 for test in tests.tests)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != IEAT])
def test_presets_are_well_formed(preset: str) -> None:
    tests = load_tests(preset, _any_people())
    primary = [test for test in tests.tests if test.role == "primary"]
    assert len(primary) >= 6
    assert all(len(chosen.words) >= 6 for chosen in tests.used.values() if chosen.words)
    if preset == "avatars":  # sixteen identities, paired: p >= 2 / 2^16, and Holm multiplies by the number of tests
        assert len(primary) * 2 / 2**16 <= 0.01
    assert set(tests.countable) & set(tests.plural) == set()
    labels = [chosen.label or name for name, chosen in tests.used.items()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("preset", "columns"),
    [
        ("faces", {"race": ("White", "Black", "East Asian", "Indian"), "gender": ("Male", "Female")}),
        ("faces", {"race": ("White", "Black", "Asian", "Indian", "Others"), "gender": ("Male", "Female")}),
        ("fluent-people", {"presentation": ("man", "woman", "person"), "tone": ("tone 1", "tone 3", "tone 5")}),
    ],
    ids=["fairface", "utkface", "fluent-people"],
)
def test_presets_of_people_find_every_set_in_their_data(preset: str, columns: dict[str, tuple[str, ...]]) -> None:
    class Item:
        def __init__(self, **attributes: str) -> None:
            self.id = self.digest = "-".join(attributes.values())
            self.attributes = attributes

    items = [Item(**dict(zip(columns, values, strict=True))) for values in product(*columns.values())]
    info = DataInfo(id="people", title="-", digest="0", items=len(items), licence="CC0-1.0", consent="drawings")
    data = Dataset(info, items, tuple(columns), None)
    made = concrete(load_tests(preset, data), data, (), 1000, 0)
    assert all(side.stimuli for test in made for side in test.sides)


def test_seat_has_the_tests_of_weat_in_sentences_and_no_published_values() -> None:
    weat, seat = load_tests("weat", None), load_tests("seat", None)
    assert [test.model_copy(update={"published": None}) for test in weat.tests] == list(seat.tests)
    assert seat.sets == weat.sets
    assert fill_word(seat.templates[0], "ant", seat) == "This is an ant."
    assert fill_word(seat.templates[0], "love", seat) == "This is love."
    assert fill_word(seat.templates[0], "Katie", seat) == "This is Katie."
    assert fill_word(seat.templates[1], "parents", seat) == "Those are parents."
    texts = [s.item for test in concrete(seat, None, (), 1000, 0) for side in test.sides for s in side.stimuli]
    assert not any("{" in text or "|" in text or "  " in text for text in texts)
    grammar = {*seat.countable, *seat.plural}
    assert grammar <= {word for chosen in seat.sets.values() for word in chosen.words}


def test_every_pair_of_the_four_intersections_of_tone_and_hair_is_tested() -> None:
    tests = load_tests("avatars", _any_people())
    four = {"light_short", "light_long", "dark_short", "dark_long"}
    pairs = {frozenset((test.X, test.Y)) for test in tests.tests if {test.X, test.Y} <= four and test.A == "pleasant"}
    assert pairs == {frozenset(pair) for pair in combinations(four, 2)}
    for name in four:
        assert set(tests.sets[name].images) == {"tone", "presentation"}


class Planted:
    """Images and texts at random, but dark long-haired drawings (and no others) pulled to words of anger."""

    capabilities = frozenset({Need.EMBEDDINGS})

    def __init__(self, pull: float) -> None:
        self.pull = pull
        self.angry = load_tests("avatars", _any_people()).sets["angry"].words

    def embed_images(self, images: list) -> Embedded:  # type: ignore[type-arg]
        rng = np.random.default_rng(1)
        people: dict[str, np.ndarray] = {}
        rows = []
        for image in images:
            base = people.setdefault(image.attributes["identity"], rng.standard_normal(24))
            row = base + 0.3 * rng.standard_normal(24)
            both = (
                image.attributes["tone"] in ("monk 08", "monk 10") and image.attributes["presentation"] == "long hair"
            )
            row[0] = self.pull if both else 0.0
            rows.append(row / np.linalg.norm(row))
        return Embedded(np.array(rows), (None,) * len(rows))

    def embed_texts(self, texts: list[str]) -> Embedded:
        rng = np.random.default_rng(2)
        rows = rng.standard_normal((len(texts), 24))
        rows[:, 0] = [3.0 if any(word in text for word in self.angry) else 0.0 for text in texts]
        return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), (None,) * len(texts))


def _effects(pull: float) -> dict[str, tuple[float | None, Status]]:
    cell = Association().plan(PlanContext(AssociationParams(permutations=1000), 0, _any_people(16)))[0]
    model = Planted(pull)
    rows = Association().run(cell, model)  # type: ignore[arg-type]
    return {e.title: (e.value, e.status) for e in Association().score(cell, rows) if e.metric == EFFECT}


def test_what_is_planted_in_one_intersection_is_found_there_and_not_in_its_parts_with_beard_or_clothes() -> None:
    name = "Drawn light tone, long hair / dark tone, long hair, calm and anger"
    value, status = _effects(2.0)[name]
    assert status is Status.EFFECT
    assert value is not None
    assert value > 1  # light leans to calm
    quiet = _effects(0.0)
    assert quiet[name][1] is not Status.EFFECT
    assert sum(status is Status.EFFECT for _, status in quiet.values()) == 0


def test_a_file_takes_over_words_of_a_preset_and_adds_its_own() -> None:
    text = 'like = "weat"\n[[tests]]\nname = "mine"\nX = "flowers"\nY = "cars"\nA = "pleasant"\nB = "unpleasant"\n'
    tests = parse_tests(text + '[sets.cars]\nwords = ["van", "bus", "lorry", "coach"]\n', "mine.toml")
    assert [test.name for test in tests.tests] == ["mine"]
    assert set(tests.used) == {"flowers", "cars", "pleasant", "unpleasant"}
    with pytest.raises(UsageError, match=r"like = 'weet' is no packaged set of tests; did you mean weat"):
        parse_tests('like = "weet"', "mine.toml")


def test_words_that_differ_by_blanks_only_are_the_same_word() -> None:
    text = 'like = "weat"\n[sets.flowers]\nwords = ["rose", "rose "]\n'
    with pytest.raises(UsageError, match=r"holds 'rose' twice \('rose '\)"):
        parse_tests(text, "mine.toml")


def test_inherited_sets_do_not_change_the_packaged_ones() -> None:
    before = packaged("weat")
    inherited({"like": "weat", "sets": {"flowers": {"words": ["x"]}}}, "mine")
    assert packaged("weat") == before


def test_describe_lists_every_preset_with_what_it_is() -> None:
    described = AssociationParams.model_fields["preset"].description
    assert described is not None
    assert all(f"{name} ({about})" in described for name, about in PRESETS.items())


class ByTemplate:
    """Words of pleasant sets to one side; flowers with them in all templates but "not {}", where they turn."""

    capabilities = frozenset({Need.EMBEDDINGS})

    def __init__(self, tests: TestFile) -> None:
        self.tests = tests

    def embed_texts(self, texts: list[str]) -> Embedded:
        rng = np.random.default_rng(5)
        rows = 0.2 * rng.standard_normal((len(texts), 12))
        for row, text in zip(rows, texts, strict=True):
            word = text.removeprefix("not ").removeprefix("yes ")
            turned = -1.0 if text.startswith("not ") else 1.0
            where = next(name for name, chosen in self.tests.sets.items() if word in chosen.words)
            row[0] += {"x": 2 * turned, "y": -2 * turned, "a": 2.0, "b": -2.0}[where]
        return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), (None,) * len(texts))


def test_a_sign_that_one_template_of_three_turns_is_marked(tmp_path: Path) -> None:
    sets = "".join(f"[sets.{name}]\nwords = {[f'{name}{i}' for i in range(12)]}\n" for name in "xyab")
    path = tmp_path / "mine.toml"
    path.write_text('[[tests]]\nname = "one"\nX = "x"\nY = "y"\nA = "a"\nB = "b"\n' + sets)
    templates = ("{}", "yes {}", "not {}")
    params = AssociationParams(preset=str(path), templates=templates, permutations=1000)
    cell = Association().plan(PlanContext(params, 0, None))[0]
    rows = Association().run(cell, ByTemplate(load_tests(str(path), None)))  # type: ignore[arg-type]
    found = Association().score(cell, rows)
    main = next(e for e in found if e.metric == EFFECT)
    assert main.status is Status.EFFECT
    assert any(note.startswith("Template-sensitive: 1 of 3 templates alone gives the opposite") for note in main.notes)
    assert "Its sign depends on the wording of the prompt" in main.sentence
    summary = next(e for e in found if e.metric == "template_agreement")
    assert summary.value == pytest.approx(2 / 3)
    # one template alone is the audit with that template
    for template in templates:
        single = AssociationParams(preset=str(path), templates=(template,), permutations=1000)
        other = Association().plan(PlanContext(single, 0, None))[0]
        alone = Association().run(other, ByTemplate(load_tests(str(path), None)))  # type: ignore[arg-type]
        estimates = Association().score(other, alone)
        assert not [e for e in estimates if e.metric == "template_agreement"]
        sign = np.sign(next(e.value for e in estimates if e.metric == EFFECT) or 0.0)
        assert sign == (-1 if template == "not {}" else 1)


def _weat_effect(vectors: dict[str, np.ndarray], sets: list[list[str]]) -> float:
    """d, word by word, as the paper writes it (Caliskan et al. 2017, supplement), with the sample deviation."""

    def cosine(one: str, other: str) -> float:
        u, v = vectors[one], vectors[other]
        return float(sum(a * b for a, b in zip(u, v, strict=True)) / (np.sqrt((u * u).sum()) * np.sqrt((v * v).sum())))

    x, y, a, b = sets
    s = {w: sum(cosine(w, v) for v in a) / len(a) - sum(cosine(w, v) for v in b) / len(b) for w in [*x, *y]}
    every = [s[w] for w in [*x, *y]]
    centre = sum(every) / len(every)
    deviation = (sum((v - centre) ** 2 for v in every) / (len(every) - 1)) ** 0.5
    return (sum(s[w] for w in x) / len(x) - sum(s[w] for w in y) / len(y)) / deviation


def test_all_ten_weat_tests_agree_with_a_loop_over_words() -> None:
    class Random:
        capabilities = frozenset({Need.EMBEDDINGS})

        def __init__(self) -> None:
            self.vectors: dict[str, np.ndarray] = {}

        def embed_texts(self, texts: list[str]) -> Embedded:
            rng = np.random.default_rng(11)
            self.vectors = {text: rng.standard_normal(20) for text in texts}
            rows = np.array([self.vectors[text] for text in texts])
            return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), (None,) * len(texts))

    model = Random()
    cell = Association().plan(PlanContext(AssociationParams(preset="weat", single_category=False), 0, None))[0]
    estimates = Association().score(cell, Association().run(cell, model))  # type: ignore[arg-type]
    tests = load_tests("weat", None)
    found = {e.title: e.value for e in estimates if e.metric == EFFECT}
    for test in tests.tests:
        sets = [list(tests.sets[getattr(test, side)].words) for side in ("X", "Y", "A", "B")]
        assert found[test.name] == pytest.approx(_weat_effect(model.vectors, sets), abs=1e-9)
    published = [e for e in estimates if e.metric == PUBLISHED]
    assert [e.references[0].value for e in published] == [1.5, 1.53, 1.41, 1.5, 1.28, 1.81, 1.06, 1.24, 1.38, 1.21]


def test_the_avatars_card_draws_enough_identities() -> None:
    try:
        data = DataRegistry({}).open("avatars")
    except DataUnavailable as error:
        pytest.skip(str(error))
    assert len(set(data.column("identity"))) == 16
    assert len(data) == 640
    tests = load_tests("avatars", data)
    assert all(side.stimuli for test in concrete(tests, data, (), 1000, 0) for side in test.sides)
